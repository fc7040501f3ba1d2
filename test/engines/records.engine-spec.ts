import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must } from '../../src/common/index.js';
import { ROLES } from '../../src/database/mini/index.js';
import { MiniDbViews, SchemaMoved } from '../../src/engines/index.js';
import {
  between,
  columnType,
  Records,
  sql,
  toStatement,
  value,
  withKeys,
  type ColumnTypeName,
} from '../../src/query/index.js';
import { placeSources } from '../../src/query/view/sources-table.js';
import { fuzz } from '../query/index.js';
import { fill, makeTable, node, type Node } from './store.js';

let store: Node;
beforeAll(async () => {
  store = await node();
});

/** A value of the type as the server writes it, and the text that PostgreSQL makes of it. */
async function bothOf(name: ColumnTypeName, text: string): Promise<{ ours: string; theirs: string }> {
  const type = columnType(name);
  const cell = sql`(${value(text, 'text')})::${type.physical({})}`;
  const form = must(type.wire, 'a form of its own');
  const statement = toStatement(
    sql`select record_send(row(${form === 'text' ? sql`${cell}::text` : cell})), coalesce((${type.toJson(cell, { schema: '' })})::text, 'null')`,
  );
  let ours = '';
  const bytes = (sent: Buffer): string => {
    ours = Records.in(sent).text({ slots: [{ before: between(''), field: 0, form }], end: between('') }, 0);
    return '';
  };
  const [row] = await store.database.query({ ...statement, bytes });
  return { ours, theirs: must(row?.[1], 'a text') };
}

const decimals = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 60n }), fc.integer({ min: -60, max: 60 }))
  .map(([negative, digits, exponent]) => `${negative ? '-' : ''}${digits}e${exponent}`);
const instants = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
  .map((at) => at.toISOString());

const VALUES: readonly (readonly [ColumnTypeName, fc.Arbitrary<string>])[] = [
  ['text', fc.string({ unit: 'binary' }).map((text) => text.toWellFormed().replaceAll('\0', ''))],
  ['integer', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)],
  ['decimal', fc.oneof(decimals, fc.constantFrom('0', '0.000', '1e16000', '1e-16000', 'NaN', 'Infinity', '-Infinity'))],
  ['boolean', fc.constantFrom('true', 'false')],
  ['date', fc.oneof(instants.map((at) => at.slice(0, 10)), fc.constantFrom('infinity', '-infinity', '0044-03-15 BC', '12026-01-01'))],
  ['datetime', fc.oneof(instants, fc.constantFrom('infinity', '-infinity', '0044-03-15 10:00:00Z BC', '12026-01-01T00:00:00.0009Z', '285000-12-31T23:59:59.999999Z', '4714-11-24 00:00:00Z BC'))],
  ['user', fc.uuid()],
  ['single_select', fc.stringMatching(/^[a-z][a-z0-9_]{0,47}$/)],
]; // prettier-ignore

describe('what the server writes of a record', () => {
  it.each(VALUES)('is what PostgreSQL makes of it: %s', async (name, values) => {
    await fc.assert(
      fc.asyncProperty(values, async (text) => {
        const { ours, theirs } = await bothOf(name, text);
        expect(ours).toBe(theirs);
      }),
      fuzz(150),
    );
  });
});

describe('a value that is none of the type it is sent as', () => {
  it('is of a structure that is gone, in tables and in views; of one that is there it is an error', async () => {
    const table = await makeTable(store);
    await fill(store, table, [{ title: 'A' }]);
    const { schema, table: name } = table.physical;
    await store.database.transaction(async (session) => {
      await session.query({ text: `set local role ${ROLES.owner}`, values: [] });
      const alter = `alter table "${schema}"."${name}" alter column active type text using 'nobody'`;
      await session.query({ text: alter, values: [] });
    });
    const plan = { where: { kind: 'true' }, limit: 10, count: 'none' } as const;
    const place = placeSources([{ source: { kind: 'table', table } }], [], '');
    const view = { ...plan, from: place, select: place.columns, orderBy: withKeys([], place.keys) };
    const views = new MiniDbViews(store.database);
    const byId = [{ by: { kind: 'id' }, dir: 'asc' }] as const;
    const read = () => store.engine.read({ ...plan, from: table, select: table.columns, orderBy: byId });
    await expect(read()).rejects.toMatchObject({ code: '22P02' });
    await expect(views.read(view)).rejects.toMatchObject({ code: '22P02' });
    await store.database.query({
      text: `update "${schema}"._stream set schema_version = schema_version + 1`,
      values: [],
    });
    await expect(read()).rejects.toBeInstanceOf(SchemaMoved);
    await expect(views.read(view)).rejects.toBeInstanceOf(SchemaMoved);
    await expect(views.read({ ...view, count: 'exact' })).rejects.toBeInstanceOf(SchemaMoved);
  });
});

describe('a connection that gives bytes', () => {
  const large = (size: number, byte: number) => ({
    text: `select string_agg(repeat(chr($1::int), 1000), '')::text::bytea, 'a' || 'é' from generate_series(1, $2::int)`,
    values: [byte, size],
  });

  it('gives texts to statements that ask for none, whichever was before', async () => {
    await store.database.transaction(async (session) => {
      for (const n of [1, 2, 3]) {
        expect(await session.query({ text: 'select $1::int, null, true', values: [n] })).toEqual([
          [String(n), null, 't'],
        ]);
        const read: string[] = [];
        const bytes = (sent: Buffer): string => {
          read.push(sent.toString('hex'));
          return 'read';
        };
        const rows = await session.query({ text: `select '\\xff0080'::bytea, $1::text, null`, values: ['é'], bytes });
        expect(rows).toEqual([['read', 'é', null]]);
        expect(read).toEqual(['ff0080']);
      }
    });
  });

  it('gives them to statements without values, too, in a transaction as by itself', async () => {
    const bytes = (sent: Buffer): string => sent.toString('hex');
    const statement = { text: `select '\\xff0080'::bytea, 'a'`, values: [], bytes };
    expect(await store.database.query(statement)).toEqual([['ff0080', 'a']]);
    for (const prepares of [true, false])
      expect(await store.database.transaction((session) => session.query(statement), { prepares })).toEqual([
        ['ff0080', 'a'],
      ]);
  });

  it('gives them whole, in however many pieces they come, while others ask', async () => {
    const asked = Array.from({ length: 40 }, async (_, i) => {
      const [size, byte] = [1 + ((i * 37) % 900), 97 + (i % 26)];
      let seen = '';
      const bytes = (sent: Buffer): string => {
        seen = `${sent.length} ${sent.every((each) => each === byte)}`;
        return '';
      };
      expect(await store.database.query({ ...large(size, byte), bytes })).toEqual([['', 'aé']]);
      expect(seen).toBe(`${size * 1000} true`);
    });
    await Promise.all(asked);
  });

  it('tells whoever asked that they could not be read, and serves the next', async () => {
    const bytes = (): string => {
      throw new Error('not to be read');
    };
    await expect(store.database.query({ text: `select '\\x00'::bytea`, values: [], bytes })).rejects.toThrow(
      'not to be read',
    );
    await expect(
      store.database.query({ text: `select '\\x00'::bytea, 1 / $1::int`, values: [0], bytes: () => '' }),
    ).rejects.toMatchObject({ code: '22012' });
    expect(await store.database.query({ text: 'select 1', values: [] })).toEqual([['1']]);
  });
});
