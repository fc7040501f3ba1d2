import type { EntityManager } from 'typeorm';
import { invalid, must, type Id } from '../../../common/index.js';
import type { AuditEntry } from '../../../database/main/index.js';
import {
  addColumn,
  createLinkTable,
  dropDeadPairs,
  isStored,
  retireColumn,
  reviveColumn,
  type ColumnSchema,
  type Sql,
  type TableSchema,
  type WriteContext,
} from '../../../query/index.js';
import type { BaseEntity } from '../bases/base.entity.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { withDependents } from '../columns/dependents.js';
import { formulasLast } from '../columns/formula-columns.js';
import { makeColumns, type NewColumn } from '../columns/make-columns.js';
import { makeInverse } from '../columns/make-inverse.js';
import { judgeRollup, resolveReferences } from '../columns/resolve-references.js';
import { viewColumn } from '../columns/view-column.js';
import { tableChanged } from '../tables/table-changed.js';
import type { RulesChange } from '../rules/kept-rules.js';
import type { TableRulesEntity } from '../rules/table-rules.entity.js';
import type { TableEntity } from '../tables/table.entity.js';
import { DraftRecord } from './draft-record.js';
import { DraftTables, type DraftTable } from './draft-tables.js';
import { cannotBeComputed, leadTooDeep, mustBeRunnable, needTheLink } from './judge-draft.js';
import type { MetadataPatch } from './schema-op.entity.js';
import { nextVersionBy, randomSuffix, readBase, readStructures, type Structure } from './structure.js';

/** Statements and metadata of a structure change that a draft comes to. */
export interface Drafted {
  readonly schema: string;
  readonly statements: readonly Sql[];
  readonly patch: MetadataPatch;
}

/**
 * A base as it will be. A structure change that concerns several columns or tables (a link shows in two) is made step by step
 * on a draft, and comes out as one list of statements and one patch of the metadata.
 */
export class BaseDraft {
  private readonly tables: DraftTables;
  private readonly record: DraftRecord;
  private readonly at = new Date();
  private readonly rules: TableRulesEntity[] = [];
  /** In this order: what a statement needs is there when it runs. */
  private readonly steps: Record<'columns' | 'links' | 'tables', (() => Sql[])[]> = {
    columns: [],
    links: [],
    tables: [],
  };
  /** Judged at the end, all at once: what each rolls up is known from the whole base only. */
  private readonly rollups: { readonly column: ColumnEntity; readonly at: string }[] = [];

  constructor(
    private readonly base: BaseEntity,
    structures: readonly Structure[],
  ) {
    this.tables = new DraftTables(base.schemaName, structures);
    this.record = new DraftRecord(base.workspaceId);
  }

  /** @throws Problem `not_found` */
  static async read(manager: EntityManager, baseId: Id, trashed: readonly TableEntity[] = []): Promise<BaseDraft> {
    const base = await readBase(manager, baseId);
    return new BaseDraft(base, await readStructures(manager, base, trashed));
  }

  get schemaName(): string {
    return this.base.schemaName;
  }

  has(tableId: Id): boolean {
    return this.tables.find(tableId) !== undefined;
  }

  /** All columns that are there. */
  get columns(): readonly ColumnEntity[] {
    return this.tables.columns;
  }

  /** @throws Problem `not_found` */
  table(tableId: Id): DraftTable {
    return this.tables.get(tableId);
  }

  /** The table as it will be, for statements; its version is that of now. */
  schemaOf(tableId: Id): TableSchema {
    return this.tables.schemaOf(tableId);
  }

  columnSchema(column: ColumnEntity): ColumnSchema {
    return this.tables.columnSchema(column);
  }

  /** A table that is made elsewhere in the same change, before the columns and links of this draft. */
  addTable(table: TableEntity): void {
    this.tables.place(table.id, { table, columns: [] });
  }

  /**
   * Adds columns in order; each may lead to those before it, and a formula to any. A link adds the column that shows it from the other table.
   * @returns the columns that were asked for
   * @throws Problem `validation_failed`, `name_taken`, `limit_reached`, `not_found` (a link to a table of another base)
   */
  addColumns(tableId: Id, inputs: readonly NewColumn[], at: (index: number) => string): ColumnEntity[] {
    const there = this.table(tableId).columns;
    const made = makeColumns(inputs, tableId, there, at);
    const added = new Map<ColumnEntity, ColumnEntity>();
    for (const column of formulasLast(made, there, at)) {
      const i = made.indexOf(column);
      const input = must(inputs[i], 'each column was asked for');
      added.set(
        column,
        column.type === 'link' ? this.addLink(column, made.slice(i + 1), input, at(i)) : this.addOne(column, at(i)),
      );
    }
    const { columns } = this.table(tableId);
    this.tables.order(
      tableId,
      [...columns].sort((a, b) => a.position - b.position),
    );
    return made.map((column) => must(added.get(column), 'each column was added'));
  }

  private addOne(column: ColumnEntity, at: string): ColumnEntity {
    const resolved = resolveReferences(column, this, at);
    this.put(resolved);
    this.judge(resolved, at);
    if (!this.tables.isNew(column.tableId)) this.steps.columns.push(() => this.alter(column.tableId, resolved));
    return resolved;
  }

  /**
   * Lets a lookup, rollup, count or formula lead elsewhere, for others to judge what follows; it is written by those.
   * @throws Problem `formula_invalid`, `validation_failed`, also where a rollup or a formula elsewhere could not be computed any more
   */
  leadElsewhere(column: ColumnEntity): void {
    this.tables.show(resolveReferences(column, this, ''));
    this.judgeDependents('/options');
  }

  /**
   * Hides columns, and with them what cannot be without them.
   * @param cause what they went with, if they were not asked for themselves
   */
  removeColumns(columns: readonly ColumnEntity[], cause: Id | null): void {
    const asked = new Set(columns.map(({ id }) => id));
    const [first] = columns;
    const hidden: ColumnEntity[] = [];
    for (const column of withDependents(columns, this.columns)) {
      const retired: ColumnEntity = {
        ...column,
        position: this.table(column.tableId).columns.indexOf(column),
        deletedAt: this.at,
        deletedWith: asked.has(column.id) ? cause : (cause ?? first?.id ?? null),
        physicalName: `_old_${column.key.slice(0, 48)}_${randomSuffix()}`,
      };
      const schema = this.columnSchema(column);
      const table = this.schemaOf(column.tableId);
      if (isStored(schema)) this.steps.columns.push(() => retireColumn(table, schema, retired.physicalName));
      hidden.push(retired);
      this.record.note('column.deleted', column, { before: viewColumn(column) });
    }
    this.tables.hide(hidden);
  }

  /**
   * Another column under the id and name of one that is there, which is left behind as `kept`, unless this is only tried out. Tables that show
   * it move on, too.
   * @throws Problem `validation_failed` where a column elsewhere could not be computed any more
   */
  exchangeColumn(column: ColumnEntity, kept: ColumnEntity | undefined, statements: () => readonly Sql[]): void {
    const { columns } = this.table(column.tableId);
    const before = must(
      columns.find(({ id }) => id === column.id),
      'the column is there',
    );
    this.steps.columns.push(() => [...statements()]);
    this.tables.replace(column);
    if (kept) this.tables.write(kept);
    if (before.type === 'link') this.hideInverse(before, kept);
    this.judgeDependents('/to/type');
    this.record.note('column.converted', column, { before: viewColumn(before), after: viewColumn(column) });
    const shown = withDependents([column], this.columns).filter(({ tableId }) => tableId !== column.tableId);
    for (const { id, key, tableId } of shown) this.record.tell(tableId, 'column.source_converted', { id, key });
  }

  /** Rules of a table that follow what is made of its columns. */
  changeRules({ rules, before }: RulesChange): void {
    this.rules.push(rules);
    const { id, name } = this.table(rules.tableId).table;
    this.record.audit.push({
      workspaceId: this.base.workspaceId,
      action: 'table.rules_changed',
      resource: { type: 'table', id, name },
      before: { rules: before },
      after: { rules: rules.rules },
    });
  }

  /** The other end of a link that became something else goes where that went. */
  private hideInverse(link: ColumnEntity, kept: ColumnEntity | undefined): void {
    const inverse = must(
      this.columns.find(({ id }) => id === link.options.inverseColumnId),
      'a link has another end',
    );
    const errors = needTheLink(this.tables, link, inverse);
    if (errors.length > 0) throw invalid([...errors]);
    this.removeColumns([inverse], kept?.id ?? null);
    const hidden = this.tables.changedColumns.find(({ id }) => id === inverse.id);
    if (kept && hidden) this.tables.write({ ...hidden, options: { ...hidden.options, inverseColumnId: kept.id } });
  }

  /**
   * Gives hidden columns back, as they are to be; `retired` tells what they are called in the mini-DB until then. What cannot be computed any
   * more, of what has become of its columns meanwhile, goes to the trash again, or stays there: nothing else is held up by it.
   * @throws Problem `validation_failed` where that is the column that was `wanted`
   */
  restoreColumns(columns: readonly ColumnEntity[], retired: ReadonlyMap<Id, string>, wanted?: Id): void {
    for (const column of columns) {
      const order = [...this.tables.withRoom(column.tableId)];
      order.splice(Math.max(0, column.position), 0, column);
      this.tables.order(column.tableId, order);
    }
    for (const column of columns) {
      const { columns: order } = this.table(column.tableId);
      for (const each of order) {
        const position = order.indexOf(each);
        if (each.id !== column.id && each.position === position) continue;
        this.tables.replace({ ...each, position });
      }
      const schema = this.columnSchema(column);
      const table = this.schemaOf(column.tableId);
      const name = must(retired.get(column.id), 'a hidden column has a name');
      if (isStored(schema)) this.steps.columns.push(() => reviveColumn(table, schema, name));
      if (schema.derived?.kind === 'link' && column.options.end === 'source') {
        const { link } = schema.derived;
        this.steps.links.push(() => [dropDeadPairs(table, link)]);
      }
      this.record.note('column.restored', column, { after: viewColumn(column) });
    }
    this.retireUnfit(wanted);
  }

  private retireUnfit(wanted: Id | undefined): void {
    const unfit = [...leadTooDeep(this.tables), ...cannotBeComputed(this.tables, '')];
    const inTheWay = unfit.find(({ columnId }) => columnId === wanted);
    if (inTheWay) throw invalid([inTheWay]);
    if (unfit.length === 0) {
      mustBeRunnable(this.tables, '');
      return;
    }
    const ids = new Set(unfit.map(({ columnId }) => columnId));
    this.removeColumns(
      this.columns.filter(({ id }) => ids.has(id)),
      null,
    );
    // A rollup of what a formula makes can be judged only when that is known.
    this.retireUnfit(wanted);
  }

  /** A table as it will be, told as this change; `statements` come last. */
  changeTable(
    table: TableEntity,
    change: object,
    statements: (before: TableSchema) => readonly Sql[],
    audit: AuditEntry,
  ): void {
    const entry = this.table(table.id);
    const { schema } = must(entry.before, 'the table is there');
    this.steps.tables.push(() => [...statements(schema)]);
    this.tables.place(table.id, { ...entry, table });
    for (const [what, told] of Object.entries(change)) this.record.tell(table.id, what, told);
    this.record.audit.unshift(audit);
  }

  /** `following` are columns of the same table that will be there, too; their names are theirs. */
  private addLink(
    column: ColumnEntity,
    following: readonly ColumnEntity[],
    input: NewColumn,
    at: string,
  ): ColumnEntity {
    const { table } = this.table(column.tableId);
    const target = this.table(must(column.options.tableId, 'a link has a table'));
    const there = target.table.id === table.id ? [...target.columns, column, ...following] : target.columns;
    const names = { inverseName: input.options?.inverseName, inverseKey: input.inverseKey };
    const { own, inverse } = makeInverse(column, table, { ...target, columns: there }, names, at);
    this.put(own);
    this.put(inverse);
    this.steps.links.push(() => this.link(own));
    return own;
  }

  /** Adds columns that are complete as they stand, such as copies of others. The other end of a link has to be added, too. */
  adopt(columns: readonly ColumnEntity[]): void {
    for (const column of columns) {
      this.put(column);
      if (column.options.end === 'source') this.steps.links.push(() => this.link(column));
    }
  }

  /** Puts the columns of a table that is added into this order; others follow as they come. */
  arrange(tableId: Id, ids: readonly Id[]): void {
    const places = new Map(ids.map((id, i) => [id, i]));
    const arranged = [...this.table(tableId).columns]
      .sort((a, b) => (places.get(a.id) ?? ids.length) - (places.get(b.id) ?? ids.length))
      .map((column, position) => ({ ...column, position }));
    this.tables.order(tableId, arranged);
    for (const column of arranged) this.tables.write(column);
  }

  private link({ name, tableId, options }: ColumnEntity): Sql[] {
    return createLinkTable(
      {
        through: must(options.through, 'a link has a table of pairs'),
        source: this.schemaOf(tableId),
        target: this.schemaOf(must(options.tableId, 'a link has a table')),
        single: options.multiple === false,
      },
      `${this.table(tableId).table.name}: ${name}`,
    );
  }

  private judge(column: ColumnEntity, at: string): void {
    if (column.type === 'rollup') this.rollups.push({ column, at });
    // Rows that are there would have nothing.
    if (!column.required || this.tables.isNew(column.tableId)) return;
    if (column.default !== null && column.default !== 'now' && column.default !== 'me') return;
    throw invalid([
      {
        pointer: `${at}/default`,
        code: 'default_missing',
        detail: 'A required column of a table that exists needs a default, for the rows that are there.',
      },
    ]);
  }

  private put(column: ColumnEntity): void {
    this.tables.put(column);
    if (!this.tables.isNew(column.tableId)) this.record.note('column.created', column, { after: viewColumn(column) });
  }

  /** Those that are there: what they are computed from may have become something else. */
  private judgeDependents(pointer: string): void {
    const errors = cannotBeComputed(this.tables, pointer);
    if (errors.length > 0) throw invalid([...errors]);
    mustBeRunnable(this.tables, pointer);
  }

  private alter(tableId: Id, column: ColumnEntity): Sql[] {
    const schema = this.columnSchema(column);
    return isStored(schema) ? addColumn(this.schemaOf(tableId), schema) : [];
  }

  /**
   * What the draft comes to. `more` are the audit entries of what was done beside it.
   * Existing tables that change move on to their next version.
   * @throws Problem `validation_failed` a rollup whose function does not fit what it rolls up, formulas that are too complex together
   */
  finish(context: WriteContext, more: readonly AuditEntry[] = []): Drafted {
    for (const { column, at } of this.rollups) judgeRollup(this.columnSchema(column), at);
    mustBeRunnable(this.tables, '');
    const nexts = this.record.changes.map(([tableId, told]) => {
      const { table, before } = this.table(tableId);
      const next = nextVersionBy(must(before, 'only tables that are there are told'), context, told);
      const { schemaVersion, updatedAt } = next.table;
      return { table: { ...table, schemaVersion, updatedAt }, statement: next.statement };
    });
    const added = this.tables.all.filter(({ before }) => !before).map(({ table }) => table);
    const tables = [...added, ...nexts.map(({ table }) => table)];
    const [first, ...others] = [...more, ...this.record.audit];
    return {
      schema: this.base.schemaName,
      statements: [
        ...this.steps.columns.flatMap((step) => step()),
        ...this.steps.links.flatMap((step) => step()),
        ...this.steps.tables.flatMap((step) => step()),
        ...nexts.map(({ statement }) => statement),
      ],
      patch: {
        tables,
        columns: this.tables.changedColumns,
        ...(this.rules.length > 0 ? { rules: this.rules } : {}),
        audit: [must(first, 'a structure change is audited'), ...others],
        events: tables.map(tableChanged),
      },
    };
  }
}
