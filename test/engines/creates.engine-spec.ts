import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must, newId } from '../../src/common/index.js';
import { LogChain } from '../../src/engines/index.js';
import {
  compileReread,
  ident,
  sayCreates,
  sql,
  toStatement,
  type RowWrite,
  type TableSchema,
} from '../../src/query/index.js';
import { fieldsJson } from '../../src/query/compile/row-json.js';
import { sql as ask, databases, type TestDatabases } from '../harness/index.js';
import { arbitrary, column, everyType, fuzz, table } from '../query/index.js';
import { create, makeTable, node, readLog, update, writeOf, type Node } from './store.js';

let pair: TestDatabases;
let a: Node;
beforeAll(async () => {
  pair = await databases();
  a = await node(pair);
});

/** What PostgreSQL makes of the rows and of their fields, and the fields that the log tells, as text. */
async function toldByDatabase(of: TableSchema, ids: readonly string[]) {
  const rows = await a.database.query(toStatement(compileReread(of, ids)));
  const { schema, table: name } = of.physical;
  const fields = await a.database.query(
    toStatement(sql`select _id, ${fieldsJson('t', of.columns, of.physical)} from ${ident(schema, name)} t`),
  );
  const logged = await a.database.query(
    toStatement(sql`select row_id, after::text from ${ident(schema, '_change')} where op = 'create'`),
  );
  return { rows: new Map(rows.map(([id, text]) => [id, text])), fields: new Map(fields.map(([id, text]) => [id, text])), logged: new Map(logged.map(([id, text]) => [id, text])) }; // prettier-ignore
}

const isSaid = (of: TableSchema, write: RowWrite): boolean => sayCreates(of, [write]) !== undefined;

/** Without what only PostgreSQL can say, JSON. */
const sayable = (): TableSchema => {
  const made = everyType();
  return { ...made, columns: made.columns.filter(({ type }) => type !== 'json') };
};

describe('new rows that are told without asking PostgreSQL', () => {
  it('are told byte for byte as PostgreSQL tells them, in the answer and in the log', async () => {
    const deals = await makeTable(a, sayable());
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary.fields(deals), { minLength: 1, maxLength: 12 }), async (rows) => {
        const write = writeOf(rows.map((fields) => create(deals, fields)));
        expect(isSaid(deals, write)).toBe(true);
        const { ops } = await a.writer.write(deals, write);
        const told = await toldByDatabase(
          deals,
          ops.map(({ id }) => id),
        );
        for (const { id, json } of ops) {
          expect(json).toBe(told.rows.get(id));
          expect(told.logged.get(id)).toBe(told.fields.get(id));
        }
      }),
      fuzz(60),
    );
    await proveChain(deals);
  });

  it('are those of a column that nothing was given to, whatever its type, and of a table without columns', async () => {
    const deals = await makeTable(
      a,
      table([column('extra', 'json'), column('files', 'attachment'), column('amount', 'decimal')]),
    );
    const none = await makeTable(a, table([]));
    for (const made of [deals, none]) {
      const write = writeOf([create(made, made === deals ? { amount: '0.10' } : {}), create(made, {})]);
      expect(isSaid(made, write)).toBe(true);
      const { ops } = await a.writer.write(made, write);
      const told = await toldByDatabase(
        made,
        ops.map(({ id }) => id),
      );
      expect(ops.map(({ json }) => json)).toEqual(ops.map(({ id }) => told.rows.get(id)));
      expect(told.logged).toEqual(told.fields);
    }
  });

  it('take a number for each write, in one chain with writes of all other kinds', async () => {
    const deals = await makeTable(a, table([column('qty', 'integer')]));
    const id = newId();
    const writes = [[create(deals, { qty: 1 }, id)], [create(deals, {}), create(deals, { qty: 2 })], [create(deals, { qty: 3 })]]; // prettier-ignore
    const together = await Promise.all(writes.map((ops) => a.writer.write(deals, writeOf(ops))));
    const mixed = await a.writer.write(deals, writeOf([update(deals, id, { qty: 9 }), create(deals, { qty: 4 })]));
    const last = await a.writer.write(deals, writeOf([create(deals, { qty: 5 })]));
    expect([...together, mixed, last].map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    const log = await readLog(a.log, deals);
    expect(log.map(({ seq, ord, op, after }) => [seq, ord, op, after?.qty])).toEqual([
      [1, 0, 'create', 1],
      [2, 0, 'create', null],
      [2, 1, 'create', 2],
      [3, 0, 'create', 3],
      [4, 0, 'update', 9],
      [4, 1, 'create', 4],
      [5, 0, 'create', 5],
    ]);
    await proveChain(deals);
  });

  it('are not told where PostgreSQL did not take them as they were given', async () => {
    const deals = await makeTable(a, table([column('qty', 'integer')]));
    const name = `"${deals.physical.schema}"."deals"`;
    await ask(
      pair.mini,
      `create function "${deals.physical.schema}".swallow() returns trigger language plpgsql as 'begin return null; end';
       create trigger swallow before insert on ${name} for each row when (new.qty = 13) execute function "${deals.physical.schema}".swallow()`,
    );
    const ops = [create(deals, { qty: 1 }), create(deals, { qty: 13 })];
    await expect(a.writer.write(deals, writeOf(ops))).rejects.toThrow();
    expect(await readLog(a.log, deals)).toEqual([]);
    expect(await ask(pair.mini, `select from ${name}`)).toEqual([]);
  });
});

/** Every link of the log is the one that its entries make. */
async function proveChain({ physical: { schema }, id }: TableSchema): Promise<void> {
  const chain = new LogChain(a.database);
  const { anchor, head } = must(await chain.ends(schema, id), 'the table has a log');
  const judged = await chain.judge(schema, id, anchor, head.seq);
  expect(judged.brokenAt).toBeUndefined();
  expect(judged.last).toEqual(head);
}
