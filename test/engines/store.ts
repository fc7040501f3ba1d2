import { loadConfig } from '../../src/config/index.js';
import { newId, type Id } from '../../src/common/index.js';
import { MiniDatabase } from '../../src/database/mini/index.js';
import {
  ChangeLog,
  MiniDbEngine,
  MiniDbLookup,
  MiniDbSchema,
  MiniDbWriter,
  type Change,
} from '../../src/engines/index.js';
import {
  createBaseSchema,
  createTable,
  type CellValue,
  type EvaluatedRow,
  type RowOp,
  type RowWrite,
  type TableSchema,
} from '../../src/query/index.js';
import { afterThisFile, databases, serverEnvironment, type TestDatabases } from '../harness/index.js';
import { canonical, everyType, writeContext } from '../query/index.js';

/** The parts of one node that hold rows, on a mini-DB that several of them may share. */
export class Node {
  readonly writer: MiniDbWriter;
  readonly engine: MiniDbEngine;
  readonly schema: MiniDbSchema;
  readonly lookup: MiniDbLookup;
  readonly log: ChangeLog;

  constructor(readonly database: MiniDatabase) {
    this.writer = new MiniDbWriter(database);
    this.engine = new MiniDbEngine(database);
    this.schema = new MiniDbSchema(database);
    this.lookup = new MiniDbLookup(database);
    this.log = new ChangeLog(database);
  }
}

export async function node(pair?: TestDatabases): Promise<Node> {
  const config = loadConfig(await serverEnvironment(pair ? { databases: pair } : {}));
  const database = new MiniDatabase(config);
  afterThisFile(() => database.onApplicationShutdown());
  return new Node(database);
}

/** So many nodes on one fresh mini-DB. */
export async function nodes(count: number): Promise<Node[]> {
  const pair = await databases();
  return Promise.all(Array.from({ length: count }, () => node(pair)));
}

let schemas = 0;

/** A base of its own with one table, really made. */
export async function makeTable({ schema }: Node, made: TableSchema = everyType()): Promise<TableSchema> {
  const name = `base_${++schemas}`;
  const table: TableSchema = { ...made, physical: { schema: name, table: made.physical.table } };
  await schema.apply(name, newId(), createBaseSchema(name, 'CRM'));
  await schema.apply(name, newId(), createTable({ ...table, name: 'Deals' }, newId()));
  return table;
}

export const values = (table: TableSchema, fields: Readonly<Record<string, unknown>>) =>
  new Map<TableSchema['columns'][number], CellValue>(
    table.columns.filter(({ key }) => key in fields).map((column) => [column, canonical(column, fields[column.key])]),
  );

export const create = (table: TableSchema, fields: Readonly<Record<string, unknown>>, id: Id = newId()): RowOp => ({
  kind: 'create',
  id,
  values: values(table, fields),
});

export const update = (
  table: TableSchema,
  id: Id,
  fields: Readonly<Record<string, unknown>>,
  expectedVersion?: number,
): RowOp => ({
  kind: 'update',
  id,
  values: values(table, fields),
  ...(expectedVersion === undefined ? {} : { expectedVersion }),
});

export const remove = (id: Id, expectedVersion?: number): RowOp => ({
  kind: 'delete',
  id,
  ...(expectedVersion === undefined ? {} : { expectedVersion }),
});

export const writeOf = (ops: readonly RowOp[], atomic = true): RowWrite => ({ context: writeContext(), atomic, ops });

/** Creates the rows in one write and gives them as the oracle sees them. */
export async function fill(
  { writer }: Node,
  table: TableSchema,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<EvaluatedRow[]> {
  const ops = rows.map((fields) => create(table, fields));
  if (ops.length > 0) await writer.write(table, writeOf(ops));
  return ops.map((op) => ({
    id: op.id,
    fields: Object.fromEntries(
      table.columns.map((column) => [column.key, op.kind === 'create' ? (op.values.get(column) ?? null) : null]),
    ),
  }));
}

/** The whole change log of a table, read in portions as its followers do. */
export async function readLog(log: ChangeLog, { physical, id }: TableSchema): Promise<Change[]> {
  const changes: Change[] = [];
  for (let after = 0; ;) {
    const portion = await log.read(physical.schema, id, after, 50);
    const last = portion.at(-1);
    if (!last) return changes;
    changes.push(...portion);
    after = last.seq;
  }
}
