import type { EntityManager } from 'typeorm';
import { invalid, must, notFound, Problem, type Access, type Id } from '../../../common/index.js';
import type { AuditEntry } from '../../../database/main/index.js';
import {
  addColumn,
  createLinkTable,
  isStored,
  type ColumnSchema,
  type Sql,
  type TableSchema,
} from '../../../query/index.js';
import type { BaseEntity } from '../bases/base.entity.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { makeColumns, type NewColumn } from '../columns/make-columns.js';
import { makeInverse } from '../columns/make-inverse.js';
import { judgeRollup, resolveReferences } from '../columns/resolve-references.js';
import { tableChanged } from '../tables/table-changed.js';
import { MAX_COLUMNS } from '../tables/table.dto.js';
import { baseSchema } from '../tables/table-schema.js';
import type { TableEntity } from '../tables/table.entity.js';
import type { MetadataPatch } from './schema-op.entity.js';
import { nextVersion, readBase, readStructures, type Structure } from './structure.js';

/** A table inside a draft. */
export interface DraftTable {
  readonly table: TableEntity;
  readonly columns: readonly ColumnEntity[];
  /** As it is in the mini-DB now; absent for one that the draft adds. */
  readonly before?: Structure;
}

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
  private readonly tables: Map<Id, DraftTable>;
  private readonly changed = new Map<Id, ColumnEntity>();
  private readonly told = new Map<Id, Record<string, object[]>>();
  /** In this order: what a statement needs is there when it runs. */
  private readonly steps: Record<'columns' | 'links', (() => Sql[])[]> = { columns: [], links: [] };
  private readonly audit: AuditEntry[] = [];
  /** Judged at the end, all at once: what each rolls up is known from the whole base only. */
  private readonly rollups: { readonly column: ColumnEntity; readonly at: string }[] = [];
  /** Made when it is asked for, and anew after each change. */
  private schemas: ReadonlyMap<Id, TableSchema> | undefined;

  constructor(
    private readonly base: BaseEntity,
    structures: readonly Structure[],
  ) {
    this.tables = new Map(
      structures.map((before) => [before.table.id, { table: before.table, columns: before.columns, before }]),
    );
  }

  /** @throws Problem `not_found` */
  static async read(manager: EntityManager, baseId: Id): Promise<BaseDraft> {
    const base = await readBase(manager, baseId);
    return new BaseDraft(base, await readStructures(manager, base));
  }

  /** @throws Problem `not_found` */
  table(tableId: Id): DraftTable {
    const found = this.tables.get(tableId);
    if (!found) throw notFound('table');
    return found;
  }

  /** A table that is made elsewhere in the same change, before the columns and links of this draft. */
  addTable(table: TableEntity): void {
    this.tables.set(table.id, { table, columns: [] });
    this.schemas = undefined;
  }

  /**
   * Adds columns in order; each may lead to those before it. A link adds the column that shows it from the other table.
   * @returns the columns that were asked for
   * @throws Problem `validation_failed`, `name_taken`, `limit_reached`, `not_found` (a link to a table of another base)
   */
  addColumns(tableId: Id, inputs: readonly NewColumn[], at: (index: number) => string): ColumnEntity[] {
    const made = makeColumns(inputs, tableId, this.table(tableId).columns, at);
    return made.map((column, i) => {
      const input = must(inputs[i], 'each column was asked for');
      if (column.type === 'link') return this.addLink(column, made.slice(i + 1), input, at(i));
      const resolved = resolveReferences(column, this, at(i));
      this.put(resolved);
      this.judge(resolved, at(i));
      if (!this.isNew(tableId)) this.steps.columns.push(() => this.alter(tableId, resolved));
      return resolved;
    });
  }

  /** `following` are columns of the same table that will be there, too; their names are theirs. */
  private addLink(
    column: ColumnEntity,
    following: readonly ColumnEntity[],
    input: NewColumn,
    at: string,
  ): ColumnEntity {
    const { table } = this.table(column.tableId);
    const target = this.tables.get(must(column.options.tableId, 'a link has a table'));
    if (!target) throw notFound('table');
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
    const { columns, ...entry } = this.table(tableId);
    const places = new Map(ids.map((id, i) => [id, i]));
    const arranged = [...columns]
      .sort((a, b) => (places.get(a.id) ?? ids.length) - (places.get(b.id) ?? ids.length))
      .map((column, position) => ({ ...column, position }));
    this.tables.set(tableId, { ...entry, columns: arranged });
    for (const column of arranged) this.changed.set(column.id, column);
    this.schemas = undefined;
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
    if (!column.required || this.isNew(column.tableId)) return;
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
    const entry = this.table(column.tableId);
    if (entry.columns.length >= MAX_COLUMNS)
      throw new Problem('limit_reached', { detail: `A table has at most ${MAX_COLUMNS} columns.` });
    this.tables.set(column.tableId, { ...entry, columns: [...entry.columns, column] });
    this.changed.set(column.id, column);
    this.schemas = undefined;
    if (this.isNew(column.tableId)) return;
    // With the default, since rows that are there get it: whoever follows the log needs nothing else to know them.
    const { id, key, name, type, default: initial } = column;
    this.tell(column.tableId, 'column.created', { id, key, name, type, default: initial });
    this.audit.push({
      workspaceId: this.base.workspaceId,
      action: 'column.created',
      resource: { type: 'column', id, name },
      after: columnView(column),
    });
  }

  private tell(tableId: Id, what: string, change: object): void {
    const told = this.told.get(tableId) ?? {};
    told[what] = [...(told[what] ?? []), change];
    this.told.set(tableId, told);
  }

  private isNew(tableId: Id): boolean {
    return this.table(tableId).before === undefined;
  }

  private alter(tableId: Id, column: ColumnEntity): Sql[] {
    const schema = this.columnSchema(column);
    return isStored(schema) ? addColumn(this.schemaOf(tableId), schema) : [];
  }

  private columnSchema({ id, tableId }: ColumnEntity): ColumnSchema {
    return must(
      this.schemaOf(tableId).columns.find((column) => column.id === id),
      'a column of the draft',
    );
  }

  /** The tables as they will be, for statements; the versions are those of now. */
  schemaOf(tableId: Id): TableSchema {
    this.schemas ??= baseSchema(this.base.schemaName, [...this.tables.values()]);
    return must(this.schemas.get(tableId), 'a table of the draft');
  }

  /**
   * What the draft comes to. `more` are the audit entries of what was done beside it.
   * Existing tables that change move on to their next version.
   * @throws Problem `validation_failed` a rollup whose function does not fit what it rolls up
   */
  finish(access: Access, more: readonly AuditEntry[] = []): Drafted {
    for (const { column, at } of this.rollups) judgeRollup(this.columnSchema(column), at);
    const nexts = [...this.told].map(([tableId, told]) =>
      nextVersion(must(this.table(tableId).before, 'only tables that are there are told'), access, single(told)),
    );
    const added = [...this.tables.values()].filter(({ before }) => !before).map(({ table }) => table);
    const tables = [...added, ...nexts.map(({ table }) => table)];
    const [first, ...others] = [...more, ...this.audit];
    return {
      schema: this.base.schemaName,
      statements: [
        ...this.steps.columns.flatMap((step) => step()),
        ...this.steps.links.flatMap((step) => step()),
        ...nexts.map(({ statement }) => statement),
      ],
      patch: {
        tables,
        columns: [...this.changed.values()],
        audit: [must(first, 'a structure change is audited'), ...others],
        events: tables.map(tableChanged),
      },
    };
  }
}

/** One change of a kind is told as it is, several as a list. */
const single = (told: Readonly<Record<string, readonly object[]>>): object =>
  Object.fromEntries(
    Object.entries(told).map(([what, changes]) => [what, changes.length === 1 ? changes[0] : changes]),
  );

const columnView = ({ key, name, type, required, unique, options }: ColumnEntity): object => ({
  key,
  name,
  type,
  required,
  unique,
  options,
});
