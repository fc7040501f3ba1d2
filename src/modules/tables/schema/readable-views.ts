import { In, IsNull, Not, type EntityManager } from 'typeorm';
import { must, type Id } from '../../../common/index.js';
import { dropReadableView, readableView, tablesShown, type Sql, type TableSchema } from '../../../query/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { BaseEntity } from '../bases/base.entity.js';
import { TableEntity } from '../tables/table.entity.js';
import { baseSchema, type TableRecord } from '../tables/table-schema.js';
import type { MetadataPatch } from './schema-op.entity.js';
import { readStructures } from './structure.js';

interface Change {
  readonly schema: string;
  readonly statements: readonly Sql[];
  readonly patch: MetadataPatch;
}

/** The live tables of a base with their schemas. */
interface Snapshot {
  readonly records: readonly TableRecord[];
  readonly schemas: ReadonlyMap<Id, TableSchema>;
}

/**
 * The change with the readable view of each table that it touches, and of those that show something of one: dropped first, made
 * anew behind, for a table that is there afterwards. Goes by the metadata before and after, so that no use case has to think
 * of it. Tables of a base that goes into the trash keep what they have.
 */
export async function withReadableViews<C extends Change>(manager: EntityManager, change: C): Promise<C> {
  const { schema, patch } = change;
  const { tables = [], bases = [] } = patch;
  const [first] = tables;
  if (!first || bases.some(({ deletedAt }) => deletedAt !== null)) return change;
  const changed = new Set(tables.map(({ id }) => id));
  const before = await snapshotOf(manager, schema, first.baseId, changed);
  const after = patched(schema, before, patch);
  const drops = touched(before, changed).map(({ table }) => dropReadableView(schema, table.physicalName));
  const views = touched(after, changed).flatMap(({ table }) =>
    readableView({ ...must(after.schemas.get(table.id), 'a table has its schema'), name: table.name }),
  );
  return { ...change, statements: [...drops, ...change.statements, ...views] };
}

/** With those of the tables that are in the trash: they may be on their way out of it. */
async function snapshotOf(
  manager: EntityManager,
  schema: string,
  baseId: Id,
  tableIds: ReadonlySet<Id>,
): Promise<Snapshot> {
  const base = await manager.findOneBy(BaseEntity, { id: baseId, deletedAt: IsNull() });
  const trashed = await manager.findBy(TableEntity, { id: In([...tableIds]), deletedAt: Not(IsNull()) });
  const records = base ? await readStructures(manager, base, trashed) : [];
  return { records, schemas: baseSchema(schema, records) };
}

function patched(schema: string, { records }: Snapshot, { tables = [], columns = [] }: MetadataPatch): Snapshot {
  const live = new Map(records.map(({ table }) => [table.id, table]));
  for (const table of tables) {
    if (table.deletedAt === null) live.set(table.id, table);
    else live.delete(table.id);
  }
  const all = new Map(
    [...records.flatMap((record) => record.columns), ...columns].map((column) => [column.id, column]),
  );
  const shown = [...all.values()].filter(({ deletedAt }) => deletedAt === null).sort(inOrder);
  const next = [...live.values()].map((table) => ({
    table,
    columns: shown.filter(({ tableId }) => tableId === table.id),
  }));
  return { records: next, schemas: baseSchema(schema, next) };
}

const touched = ({ records, schemas }: Snapshot, changed: ReadonlySet<Id>): readonly TableRecord[] =>
  records.filter(({ table }) => {
    const schema = must(schemas.get(table.id), 'a table has its schema');
    return [...tablesShown(schema)].some((id) => changed.has(id));
  });

/** As the API lists them. */
const inOrder = (a: ColumnEntity, b: ColumnEntity): number =>
  a.position - b.position || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
