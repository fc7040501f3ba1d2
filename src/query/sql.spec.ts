import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { comma, empty, ident, inlined, integer, join, literal, sql, toStatement, value } from './sql.js';

describe('the sql template', () => {
  it('numbers the parameters of all its fragments in the order of the text', () => {
    const where = sql`a = ${value('x', 'text')} and b = any(${value([1, 2], 'bigint[]')})`;
    expect(toStatement(sql`select ${value(true, 'boolean')} from ${ident('s', 't')} where ${where}`)).toEqual({
      text: 'select $1::boolean from "s"."t" where a = $2::text and b = any($3::bigint[])',
      values: [true, 'x', [1, 2]],
    });
  });

  it('lets no string in', () => {
    const evil = "'; drop table x; --";
    // @ts-expect-error a string is not a fragment
    expect(() => toStatement(sql`select ${evil}`)).toThrow();
    // @ts-expect-error nor is something that only looks like one
    expect(() => sql`select ${{ text: evil, values: [] }}`).toThrow();
    // @ts-expect-error nor a number
    expect(() => sql`select ${1}`).toThrow();
  });

  it('keeps every value out of the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const statement = toStatement(sql`select ${value(text, 'text')}`);
        expect(statement).toEqual({ text: 'select $1::text', values: [text] });
      }),
    );
  });

  it('quotes identifiers, so that one cannot end inside', () => {
    expect(toStatement(ident('a"; drop table x; --')).text).toBe('"a""; drop table x; --"');
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        fc.pre(!name.includes('\0'));
        expect(unquote(toStatement(ident(name)).text, '"')).toBe(name);
      }),
    );
    for (const bad of ['', 'a\0b']) expect(() => ident(bad)).toThrow();
  });

  it('quotes literals the same way', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes('\0'));
        expect(unquote(toStatement(literal(text)).text, "'")).toBe(text);
      }),
    );
    expect(() => literal('a\0b')).toThrow();
  });

  it('puts values into the text where there can be no parameters', () => {
    const all = sql`${value("a'b\\", 'text')}, ${value(-5, 'bigint')}, ${value(null, 'date')}, ${value(['x', null], 'text[]')}, ${ident('t')}`;
    expect(toStatement(inlined(all))).toEqual({
      text: `'a''b\\'::text, '-5'::bigint, null::date, array['x', null]::text[], "t"`,
      values: [],
    });
    expect(() => inlined(value('a\0b', 'text'))).toThrow();
  });

  it('takes safe integers only as constants', () => {
    expect(toStatement(integer(-7)).text).toBe('-7');
    for (const bad of [1.5, NaN, Infinity, 2 ** 53]) expect(() => integer(bad)).toThrow();
  });

  it('joins', () => {
    expect(toStatement(join([sql`a`, sql`b`], comma)).text).toBe('a, b');
    expect(toStatement(join([], comma))).toEqual(toStatement(empty));
  });
});

/** Reads a quoted token as PostgreSQL does; throws when it ends early. */
function unquote(token: string, quote: string): string {
  const inner = token.slice(1, -1);
  if (!token.startsWith(quote) || !token.endsWith(quote) || inner.replaceAll(quote + quote, '').includes(quote))
    throw new Error(`not one token: ${token}`);
  return inner.replaceAll(quote + quote, quote);
}
