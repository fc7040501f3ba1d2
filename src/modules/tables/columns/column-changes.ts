import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Access, Id } from '../../../common/index.js';
import { actorOf, type AuditEntry } from '../../../database/main/index.js';
import type { Sql } from '../../../query/index.js';
import { BaseDraft } from '../schema/base-draft.js';
import { SchemaSaga, type SchemaChange } from '../schema/schema-saga.js';
import { contextOf, nextVersion, readStructure, type Structure } from '../schema/structure.js';
import { TableCatalog } from '../table-catalog.js';
import { tableChanged } from '../tables/table-changed.js';
import { toColumnDto } from '../tables/to-dto.js';
import type { ColumnDto } from './column.dto.js';
import type { ColumnChange } from './change-column.js';
import { toldDefault } from './told-default.js';

/** Reads and decides; throws a Problem to refuse. */
export type DecideColumn = (structure: Structure, manager: EntityManager) => ColumnChange | Promise<ColumnChange>;

/** The draft as it was made, what rows must be like for it, and the answer. */
interface Decided<T> extends Pick<SchemaChange<T>, 'conditions' | 'result'> {
  readonly draft: BaseDraft;
  /** After those of the draft. */
  readonly last?: readonly Sql[];
}
export type DecideOnDraft<T> = (draft: BaseDraft, manager: EntityManager) => Decided<T> | Promise<Decided<T>>;

/** Makes changes of a single column, each a structure change of its table. */
@Injectable()
export class ColumnChanges {
  constructor(
    private readonly saga: SchemaSaga,
    private readonly catalog: TableCatalog,
  ) {}

  /**
   * A change that is made on a draft of the base, because it may concern more than the one table.
   * @throws Problem `not_found`, `schema_busy`, `rows_in_the_way`; whatever `decide` throws
   */
  async draft<T>(access: Access, tableId: Id, kind: string, decide: DecideOnDraft<T>): Promise<T> {
    const { baseId } = await this.catalog.find(tableId);
    return this.saga.run({
      kind,
      baseId,
      workspaceId: access.workspaceId,
      actor: actorOf(access),
      plan: async (manager): Promise<SchemaChange<T>> => {
        const { draft, conditions, result, last = [] } = await decide(await BaseDraft.read(manager, baseId), manager);
        const { statements, ...drafted } = draft.finish(contextOf(access));
        return { ...drafted, statements: [...statements, ...last], ...(conditions ? { conditions } : {}), result };
      },
    });
  }

  /** @throws Problem `not_found`, `schema_busy`, `rows_in_the_way`; whatever `decide` throws */
  async run(access: Access, tableId: Id, kind: string, decide: DecideColumn): Promise<ColumnDto> {
    const { baseId } = await this.catalog.find(tableId);
    return this.saga.run({
      kind,
      baseId,
      workspaceId: access.workspaceId,
      actor: actorOf(access),
      plan: async (manager): Promise<SchemaChange<ColumnDto>> => {
        const structure = await readStructure(manager, tableId);
        const { column, moved = [], statements, conditions, position, ...change } = await decide(structure, manager);
        // With the default, since rows that are there get it: whoever follows the log needs nothing else to know them.
        const { id, key, name, type } = column;
        const told = { id, key, name, type, default: toldDefault(column), ...formerName(change.before, name) };
        const next = nextVersion(structure, access, { [change.action]: told });
        return {
          schema: structure.base.schemaName,
          statements: [...statements, next.statement],
          ...(conditions ? { conditions } : {}),
          patch: {
            tables: [next.table],
            columns: [column, ...moved],
            audit: [audit(access, column, change)],
            events: [tableChanged(next.table)],
          },
          result: toColumnDto(column, position),
        };
      },
    });
  }
}

/** What it was called before, for whoever tells what it was called at another time. */
const formerName = (before: object | undefined, name: string): { readonly formerName?: string } =>
  before && 'name' in before && typeof before.name === 'string' && before.name !== name
    ? { formerName: before.name }
    : {};

const audit = (
  access: Access,
  column: ColumnChange['column'],
  change: Pick<ColumnChange, 'action' | 'before' | 'after'>,
): AuditEntry => ({
  workspaceId: access.workspaceId,
  action: change.action,
  resource: { type: 'column', id: column.id, name: column.name },
  ...(change.before ? { before: change.before } : {}),
  ...(change.after ? { after: change.after } : {}),
});
