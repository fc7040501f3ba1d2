import { In, IsNull, Not, type EntityManager } from 'typeorm';
import type { Id } from '../../../common/index.js';
import type { TableSchema } from '../../../query/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { BaseEntity } from '../bases/base.entity.js';
import { TableEntity } from '../tables/table.entity.js';
import { baseSchema, type TableRecord } from '../tables/table-schema.js';
import type { MetadataPatch } from './schema-op.entity.js';
import { readStructures } from './structure.js';

/** The live tables of a base with their schemas. */
export interface Snapshot {
  readonly records: readonly TableRecord[];
  readonly schemas: ReadonlyMap<Id, TableSchema>;
}

/** A base before and after a change of its structure. */
export interface BeforeAndAfter {
  readonly baseId: Id;
  /** Ids of the tables that change. */
  readonly changed: ReadonlySet<Id>;
  /** With those of the changed tables that are in the trash: they may be on their way out of it. */
  readonly before: Snapshot;
  readonly after: Snapshot;
}

/** Undefined where no table changes, and for a base that goes into the trash: its tables keep what they have. */
export async function beforeAndAfter(
  manager: EntityManager,
  schema: string,
  patch: MetadataPatch,
): Promise<BeforeAndAfter | undefined> {
  const { tables = [], bases = [] } = patch;
  const [first] = tables;
  if (!first || bases.some(({ deletedAt }) => deletedAt !== null)) return undefined;
  const changed = new Set(tables.map(({ id }) => id));
  const before = await snapshotOf(manager, schema, first.baseId, changed);
  return { baseId: first.baseId, changed, before, after: patched(schema, before, patch) };
}

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

/** As the API lists them. */
const inOrder = (a: ColumnEntity, b: ColumnEntity): number =>
  a.position - b.position || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
