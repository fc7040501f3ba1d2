import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { isId, must, Problem, type Access, type Id } from '../../../common/index.js';
import { actorOf } from '../../../database/main/index.js';
import type { TableSchema } from '../../../query/index.js';
import { AccessService } from '../../workspaces/index.js';
import { tableChanged } from '../tables/table-changed.js';
import { SchemaSaga } from '../schema/schema-saga.js';
import { contextOf, nextVersionBy, readStructures, readBase } from '../schema/structure.js';
import { TableCatalog } from '../table-catalog.js';
import { judgeRules, problemsOf } from './judge-rules.js';
import type { PutRulesDto, RulesDto } from './rules.dto.js';
import { leadingTo } from './seen-tables.js';
import { TableRulesEntity } from './table-rules.entity.js';
import { liveColumns, type LiveColumns, type Rule, type StoredRule } from './rule.js';

/** Use cases of the rules of tables. */
@Injectable()
export class RulesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly catalog: TableCatalog,
    private readonly saga: SchemaSaga,
    private readonly members: AccessService,
  ) {}

  /** @throws Problem `not_found` */
  async get(tableId: Id): Promise<RulesDto> {
    const { tableSchema, seen } = await this.catalog.fresh(tableId);
    const stored = await this.dataSource.manager.findOneBy(TableRulesEntity, { tableId });
    return toRulesDto(stored, tableSchema, seen.live);
  }

  /**
   * Puts these rules in the place of those that were. They are part of the structure: statements that were made under the old ones are refused by
   * the mini-DB itself, on every node. The tables that lead here move on, too, since they show what is behind their links.
   * @throws Problem `validation_failed`, `filter_invalid`; `version_mismatch` somebody else changed them; `schema_busy`
   */
  put(access: Access, tableId: Id, input: PutRulesDto, expectedVersion: number | undefined): Promise<RulesDto> {
    const rules = input.rules.map(toRule);
    return this.change(access, tableId, expectedVersion, async (schema, before, live) =>
      judgeRules(rules, schema, access, await this.strangers(access, rules, before), before, live),
    );
  }

  /**
   * Puts rules back as the audit log tells that they were, with what their keys meant then: what is gone since stays closed, and what came since under the same
   * key is none of theirs.
   * @throws Problem `not_revertible` the log does not hold that; `schema_busy`
   */
  putBack(access: Access, tableId: Id, told: unknown): Promise<RulesDto> {
    const rules = told as readonly StoredRule[];
    if (!Array.isArray(told) || !rules.every((rule) => 'columnIds' in rule && 'reads' in rule))
      throw new Problem('not_revertible', {
        detail: 'The log does not hold what the columns of these rules were: put the rules again.',
      });
    return this.change(access, tableId, undefined, () => Promise.resolve(rules));
  }

  private async change(
    access: Access,
    tableId: Id,
    expectedVersion: number | undefined,
    judge: (schema: TableSchema, before: readonly StoredRule[], live: LiveColumns) => Promise<readonly StoredRule[]>,
  ): Promise<RulesDto> {
    const { baseId } = await this.catalog.find(tableId);
    return this.saga.run({
      kind: 'table.rules',
      baseId,
      workspaceId: access.workspaceId,
      actor: actorOf(access),
      plan: async (manager) => {
        const structures = await readStructures(manager, await readBase(manager, baseId));
        const own = must(
          structures.find(({ table }) => table.id === tableId),
          'a table that was found is in its base',
        );
        const before = await manager.findOneBy(TableRulesEntity, { tableId });
        if (expectedVersion !== undefined && expectedVersion !== (before?.version ?? 0)) throw stale(before);
        const live = liveColumns(structures);
        const stored = await judge(own.schema, before?.rules ?? [], live);
        const entity: TableRulesEntity = {
          tableId,
          baseId,
          workspaceId: access.workspaceId,
          version: (before?.version ?? 0) + 1,
          rules: stored,
          updatedAt: new Date(),
          updatedBy: access.principal.userId,
        };
        const concerned = leadingTo(new Set([tableId]), structures);
        const moved = structures.filter(({ table }) => concerned.has(table.id));
        const next = moved.map((each) => nextVersionBy(each, contextOf(access), { 'rules.changed': {} }));
        return {
          schema: own.base.schemaName,
          statements: next.map(({ statement }) => statement),
          patch: {
            tables: next.map(({ table }) => table),
            rules: [entity],
            audit: [
              {
                workspaceId: access.workspaceId,
                action: 'table.rules_changed',
                resource: { type: 'table', id: tableId, name: own.table.name },
                // With what their keys mean, so that they can be put back.
                before: { rules: before?.rules ?? [] },
                after: { rules: stored },
              },
            ],
            events: next.map(({ table }) => tableChanged(table)),
          },
          result: toRulesDto(entity, own.schema, live),
        };
      },
    });
  }

  /** People whom rules speak of, and who are no members. Those of whom the rules spoke already may have left meanwhile. */
  private async strangers(
    { workspaceId }: Access,
    rules: readonly Rule[],
    before: readonly Rule[],
  ): Promise<ReadonlySet<Id>> {
    const known = new Set(peopleIn(before));
    const asked = peopleIn(rules).filter((id) => isId(id) && !known.has(id));
    if (asked.length === 0) return new Set();
    const members = await this.members.membersAmong(workspaceId, asked);
    return new Set(asked.filter((id) => !members.has(id)));
  }
}

const peopleIn = (rules: readonly Rule[]): readonly Id[] =>
  rules.flatMap(({ appliesTo: { memberIds = [] } }) => memberIds);

function stale(now: TableRulesEntity | null): Problem {
  return new Problem('version_mismatch', {
    detail: `The rules have version ${now?.version ?? 0} now.`,
    headers: { etag: `"${now?.version ?? 0}"` },
  });
}

const toRule = ({
  name,
  appliesTo = {},
  read = {},
  update = {},
  create = {},
  delete: deletion = {},
  columns = {},
}: PutRulesDto['rules'][number]): Rule => ({
  name,
  appliesTo: { ...appliesTo },
  read: { ...read },
  update: { ...update },
  create: { allow: create.allow ?? true, ...(create.check === undefined ? {} : { check: create.check }) },
  delete: { ...deletion },
  columns: { hidden: columns.hidden ?? [], readOnly: columns.readOnly ?? [] },
});

/** Without what is for ourselves. */
const toRuleDto = ({ columnIds: _, reads: __, types: ___, ...rule }: StoredRule): RulesDto['rules'][number] => ({
  ...rule,
  appliesTo: {
    ...(rule.appliesTo.roles ? { roles: [...rule.appliesTo.roles] } : {}),
    ...(rule.appliesTo.memberIds ? { memberIds: [...rule.appliesTo.memberIds] } : {}),
  },
  columns: { hidden: [...rule.columns.hidden], readOnly: [...rule.columns.readOnly] },
});

const toRulesDto = (stored: TableRulesEntity | null, table: TableSchema, live: LiveColumns): RulesDto => ({
  version: stored?.version ?? 0,
  rules: (stored?.rules ?? []).map(toRuleDto),
  problems: problemsOf(stored?.rules ?? [], table, live),
});
