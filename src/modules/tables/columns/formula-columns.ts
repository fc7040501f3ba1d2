import { foldName, must, Problem, type Id, type ProblemItem } from '../../../common/index.js';
import {
  checkFormula,
  columnByKey,
  columnsOf,
  mapReferences,
  NEW_FORMULAS,
  referencesOf,
  type CheckedFormula,
  type ColumnOptions,
  type ColumnSchema,
  type FormulaBounds,
  type FormulaFlaw,
  type FormulaScope,
  type TableSchema,
} from '../../../query/index.js';
import type { ColumnEntity } from './column.entity.js';
import { circleOf, sources } from './dependents.js';

/*
 * Formulas of columns. They are stored with the keys of the columns that they read, and with the ids that these keys meant then: what a
 * formula reads stays what it was, whatever is renamed, deleted and made anew around it.
 */

/** The columns of a table as people call them in a formula: by key, by name in any letter case, or by id. */
export function formulaScope(table: TableSchema): FormulaScope {
  const byName = new Map(table.columns.map((column) => [foldName(column.name), column]));
  const byId = new Map(table.columns.map((column) => [column.id, column]));
  return {
    find: (name) => columnByKey(table, name) ?? byName.get(foldName(name)) ?? byId.get(name),
    names: () => table.columns.map((column) => ({ name: column.key, column })),
  };
}

/** The columns that a stored formula reads. */
function storedScope(table: TableSchema, { columnIds = {} }: ColumnOptions): FormulaScope {
  const known = new Map(Object.entries(columnIds));
  const find = (name: string): ColumnSchema | undefined => table.columns.find(({ id }) => id === known.get(name));
  return {
    find,
    names: () =>
      [...known.keys()].flatMap((name) => {
        const column = find(name);
        return column ? [{ name, column }] : [];
      }),
  };
}

/**
 * A stored formula with what its columns hold now; flawed where that has become something that it cannot be made of.
 * @param bounds how much it may be; null where that is not asked
 */
export const storedFormula = (
  { options }: Pick<ColumnEntity, 'options'>,
  table: TableSchema,
  bounds: FormulaBounds | null,
): CheckedFormula => checkFormula(must(options.formula, 'a formula has a text'), storedScope(table, options), bounds);

/** A base in which formulas can be judged; a draft of it. */
export interface FormulaBase {
  readonly columns: readonly ColumnEntity[];
  schemaOf(tableId: Id): TableSchema;
}

/**
 * The formula as it is stored; other columns as they are.
 * @throws Problem `formula_invalid` with all flaws; a circle is named with the path that it takes
 */
export function resolveFormula(column: ColumnEntity, base: FormulaBase, at: string): ColumnEntity {
  if (column.type !== 'formula') return column;
  const pointer = `${at}/options/formula`;
  const text = column.options.formula ?? '';
  const scope = formulaScope(base.schemaOf(column.tableId));
  const isNew = !base.columns.some(({ id }) => id === column.id);
  // What is there already comes first, as in what follows.
  if (isNew && referencesOf(text).some((name) => !scope.find(name) && isCalled(name, column)))
    throw formulaInvalid([circular([column, column], text)], pointer);
  const checked = checkFormula(text, scope);
  if (!checked.ok) throw formulaInvalid(checked.flaws, pointer);
  const read = columnsOf(checked.expression);
  const keyOf = (name: string): string => {
    const found = scope.find(name);
    return typeof found === 'object' ? found.key : name;
  };
  const columnIds = Object.fromEntries(read.map(({ key, id }) => [key, id]));
  const resolved = { ...column, options: { formula: mapReferences(text, keyOf), columnIds } };
  const circle = circleOf(resolved, base.columns);
  if (circle) throw formulaInvalid([circular(circle, text)], pointer);
  // Keys may be longer than names.
  const stored = storedFormula(resolved, base.schemaOf(column.tableId), NEW_FORMULAS);
  if (!stored.ok) throw formulaInvalid(stored.flaws, pointer);
  return resolved;
}

/** Options of a formula, as the audit log tells them, in the form in which they are asked for: with ids, since keys may mean other columns by now. */
export const formulaOfLog = ({ formula = '', columnIds = {} }: ColumnOptions): { formula: string } => ({
  formula: mapReferences(formula, (key) => columnIds[key] ?? key),
});

const circular = (
  path: readonly ColumnEntity[],
  text: string,
): Omit<FormulaFlaw, 'code'> & { readonly code: string } => ({
  code: 'circular',
  detail: `The formula leads back to itself: ${path.map(({ key }) => key).join(' → ')}.`,
  position: 0,
  length: text.length,
});

export interface FlawedFormula {
  readonly column: ColumnEntity;
  readonly flaw: FormulaFlaw;
}

/**
 * Formulas that cannot be made any more of what their columns hold, each with the first reason; not those that read one of these.
 * @param flawOf what is wrong with one, all of whose sources are sound
 */
export function flawedFormulas(base: FormulaBase, flawOf = flawOfStored): readonly FlawedFormula[] {
  const columns = new Map(base.columns.map((column) => [column.id, column]));
  const judged = new Map<Id, FormulaFlaw | 'sound' | 'unsound'>();
  const judge = (column: ColumnEntity): FormulaFlaw | 'sound' | 'unsound' => {
    const known = judged.get(column.id);
    if (known) return known;
    const behind = sources(column).flatMap((id) => columns.get(id) ?? []);
    const own = behind.every((each) => judge(each) === 'sound') ? flawOf(column, base) : 'unsound';
    judged.set(column.id, own);
    return own;
  };
  return base.columns.flatMap((column) => {
    const flaw = judge(column);
    return typeof flaw === 'string' ? [] : [{ column, flaw }];
  });
}

/** However large it is. */
function flawOfStored(column: ColumnEntity, base: FormulaBase): FormulaFlaw | 'sound' {
  if (column.type !== 'formula') return 'sound';
  const checked = storedFormula(column, base.schemaOf(column.tableId), null);
  return checked.ok ? 'sound' : must(checked.flaws[0], 'a flawed formula has a flaw');
}

/** What a flawed formula is refused with. */
export function formulaInvalid(
  flaws: readonly (Omit<FormulaFlaw, 'code'> & { readonly code: string })[],
  at: string,
): Problem {
  const errors: ProblemItem[] = flaws.map((flaw) => ({ pointer: at, ...flaw }));
  return new Problem('formula_invalid', { detail: must(flaws[0], 'a flaw').detail, errors });
}

/**
 * In the order in which they can be made: lookups behind links, formulas behind what they read. `there` are columns that stand already, `at` is where each of the new
 * ones was asked for.
 * @throws Problem `formula_invalid` they lead in a circle, told with its path
 */
export function formulasLast(
  columns: readonly ColumnEntity[],
  there: readonly ColumnEntity[],
  at: (index: number) => string,
): readonly ColumnEntity[] {
  const find = finder([...there, ...columns]);
  const formulas = columns.filter(({ type }) => type === 'formula');
  const waiting = new Set(formulas);
  // Read once: a table may have hundreds of long ones, all waiting for each other.
  const behind = new Map(formulas.map((column) => [column, readBy(column, find)]));
  const [led, stored] = [columns.filter(leads), columns.filter((column) => !leads(column) && !waiting.has(column))];
  const ordered = [...stored, ...led];
  while (waiting.size > 0) {
    const ready = [...waiting].filter(
      (column) => !behind.get(column)?.some((other) => other !== column && waiting.has(other)),
    );
    if (ready.length === 0) throw circleAmong([...waiting], behind, (column) => at(columns.indexOf(column)));
    for (const column of ready) {
      waiting.delete(column);
      ordered.push(column);
    }
  }
  return ordered;
}

const leads = ({ type }: ColumnEntity): boolean => type === 'lookup' || type === 'rollup' || type === 'count';

/** Of formulas that all wait for each other, a circle: whoever follows what they wait for comes back. */
function circleAmong(
  waiting: readonly ColumnEntity[],
  behind: ReadonlyMap<ColumnEntity, readonly ColumnEntity[]>,
  at: (column: ColumnEntity) => string,
): Problem {
  const path: ColumnEntity[] = [];
  for (let next = waiting[0]; next && !path.includes(next);) {
    path.push(next);
    next = behind.get(next)?.find((other) => other !== path.at(-1) && waiting.includes(other));
  }
  const last = must(path.at(-1), 'somebody waits');
  const back = behind.get(last)?.find((other) => path.includes(other));
  const around = back ? [...path.slice(path.indexOf(back)), back] : path;
  const first = must(around[0], 'a circle has columns');
  return formulaInvalid([circular(around, first.options.formula ?? '')], `${at(first)}/options/formula`);
}

/** Finds columns by what a formula calls them. A key is taken before the name of another column that is the same. */
function finder(columns: readonly ColumnEntity[]): (name: string) => ColumnEntity | undefined {
  const byKey = new Map(columns.map((column) => [column.key, column]));
  const byName = new Map(columns.map((column) => [column.nameFolded, column]));
  const byId = new Map(columns.map((column) => [column.id, column]));
  return (name) => byKey.get(name) ?? byName.get(foldName(name)) ?? byId.get(name);
}

const readBy = (
  { options }: Pick<ColumnEntity, 'options'>,
  find: (name: string) => ColumnEntity | undefined,
): readonly ColumnEntity[] => referencesOf(options.formula ?? '').flatMap((name) => find(name) ?? []);

const isCalled = (name: string, { key, nameFolded, id }: ColumnEntity): boolean =>
  name === key || name === id || foldName(name) === nameFolded;

/** The same formula where some of the columns that it reads have got other keys. */
export function withKeys(column: ColumnEntity, keys: ReadonlyMap<Id, string>): ColumnEntity {
  const { formula, columnIds } = column.options;
  if (formula === undefined || columnIds === undefined) return column;
  const next = new Map(Object.entries(columnIds).map(([key, id]) => [key, [keys.get(id) ?? key, id] as const]));
  return {
    ...column,
    options: {
      formula: mapReferences(formula, (key) => next.get(key)?.[0] ?? key),
      columnIds: Object.fromEntries(next.values()),
    },
  };
}
