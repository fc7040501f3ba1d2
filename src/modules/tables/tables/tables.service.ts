import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull, Not } from 'typeorm';
import {
  deriveKey,
  foldName,
  newId,
  notFound,
  positionPage,
  Problem,
  type Access,
  type Id,
  type Page,
} from '../../../common/index.js';
import { actorOf, type AuditEntry } from '../../../database/main/index.js';
import { commentTable, createTable, renameTable } from '../../../query/index.js';
import { appearanceOf } from '../appearance.dto.js';
import { ColumnEntity } from '../columns/column.entity.js';
import { DefaultPeople } from '../columns/default-people.js';
import { nameTaken } from '../columns/make-columns.js';
import { planRestoreAll } from '../columns/plan-restore.js';
import { findInOrder, positionAfter } from '../in-order.js';
import { Retention } from '../retention.js';
import { SchemaSaga } from '../schema/schema-saga.js';
import { BaseDraft } from '../schema/base-draft.js';
import { contextOf, nextVersion, randomSuffix, readBase, readStructure, readStructures } from '../schema/structure.js';
import { TableCatalog } from '../table-catalog.js';
import type { TrashPageQuery } from '../trash.dto.js';
import type { CreateTableDto, TableDto, UpdateTableDto } from './table.dto.js';
import { TableEntity } from './table.entity.js';
import { tableChanged } from './table-changed.js';
import { toTableDto } from './to-dto.js';

export const MAX_TABLES = 200;

/** Use cases of tables. */
@Injectable()
export class TablesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly saga: SchemaSaga,
    private readonly catalog: TableCatalog,
    private readonly retention: Retention,
    private readonly people: DefaultPeople,
  ) {}

  async list(access: Access, baseId: Id, { trashed, ...page }: TrashPageQuery): Promise<Page<TableDto>> {
    const { manager } = this.dataSource;
    const base = await readBase(manager, baseId);
    const deletedAt = trashed === 'true' ? this.retention.restorable() : IsNull();
    const tables = await findInOrder(manager, TableEntity, { baseId, deletedAt }, page);
    const columns = await manager.find(ColumnEntity, {
      where: { tableId: In(tables.map(({ id }) => id)), deletedAt: IsNull() },
      order: { position: 'ASC', id: 'ASC' },
    });
    const seen = await this.catalog.seenOf(baseId);
    return positionPage(
      tables.map((table) =>
        toTableDto(
          table,
          seen.columnsOf(
            table.id,
            access,
            columns.filter(({ tableId }) => tableId === table.id),
          ),
          base.schemaName,
          this.retention.inTrash(table.deletedAt),
        ),
      ),
      page.limit,
    );
  }

  async get(access: Access, tableId: Id): Promise<TableDto> {
    const { table, columns, schema, seen } = await this.catalog.fresh(tableId);
    return toTableDto(table, seen.columnsOf(tableId, access, columns), schema);
  }

  /** `id`: where it is known before. @throws Problem `name_taken`, `validation_failed`, `limit_reached` */
  async create(access: Access, baseId: Id, input: CreateTableDto, id = newId()): Promise<TableDto> {
    await this.people.judge(access, input.columns ?? [], (i) => `/columns/${i}`);
    return this.saga.run({
      kind: 'table.create',
      baseId,
      workspaceId: access.workspaceId,
      actor: actorOf(access),
      plan: async (manager) => {
        const base = await readBase(manager, baseId);
        const structures = await readStructures(manager, base);
        const siblings = structures.map(({ table }) => table);
        mustHaveRoom(siblings);
        const nameFolded = foldName(input.name);
        if (siblings.some((sibling) => sibling.nameFolded === nameFolded)) throw nameTaken('/name', input.name);
        const key = deriveKey(input.name, new Set(siblings.map((sibling) => sibling.key)));
        const at = new Date();
        const table: TableEntity = {
          id,
          baseId,
          workspaceId: access.workspaceId,
          key,
          name: input.name,
          nameFolded,
          description: input.description ?? null,
          color: null,
          icon: null,
          position: positionAfter(siblings),
          ...appearanceOf(input),
          physicalName: key,
          schemaVersion: 1,
          createdAt: at,
          updatedAt: at,
          deletedAt: null,
        };
        const draft = new BaseDraft(base, structures);
        draft.addTable(table);
        draft.addColumns(table.id, input.columns ?? [], (i) => `/columns/${i}`);
        const { columns } = draft.table(table.id);
        const { statements, ...drafted } = draft.finish(contextOf(access), [
          audit(table, 'table.created', undefined, view(table, columns)),
        ]);
        return {
          ...drafted,
          statements: [...createTable({ ...draft.schemaOf(table.id), name: table.name }, newId()), ...statements],
          result: toTableDto(table, columns, base.schemaName),
        };
      },
    });
  }

  /** @throws Problem `name_taken` */
  async update(access: Access, tableId: Id, input: UpdateTableDto): Promise<TableDto> {
    return this.saga.run({
      ...(await this.task(access, tableId, 'table.update')),
      plan: async (manager) => {
        const structure = await readStructure(manager, tableId);
        const { base, columns } = structure;
        const next = nextVersion(structure, access, { table: input });
        const table: TableEntity = {
          ...next.table,
          ...(input.name === undefined ? {} : { name: input.name, nameFolded: foldName(input.name) }),
          ...(input.description === undefined ? {} : { description: input.description }),
          ...appearanceOf(input),
        };
        await this.mustBeFree(manager, table);
        const renamed = table.name === structure.table.name ? [] : [commentTable(structure.schema, table.name)];
        return {
          schema: base.schemaName,
          statements: [...renamed, next.statement],
          patch: {
            tables: [table],
            audit: [audit(table, 'table.updated', view(structure.table), view(table))],
            events: [tableChanged(table)],
          },
          result: toTableDto(table, columns, base.schemaName),
        };
      },
    });
  }

  /**
   * Into the trash: the table steps aside under another name, so that its own is free again; its rows and its log stay. Its links
   * go with it, at both ends.
   */
  async remove(access: Access, tableId: Id): Promise<void> {
    const { baseId, ...task } = await this.task(access, tableId, 'table.delete');
    await this.saga.run({
      ...task,
      baseId,
      plan: async (manager) => {
        const draft = await BaseDraft.read(manager, baseId);
        const { table: before, columns } = draft.table(tableId);
        draft.removeColumns(
          columns.filter(({ type }) => type === 'link'),
          tableId,
        );
        const table: TableEntity = {
          ...before,
          deletedAt: new Date(),
          physicalName: `_old_${before.key.slice(0, 48)}_${randomSuffix()}`,
        };
        draft.changeTable(
          table,
          { deleted: true },
          (schema) => [renameTable(schema, table.physicalName)],
          audit(table, 'table.deleted', view(before, columns)),
        );
        return { ...draft.finish(contextOf(access)), result: undefined };
      },
    });
  }

  /**
   * Out of the trash, with the links that went with it and have a table at the other end. If the key was given to another table
   * meanwhile, it comes back under a new one.
   * @throws Problem `name_taken` another table has its name now; `limit_reached`
   */
  async restore(access: Access, tableId: Id): Promise<TableDto> {
    // Whether it is in the trash is asked where it cannot change any more; a repetition finds it out of it.
    const found = await this.dataSource.manager.findOneBy(TableEntity, { id: tableId });
    if (!found) throw notFound('table');
    return this.saga.run({
      kind: 'table.restore',
      baseId: found.baseId,
      workspaceId: access.workspaceId,
      actor: actorOf(access),
      plan: async (manager) => {
        const before = await manager.findOneBy(TableEntity, { id: tableId });
        if (!before || !this.retention.isRestorable(before.deletedAt)) throw notFound('table');
        const draft = await BaseDraft.read(manager, before.baseId, [before]);
        const siblings = await manager.findBy(TableEntity, { baseId: before.baseId, deletedAt: IsNull() });
        mustHaveRoom(siblings);
        const key = siblings.some((sibling) => sibling.key === before.key)
          ? deriveKey(before.name, new Set(siblings.map((sibling) => sibling.key)))
          : before.key;
        const table: TableEntity = { ...before, key, physicalName: key, deletedAt: null };
        await this.mustBeFree(manager, table);
        const links = await manager.find(ColumnEntity, {
          where: { deletedWith: tableId, deletedAt: Not(IsNull()) },
          order: { position: 'ASC', id: 'ASC' },
        });
        const { set, retired } = planRestoreAll(draft, links);
        draft.restoreColumns(set, retired);
        const { columns } = draft.table(tableId);
        draft.changeTable(
          table,
          { restored: true },
          (schema) => [renameTable(schema, table.physicalName)],
          audit(table, 'table.restored', undefined, view(table, columns)),
        );
        const drafted = draft.finish(contextOf(access));
        const [restored] = drafted.patch.tables?.filter(({ id }) => id === tableId) ?? [];
        return { ...drafted, result: toTableDto(restored ?? table, columns, draft.schemaName) };
      },
    });
  }

  private async mustBeFree(manager: DataSource['manager'], table: TableEntity): Promise<void> {
    const taken = await manager.existsBy(TableEntity, {
      baseId: table.baseId,
      nameFolded: table.nameFolded,
      deletedAt: IsNull(),
      id: Not(table.id),
    });
    if (taken) throw nameTaken('/name', table.name);
  }

  private async task(access: Access, tableId: Id, kind: string) {
    const { baseId } = await this.catalog.find(tableId);
    return { kind, baseId, workspaceId: access.workspaceId, actor: actorOf(access) };
  }
}

function mustHaveRoom(siblings: readonly TableEntity[]): void {
  if (siblings.length < MAX_TABLES) return;
  throw new Problem('limit_reached', { detail: `A base has at most ${MAX_TABLES} tables.` });
}

const view = (
  { name, key, description, color, icon, position }: TableEntity,
  columns?: readonly ColumnEntity[],
): object => ({
  name,
  key,
  description,
  color,
  icon,
  position,
  ...(columns
    ? { columns: columns.map((column) => ({ id: column.id, key: column.key, name: column.name, type: column.type })) }
    : {}),
});

const audit = (table: TableEntity, action: string, before?: object, after?: object): AuditEntry => ({
  workspaceId: table.workspaceId,
  action,
  resource: { type: 'table', id: table.id, name: table.name },
  ...(before ? { before } : {}),
  ...(after ? { after } : {}),
});
