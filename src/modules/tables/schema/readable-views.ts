import { In, IsNull, type EntityManager } from 'typeorm';
import { dropReadableView, readableView, type Sql } from '../../../query/index.js';
import { ColumnEntity } from '../columns/column.entity.js';
import { TableEntity } from '../tables/table.entity.js';
import { toTableSchema } from '../tables/table-schema.js';
import type { MetadataPatch } from './schema-op.entity.js';

interface Change {
  readonly schema: string;
  readonly statements: readonly Sql[];
  readonly patch: MetadataPatch;
}

/**
 * The change with the readable view of each table that it touches: dropped first, made anew behind, for a table that is there
 * afterwards. Goes by the metadata before and after, so that no use case has to think of it. Tables of a base that goes
 * into the trash keep what they have.
 */
export async function withReadableViews<C extends Change>(manager: EntityManager, change: C): Promise<C> {
  const { schema, patch } = change;
  const { tables = [], columns = [], bases = [] } = patch;
  if (tables.length === 0 || bases.some(({ deletedAt }) => deletedAt !== null)) return change;
  const tableIds = tables.map(({ id }) => id);
  const before = await manager.findBy(TableEntity, { id: In(tableIds), deletedAt: IsNull() });
  const stored = await manager.findBy(ColumnEntity, { tableId: In(tableIds) });
  const merged = [...new Map([...stored, ...columns].map((column) => [column.id, column])).values()];
  const live = merged.filter(({ deletedAt }) => deletedAt === null).toSorted(inOrder);
  const drops = before.map(({ physicalName }) => dropReadableView(schema, physicalName));
  const views = tables
    .filter(({ deletedAt }) => deletedAt === null)
    .flatMap((table) => {
      const own = live.filter(({ tableId }) => tableId === table.id);
      return readableView({ ...toTableSchema(schema, table, own), name: table.name });
    });
  return { ...change, statements: [...drops, ...change.statements, ...views] };
}

/** As the API lists them. */
const inOrder = (a: ColumnEntity, b: ColumnEntity): number =>
  a.position - b.position || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
