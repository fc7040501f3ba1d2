import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must } from '../../common/index.js';
import { column, fuzz } from '../../../test/query/index.js';
import type { Operand, OrderTerm } from '../plan.js';
import type { CellValue, ColumnSchema } from '../schema.js';
import { toStatement, type Sql } from '../sql.js';
import { compileAfter, compileOrderBy } from './order.js';

const text = (fragment: Sql): string => toStatement(fragment).text;
const texts = (fragments: readonly Sql[]): string[] => fragments.map(text);

const A = column('a', 'integer');
const B = column('b', 'integer');
const R = column('r', 'text', { required: true });
const by = (term: ColumnSchema | 'id', dir: 'asc' | 'desc'): OrderTerm => {
  const operand: Operand = term === 'id' ? { kind: 'id' } : { kind: 'column', column: term };
  return { by: operand, dir };
};

describe('the order', () => {
  it('has nulls as the smallest, and names them only where there can be some', () => {
    expect(text(compileOrderBy([by(A, 'asc'), by(B, 'desc'), by(R, 'asc'), by('id', 'desc')]))).toBe(
      '"t"."a" asc nulls first, "t"."b" desc nulls last, "t"."r" asc, "t"."_id" desc',
    );
  });
});

describe('what is behind a position', () => {
  it.each<[string, OrderTerm[], CellValue[], string[]]>([
    ['one key up', [by(A, 'asc'), by('id', 'asc')], [1, 'x'], ['("t"."a", "t"."_id") > ($1::bigint, $2::uuid)']],
    [
      'one key down: nulls come last',
      [by(A, 'desc'), by('id', 'desc')],
      [1, 'x'],
      ['("t"."a", "t"."_id") < ($1::bigint, $2::uuid)', '"t"."a" is null'],
    ],
    [
      'up, from a null: the other nulls, then all values',
      [by(A, 'asc'), by('id', 'asc')],
      [null, 'x'],
      ['"t"."a" is not null', '"t"."a" is null and ("t"."_id") > ($1::uuid)'],
    ],
    [
      'down, from a null: only other nulls',
      [by(A, 'desc'), by('id', 'desc')],
      [null, 'x'],
      ['"t"."a" is null and ("t"."_id") < ($1::uuid)'],
    ],
    [
      'a required column down has no nulls',
      [by(R, 'desc'), by('id', 'desc')],
      ['m', 'x'],
      ['("t"."r", "t"."_id") < ($1::text, $2::uuid)'],
    ],
    [
      'both directions',
      [by(A, 'asc'), by(B, 'desc'), by('id', 'desc')],
      [1, 2, 'x'],
      [
        '"t"."a" > $1::bigint',
        '"t"."a" = $1::bigint and ("t"."b", "t"."_id") < ($2::bigint, $3::uuid)',
        '"t"."a" = $1::bigint and "t"."b" is null',
      ],
    ],
    ['the id alone', [by('id', 'desc')], ['x'], ['("t"."_id") < ($1::uuid)']],
  ])('%s', (_, order, position, expected) => expect(texts(compileAfter(order, position))).toEqual(expected));

  it('is split into branches of which exactly one holds, and only behind the position', () => {
    // The branches are united without removing repeats, so two that hold for one row would show it twice.
    const cell = fc.constantFrom(null, 1, 2, 3);
    const dir = fc.constantFrom<'asc' | 'desc'>('asc', 'desc');
    const order = fc.tuple(dir, dir);
    const row = fc.record({ a: cell, b: cell, id: fc.constantFrom('1', '2', '3') });
    fc.assert(
      fc.property(order, row, row, ([first, second], at, row) => {
        const terms = [by(A, first), by(B, second), by('id', second)];
        const branches = compileAfter(terms, [at.a, at.b, at.id]);
        const holding = branches.filter((branch) => holds(toStatement(branch), row)).length;
        const rank = (value: CellValue): string => (value === null ? '' : String(value));
        const pairs = [
          [rank(row.a), rank(at.a), first],
          [rank(row.b), rank(at.b), second],
          [row.id, at.id, second],
        ] as const;
        const deciding = pairs.find(([x, y]) => x !== y);
        const behind = deciding !== undefined && (deciding[2] === 'asc') === deciding[0] > deciding[1];
        expect(holding).toBe(behind ? 1 : 0);
      }),
      fuzz(2000),
    );
  });
});

/** Judges a branch in SQL's three-valued logic. Knows just the forms that the compiler makes. */
function holds(
  { text, values }: { text: string; values: readonly unknown[] },
  row: { a: CellValue; b: CellValue; id: string },
): boolean {
  const cellOf = (token: string): CellValue =>
    token.startsWith('$')
      ? (values[Number(/\d+/.exec(token)?.[0]) - 1] as CellValue)
      : ({ '"t"."a"': row.a, '"t"."b"': row.b, '"t"."_id"': row.id }[token] ?? null);
  return text.split(' and ').every((part) => {
    const nullity = /^(\S+) is (not )?null$/.exec(part);
    if (nullity) return (cellOf(must(nullity[1], 'a column')) === null) === (nullity[2] === undefined);
    const [, left = '', op, right = ''] = must(/^(.+) ([<>=]) (.+)$/.exec(part), `a comparison: ${part}`);
    const tokens = (side: string) => side.replace(/^\((.*)\)$/, '$1').split(', ');
    for (const [i, token] of tokens(left).entries()) {
      const [x, y] = [cellOf(token), cellOf(must(tokens(right)[i], 'as many on the right'))];
      if (x === null || y === null) return false;
      if (x !== y) return op === '>' ? x > y : op === '<' && x < y;
    }
    return op === '=';
  });
}
