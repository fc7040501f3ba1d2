import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { deriveKey, foldName, newId, Problem, type Access, type Id } from '../../../common/index.js';
import { actorOf } from '../../../database/main/index.js';
import { MiniDbSchema } from '../../../engines/index.js';
import type { BaseDto } from '../bases/base.dto.js';
import { newBase, placed, tellingNameTaken } from '../bases/new-base.js';
import { nameTaken } from '../columns/make-columns.js';
import { TableRulesEntity } from '../rules/table-rules.entity.js';
import { BaseDraft } from '../schema/base-draft.js';
import { SchemaSaga } from '../schema/schema-saga.js';
import { readBase, readStructure, readStructures, type Structure } from '../schema/structure.js';
import { TableCatalog } from '../table-catalog.js';
import { MAX_TABLES } from '../tables/tables.service.js';
import type { TableDto } from '../tables/table.dto.js';
import { toBaseDto } from '../tables/to-dto.js';
import { ViewsOfBases } from '../views-of-bases.js';
import { BaseCopy } from './base-copy.js';
import type { DuplicateDto } from './duplicate.dto.js';
import { duplicateBase } from './duplicate-base.js';
import { duplicateTable } from './duplicate-table.js';

/** Rows that one duplicate may copy. */
const MAX_ROWS = 1_000_000;

/**
 * Copies of bases and tables. They are made while the structure of the original stands still, by one transaction of the
 * mini-DB: a copy is there as a whole or not at all, with its rows as they were at one moment.
 */
@Injectable()
export class DuplicateService {
  constructor(
    private readonly saga: SchemaSaga,
    private readonly mini: MiniDbSchema,
    private readonly catalog: TableCatalog,
    private readonly copies: BaseCopy,
    private readonly views: ViewsOfBases,
  ) {}

  /** @throws Problem `name_taken`, `limit_reached`, `schema_busy` */
  async base(access: Access, baseId: Id, { name, withRows = false }: DuplicateDto): Promise<BaseDto> {
    const copy = await tellingNameTaken(name, () =>
      this.saga.run({
        kind: 'base.duplicate',
        // The operation is one of the original, which must not change its structure meanwhile.
        baseId,
        workspaceId: access.workspaceId,
        actor: actorOf(access),
        plan: async (manager) => {
          const from = await readBase(manager, baseId);
          const to = await placed(manager, newBase(from.workspaceId, name, from.description));
          const originals = await readStructures(manager, from);
          if (withRows) await this.judgeSize(originals);
          const rules = await rulesOf(manager, baseId);
          const { change, wiring } = duplicateBase(access, originals, rules, { from, to, withRows });
          return {
            ...change,
            patch: { ...change.patch, views: await this.views.keeper.copies(manager, access, wiring, name) },
            result: { base: toBaseDto(to), fromSchema: from.schemaName },
          };
        },
      }),
    );
    if (withRows) await this.copies.run({ fromSchema: copy.fromSchema, toSchema: copy.base.physical.schema });
    return copy.base;
  }

  /** @throws Problem `name_taken`, `limit_reached`, `schema_busy` */
  async table(access: Access, tableId: Id, { name, withRows = false }: DuplicateDto): Promise<TableDto> {
    const { baseId } = await this.catalog.find(tableId);
    return this.saga.run({
      kind: 'table.duplicate',
      baseId,
      workspaceId: access.workspaceId,
      actor: actorOf(access),
      plan: async (manager) => {
        const original = await readStructure(manager, tableId);
        const structures = await readStructures(manager, original.base);
        const table = copyOf(original, structures, name);
        if (withRows) await this.judgeSize([original]);
        const draft = new BaseDraft(original.base, structures);
        const rules = (await rulesOf(manager, baseId)).get(tableId);
        const { change, wiring } = duplicateTable(
          access,
          draft,
          original.base,
          { ...original, ...(rules ? { rules } : {}) },
          { table, withRows },
        );
        const views = await this.views.keeper.copies(manager, access, wiring, name);
        return { ...change, patch: { ...change.patch, views } };
      },
    });
  }

  private async judgeSize(originals: readonly Structure[]): Promise<void> {
    const schemas = originals.map(({ schema }) => schema);
    if ((await this.mini.countRows(schemas, MAX_ROWS)) > MAX_ROWS)
      throw new Problem('limit_reached', { detail: `At most ${MAX_ROWS} rows are copied at once.` });
  }
}

/** The rules of the tables of a base, by table. */
async function rulesOf(manager: EntityManager, baseId: Id): Promise<ReadonlyMap<Id, TableRulesEntity>> {
  return new Map((await manager.findBy(TableRulesEntity, { baseId })).map((rules) => [rules.tableId, rules]));
}

function copyOf({ table }: Structure, structures: readonly Structure[], name: string): Structure['table'] {
  const siblings = structures.map((structure) => structure.table);
  if (siblings.length >= MAX_TABLES)
    throw new Problem('limit_reached', { detail: `A base has at most ${MAX_TABLES} tables.` });
  const nameFolded = foldName(name);
  if (siblings.some((sibling) => sibling.nameFolded === nameFolded)) throw nameTaken('/name', name);
  const key = deriveKey(name, new Set(siblings.map((sibling) => sibling.key)));
  const at = new Date();
  return {
    ...table,
    id: newId(),
    key,
    name,
    nameFolded,
    physicalName: key,
    schemaVersion: 1,
    createdAt: at,
    updatedAt: at,
  };
}
