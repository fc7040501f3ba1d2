import { cleanName, deriveKey, foldName, invalid, must, newId, pointer, type Id } from '../../../common/index.js';
import { referencesOf } from '../../../query/index.js';
import type { BaseEntity } from '../bases/base.entity.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import type { NewColumn } from '../columns/make-columns.js';
import type { TableEntity } from '../tables/table.entity.js';
import { BaseDraft } from '../schema/base-draft.js';
import type { Template, TemplateColumn, TemplateTable } from './template.js';

/** A template as a base that could be made, with the ids that its tables got. */
export interface DraftedTemplate {
  readonly draft: BaseDraft;
  readonly tableIds: readonly Id[];
}

/** A column that waits for what it leads to. */
interface Waiting {
  readonly column: TemplateColumn;
  readonly tableId: Id;
  readonly at: string;
  /** Keys of the columns of its table that its formula calls. */
  readonly reads: readonly string[];
}

const isComputed = ({ type }: TemplateColumn): boolean =>
  type === 'lookup' || type === 'rollup' || type === 'count' || type === 'formula';

/**
 * Makes a draft of all tables: first the columns that are stored, then links, then what is computed from them, each after
 * that which it leads to, in whatever order the document names them.
 * @throws Problem `validation_failed` (also for lookups that lead in a circle), `name_taken`, `limit_reached`
 */
export function draftTemplate({ tables }: Template, base: BaseEntity, at: string): DraftedTemplate {
  const draft = new BaseDraft(base, []);
  const ids = new Map(tables.map(({ key }) => [key, newId()]));
  const idOf = ({ key }: TemplateTable): Id => must(ids.get(key), 'each table has an id');
  for (const [i, table] of tables.entries()) draft.addTable(entityOf(table, base, idOf(table), i + 1));
  const waiting = tables.flatMap((table, t) =>
    table.columns.map((column, c) => ({
      column,
      tableId: idOf(table),
      at: `${at}/tables/${t}/columns/${c}`,
      reads: readBy(column, table),
    })),
  );
  const reserved = new Map(tables.map((table) => [idOf(table), new Set(table.columns.map(({ key }) => key))]));
  const add = (one: Waiting, options: NewColumn['options']): void =>
    void draft.addColumns(one.tableId, [inputOf(one, options, draft, reserved)], () => one.at);
  for (const one of waiting) if (!isComputed(one.column) && one.column.type !== 'link') add(one, one.column.options);
  for (const one of waiting) if (one.column.type === 'link') add(one, linkOptions(one, ids));
  addComputed(
    draft,
    waiting.filter(({ column }) => isComputed(column)),
    add,
  );
  for (const [t, table] of tables.entries())
    draft.arrange(idOf(table), orderOf(table, draft.table(idOf(table)).columns, `${at}/tables/${t}`));
  return { draft, tableIds: tables.map(idOf) };
}

function linkOptions({ column, at }: Waiting, ids: ReadonlyMap<string, Id>): NewColumn['options'] {
  const { table, ...options } = column.options;
  // Is not the column's own.
  const others = Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'inverseKey'));
  const tableId = typeof table === 'string' ? ids.get(table) : undefined;
  if (tableId === undefined || 'tableId' in others)
    throw invalid([
      { pointer: `${at}/options/table`, code: 'unknown_table', detail: 'table is the key of a table of the template.' },
    ]);
  return { ...others, tableId };
}

/** The names of a template, as the API has them. */
function computedOptions({ options }: TemplateColumn): NewColumn['options'] {
  const { linkColumn, column, ...others } = options;
  return {
    ...others,
    ...(linkColumn === undefined ? {} : { linkColumnId: linkColumn }),
    ...(column === undefined ? {} : { columnId: column }),
  };
}

function addComputed(
  draft: BaseDraft,
  all: readonly Waiting[],
  add: (one: Waiting, options: NewColumn['options']) => void,
): void {
  let waiting = [...all];
  while (waiting.length > 0) {
    const ready = waiting.filter((one) => blockerOf(one, waiting, draft) === undefined);
    if (ready.length === 0) throw circle(must(waiting[0], 'somebody waits'), waiting, draft);
    for (const one of ready) add(one, computedOptions(one.column));
    waiting = waiting.filter((one) => !ready.includes(one));
  }
}

/** Which of those that wait a column leads to. */
function blockerOf(
  { column, tableId, reads }: Waiting,
  waiting: readonly Waiting[],
  draft: BaseDraft,
): Waiting | undefined {
  const link = draft.table(tableId).columns.find(({ key }) => key === column.options.linkColumn);
  const target = link?.options.tableId;
  return waiting.find((other) =>
    column.type === 'formula'
      ? other.tableId === tableId && reads.includes(other.column.key)
      : other.tableId === target && other.column.key === column.options.column,
  );
}

/** Keys of the columns of its table that the formula calls, by key, or by a name that is the key of none. */
function readBy({ options }: TemplateColumn, { columns }: TemplateTable): readonly string[] {
  if (typeof options.formula !== 'string') return [];
  const keys = new Set(columns.map(({ key }) => key));
  const byName = new Map(columns.map(({ name, key }) => [foldName(name), key]));
  return referencesOf(options.formula).flatMap((each) => (keys.has(each) ? each : (byName.get(foldName(each)) ?? [])));
}

function circle(start: Waiting, waiting: readonly Waiting[], draft: BaseDraft): Error {
  const path = [start];
  for (let next = blockerOf(start, waiting, draft); next; next = blockerOf(next, waiting, draft)) {
    const from = path.indexOf(next);
    path.push(next);
    if (from < 0) continue;
    const around = path.slice(from);
    const first = must(around[0], 'a circle has columns');
    return invalid([
      {
        pointer: `${first.at}/options/${first.column.type === 'formula' ? 'formula' : 'column'}`,
        code: 'lookup_cycle',
        detail: `The column would be computed from itself: ${around.map(({ column }) => column.key).join(' → ')}.`,
      },
    ]);
  }
  throw new Error('columns that wait for each other make a circle');
}

function inputOf(
  { column, tableId, at }: Waiting,
  options: NewColumn['options'],
  draft: BaseDraft,
  reserved: ReadonlyMap<Id, ReadonlySet<string>>,
): NewColumn {
  const { key, name, description, type, required, unique } = column;
  const input = { key, name, description, type, required, unique, default: column.default, options };
  if (type !== 'link') return input;
  const target = String(options?.tableId);
  const taken = new Set([...(reserved.get(target) ?? []), ...draft.table(target).columns.map((other) => other.key)]);
  const { inverseKey, inverseName } = column.options;
  if (inverseKey === undefined) {
    const called = cleanName(inverseName) ?? draft.table(tableId).table.name;
    return { ...input, inverseKey: deriveKey(called, taken) };
  }
  if (typeof inverseKey !== 'string' || deriveKey(inverseKey, taken) !== inverseKey)
    throw invalid([
      {
        pointer: `${at}/options/inverseKey`,
        code: 'is_key',
        detail: 'inverseKey is a key that the other table has not yet.',
      },
    ]);
  return { ...input, inverseKey };
}

/** As the document says, or else in the order in which it lists them; what links of other tables bring comes last. */
function orderOf({ columns, order }: TemplateTable, made: readonly ColumnEntity[], at: string): Id[] {
  const ids = new Map(made.map(({ key, id }) => [key, id]));
  const unknown = order?.findIndex((key) => !ids.has(key)) ?? -1;
  if (unknown >= 0)
    throw invalid([
      { pointer: `${at}/order/${unknown}`, code: 'unknown_field', detail: 'The table has no column of this key.' },
    ]);
  const keys = new Set([...(order ?? []), ...columns.map(({ key }) => key)]);
  return [...keys].map((key) => must(ids.get(key), `column ${pointer(key)} was made`));
}

const entityOf = (table: TemplateTable, base: BaseEntity, id: Id, position: number): TableEntity => ({
  id,
  baseId: base.id,
  workspaceId: base.workspaceId,
  key: table.key,
  name: table.name,
  nameFolded: foldName(table.name),
  description: table.description,
  color: table.color,
  icon: table.icon,
  position,
  physicalName: table.key,
  schemaVersion: 1,
  createdAt: base.createdAt,
  updatedAt: base.createdAt,
  deletedAt: null,
});
