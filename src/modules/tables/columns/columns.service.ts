import { Injectable } from '@nestjs/common';
import { foldName, invalid, must, notFound, Problem, type Access, type Id, type Page } from '../../../common/index.js';
import { actorOf, type AuditEntry } from '../../../database/main/index.js';
import { pgError } from '../../../engines/index.js';
import { columnType, commentColumn, retireColumn, type ColumnOptions } from '../../../query/index.js';
import { BaseDraft } from '../schema/base-draft.js';
import { SchemaSaga, type SchemaChange } from '../schema/schema-saga.js';
import { nextVersion, randomSuffix, readStructure, type Structure } from '../schema/structure.js';
import { TableCatalog } from '../table-catalog.js';
import { tableChanged } from '../tables/table-changed.js';
import { toColumnSchema } from '../tables/table-schema.js';
import { MAX_COLUMNS } from '../tables/table.dto.js';
import { toColumnDto } from '../tables/to-dto.js';
import type { ColumnDto, CreateColumnDto, UpdateColumnDto } from './column.dto.js';
import type { ColumnEntity } from './column.entity.js';
import { nameTaken } from './make-columns.js';

/** Use cases of columns. Each is a schema change of its table. */
@Injectable()
export class ColumnsService {
  constructor(
    private readonly saga: SchemaSaga,
    private readonly catalog: TableCatalog,
  ) {}

  async list(tableId: Id): Promise<Page<ColumnDto>> {
    const { columns } = await this.catalog.fresh(tableId);
    return { data: columns.map(toColumnDto), page: { limit: MAX_COLUMNS } };
  }

  /**
   * A link adds the column that shows it from the other table as well.
   * @throws Problem `name_taken`, `validation_failed`, `limit_reached`, `unique_violation`, `not_found`
   */
  async create(access: Access, tableId: Id, input: CreateColumnDto): Promise<ColumnDto> {
    const { baseId } = await this.catalog.find(tableId);
    const created = this.saga.run({
      kind: 'column.create',
      baseId,
      workspaceId: access.workspaceId,
      actor: actorOf(access),
      plan: async (manager): Promise<SchemaChange<ColumnDto>> => {
        const draft = await BaseDraft.read(manager, baseId);
        const position = draft.table(tableId).columns.length;
        const column = must(draft.addColumns(tableId, [input], () => '')[0], 'one column was asked for');
        return { ...draft.finish(access), result: toColumnDto(column, position) };
      },
    });
    return created.catch((error: unknown) => {
      throw refusedByRows(error);
    });
  }

  /** @throws Problem `name_taken`, `validation_failed` */
  update(access: Access, tableId: Id, columnId: Id, input: UpdateColumnDto): Promise<ColumnDto> {
    return this.change(access, tableId, 'column.update', ({ columns, schema }) => {
      const before = find(columns, columnId);
      const column: ColumnEntity = {
        ...before,
        ...(input.name === undefined ? {} : { name: input.name, nameFolded: foldName(input.name) }),
        ...(input.options === undefined ? {} : { options: nextOptions(before, input.options) }),
      };
      if (columns.some(({ id, nameFolded }) => id !== columnId && nameFolded === column.nameFolded))
        throw nameTaken('/name', column.name);
      return {
        statements: [commentColumn(schema, toColumnSchema(column))],
        column,
        position: columns.indexOf(before),
        action: 'column.updated',
        before: view(before),
        after: view(column),
      };
    });
  }

  /** Hidden at once under another physical name, values kept until it is purged. */
  async remove(access: Access, tableId: Id, columnId: Id): Promise<void> {
    await this.change(access, tableId, 'column.delete', ({ columns, schema }) => {
      const before = find(columns, columnId);
      const column = {
        ...before,
        deletedAt: new Date(),
        physicalName: `_old_${before.key.slice(0, 48)}_${randomSuffix()}`,
      };
      return {
        statements: retireColumn(schema, toColumnSchema(before), column.physicalName),
        column,
        position: columns.indexOf(before),
        action: 'column.deleted',
        before: view(before),
      };
    });
  }

  private async change(
    access: Access,
    tableId: Id,
    kind: string,
    decide: (structure: Structure) => ColumnChange,
  ): Promise<ColumnDto> {
    const { baseId } = await this.catalog.find(tableId);
    return this.saga.run({
      kind,
      baseId,
      workspaceId: access.workspaceId,
      actor: actorOf(access),
      plan: async (manager): Promise<SchemaChange<ColumnDto>> => {
        const structure = await readStructure(manager, tableId);
        const { column, statements, position, ...change } = decide(structure);
        // With the default, since rows that are there get it: whoever follows the log needs nothing else to know them.
        const { id, key, name, type, default: initial } = column;
        const next = nextVersion(structure, access, { [change.action]: { id, key, name, type, default: initial } });
        return {
          schema: structure.base.schemaName,
          statements: [...statements, next.statement],
          patch: {
            tables: [next.table],
            columns: [column],
            audit: [audit(access, column, change)],
            events: [tableChanged(next.table)],
          },
          result: toColumnDto(column, position),
        };
      },
    });
  }
}

interface ColumnChange {
  readonly statements: SchemaChange<unknown>['statements'];
  readonly column: ColumnEntity;
  readonly position: number;
  readonly action: string;
  readonly before?: object;
  readonly after?: object;
}

/** What the rows and columns that are there had against a new column, as PostgreSQL found while it was added. */
function refusedByRows(error: unknown): unknown {
  switch (pgError(error)?.code) {
    case '23505': {
      const detail = 'The default would give several rows the same value of a unique column.';
      return new Problem('unique_violation', {
        detail,
        errors: [{ pointer: '/default', code: 'unique_violation', detail }],
        cause: error,
      });
    }
    case '54011':
      return new Problem('limit_reached', {
        detail: 'PostgreSQL has no room for another column in this table, deleted ones included.',
        cause: error,
      });
    default:
      return error;
  }
}

function find(columns: readonly ColumnEntity[], columnId: Id): ColumnEntity {
  const column = columns.find(({ id }) => id === columnId);
  if (!column) throw notFound('column');
  return column;
}

/** Options that only look different (labels, colors, order, further choices); what would change or refuse values that are there is not taken here. */
function nextOptions(column: ColumnEntity, input: Record<string, unknown>): ColumnOptions {
  const refuse = (code: string, detail: string): Problem => invalid([{ pointer: '/options', code, detail }]);
  const parsed = columnType(column.type).parseOptions(input);
  if (!parsed.ok) throw refuse(parsed.code, parsed.detail);
  const next = parsed.value;
  if (next.scale !== column.options.scale)
    throw refuse('option_fixed', 'The scale of a decimal cannot be changed here.');
  if (next.maxLength !== undefined && next.maxLength < (column.options.maxLength ?? Infinity))
    throw refuse('option_fixed', 'maxLength can only be raised here.');
  const missing = column.options.choices?.find(({ key }) => !next.choices?.some((choice) => choice.key === key));
  if (missing)
    throw refuse(
      'choice_missing',
      `Choice ${missing.key} is missing; give every choice with its key, rows may hold it.`,
    );
  return next;
}

const view = ({ key, name, type, required, unique, options }: ColumnEntity): object => ({
  key,
  name,
  type,
  required,
  unique,
  options,
});

const audit = (
  access: Access,
  column: ColumnEntity,
  change: Pick<ColumnChange, 'action' | 'before' | 'after'>,
): AuditEntry => ({
  workspaceId: access.workspaceId,
  action: change.action,
  resource: { type: 'column', id: column.id, name: column.name },
  ...(change.before ? { before: change.before } : {}),
  ...(change.after ? { after: change.after } : {}),
});
