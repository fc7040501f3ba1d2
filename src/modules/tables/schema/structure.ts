import { randomInt } from 'node:crypto';
import { In, IsNull, type EntityManager } from 'typeorm';
import { must, newId, notFound, type Access, type Id } from '../../../common/index.js';
import { advanceSchema, type Sql, type TableSchema, type WriteContext } from '../../../query/index.js';
import { BaseEntity } from '../bases/base.entity.js';
import { ColumnEntity } from '../columns/column.entity.js';
import { TableEntity } from '../tables/table.entity.js';
import { baseSchema } from '../tables/table-schema.js';

/** A table as its metadata is right now, read inside a transaction. */
export interface Structure {
  readonly base: BaseEntity;
  readonly table: TableEntity;
  readonly columns: readonly ColumnEntity[];
  readonly schema: TableSchema;
}

/** With `lock` nobody else changes it until the end of the transaction. @throws Problem `not_found` */
export async function readBase(
  manager: EntityManager,
  baseId: Id,
  { lock = false }: { readonly lock?: boolean } = {},
): Promise<BaseEntity> {
  const base = await manager.findOne(BaseEntity, {
    where: { id: baseId, deletedAt: IsNull() },
    ...(lock ? { lock: { mode: 'for_no_key_update' } } : {}),
  });
  if (!base) throw notFound('base');
  return base;
}

/**
 * One table of a base, with all that its columns lead to.
 * @throws Problem `not_found`
 */
export async function readStructure(
  manager: EntityManager,
  tableId: Id,
  options: { readonly deleted?: boolean } = {},
): Promise<Structure> {
  const table = await manager.findOneBy(TableEntity, { id: tableId });
  if (!table || (table.deletedAt !== null) !== (options.deleted ?? false)) throw notFound('table');
  const base = await readBase(manager, table.baseId);
  const structures = await readStructures(manager, base, options.deleted ? [table] : []);
  return must(
    structures.find((structure) => structure.table.id === tableId),
    'a table that was read belongs to its base',
  );
}

/** All live tables of a base, and these of its trash. */
export async function readStructures(
  manager: EntityManager,
  base: BaseEntity,
  trashed: readonly TableEntity[] = [],
): Promise<Structure[]> {
  const live = await manager.find(TableEntity, {
    where: { baseId: base.id, deletedAt: IsNull() },
    order: { id: 'ASC' },
  });
  const tables = [...live, ...trashed];
  const columns = await manager.find(ColumnEntity, {
    where: { tableId: In(tables.map(({ id }) => id)), deletedAt: IsNull() },
    order: { position: 'ASC', id: 'ASC' },
  });
  const own = new Map<Id, ColumnEntity[]>(tables.map(({ id }) => [id, []]));
  for (const column of columns) own.get(column.tableId)?.push(column);
  const records = tables.map((table) => ({ table, columns: own.get(table.id) ?? [] }));
  const schemas = baseSchema(base.schemaName, records);
  return records.map((record) => ({
    base,
    ...record,
    schema: must(schemas.get(record.table.id), 'each table has its schema'),
  }));
}

/** The next version of the table: its record for the patch, and the statement that moves the stream on, telling what changed. */
export function nextVersion(
  structure: Structure,
  access: Access,
  change: object,
): { readonly table: TableEntity; readonly statement: Sql } {
  return nextVersionBy(structure, contextOf(access), change);
}

/** The same, of whoever makes the change. */
export function nextVersionBy(
  structure: Structure,
  context: WriteContext,
  change: object,
): { readonly table: TableEntity; readonly statement: Sql } {
  const table = { ...structure.table, schemaVersion: structure.table.schemaVersion + 1, updatedAt: new Date() };
  return { table, statement: advanceSchema(structure.schema, table.schemaVersion, context, change) };
}

/** The system itself, as the change log keeps it. */
export const systemContext = (why: string): WriteContext => ({
  actorId: null,
  actorName: 'system',
  requestId: why,
  source: 'system',
  changeSet: newId(),
});

/** Who makes a change, as the change log keeps it. */
export const contextOf = ({ principal, request }: Access): WriteContext => ({
  actorId: principal.userId,
  actorName: principal.name,
  ...(request.clientId === undefined ? {} : { clientId: request.clientId }),
  requestId: request.requestId,
  ip: request.ip,
  source: 'api',
  changeSet: newId(),
});

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Six characters that make a physical name unlike any other. */
export const randomSuffix = (): string =>
  Array.from({ length: 6 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
