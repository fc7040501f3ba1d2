import { must } from '../../src/common/index.js';
import { checkFormula, columnsOf, evaluateFormula, kindOf, type ColumnSchema, type Expression } from '../../src/query/index.js'; // prettier-ignore

/*
 * What a definition of a view means, said once more as plainly as can be: rows side by side, formulas, a filter, groups, an order. It
 * knows nothing of plans, statements and ways; of the product it takes the reader of formulas and their meaning in memory.
 */

export type Value = string | number | boolean | null;
export type Fields = Readonly<Record<string, Value>>;

/** Rows of a source, and the kinds of its columns. */
export interface ModelSource {
  readonly columns: readonly ColumnSchema[];
  readonly rows: readonly Fields[];
}

export type Filter =
  | { readonly and: readonly Filter[] }
  | { readonly or: readonly Filter[] }
  | { readonly not: Filter }
  | { readonly field: string; readonly op: string; readonly value?: unknown; readonly valueField?: string };
interface Sort {
  readonly field: string;
  readonly dir: 'asc' | 'desc';
}

/** A definition without where its sources are; all names have their alias in front. */
export interface ModelDefinition {
  readonly as: string;
  readonly joins: readonly {
    readonly as: string;
    readonly type: 'left' | 'inner';
    readonly on: readonly { readonly left: string; readonly right: string }[];
  }[];
  readonly computed: readonly { readonly key: string; readonly formula: string }[];
  readonly filter?: Filter;
  readonly sort: readonly Sort[];
  readonly columns?: readonly { readonly field: string; readonly as: string }[];
  readonly groupBy?: readonly { readonly field: string; readonly as: string; readonly bucket?: string }[];
  readonly aggregates?: readonly { readonly as: string; readonly fn: string; readonly field?: string }[];
  readonly having?: Filter;
}

type Kinds = ReadonlyMap<string, ColumnSchema>;

/** The answer: rows `{fields}`, or groups `{group, values}`. */
export function answerOf(definition: ModelDefinition, sources: Readonly<Record<string, ModelSource>>): object[] {
  const { as, joins, filter, sort, columns, groupBy, aggregates, having } = definition;
  const kinds = new Map<string, ColumnSchema>();
  const sourceOf = (alias: string): ModelSource => must(sources[alias], `a source ${alias}`);
  for (const alias of [as, ...joins.map((join) => join.as)])
    for (const column of sourceOf(alias).columns) kinds.set(`${alias}.${column.key}`, column);
  let rows = sourceOf(as).rows.map((row) => named(as, row));
  for (const { as: alias, type, on } of joins) {
    const others = sourceOf(alias).rows.map((row) => named(alias, row));
    rows = rows.flatMap((row) => {
      const found = others.filter((other) => on.every(({ left, right }) => row[left] != null && row[left] === other[right])); // prettier-ignore
      if (found.length > 0) return found.map((other) => ({ ...row, ...other }));
      return type === 'left' ? [row] : [];
    });
  }
  const compute = computedBy(definition.computed, kinds);
  rows = rows.map(compute).filter((row) => !filter || holds(filter, row, kinds));
  if (!groupBy && !aggregates) {
    const shown = must(columns, 'columns of a view of rows');
    return ordered(rows, sort, kinds).map((row) => ({
      fields: Object.fromEntries(shown.map((column) => [column.as, row[column.field] ?? null])),
    }));
  }
  const [groups, values] = [groupBy ?? [], aggregates ?? []];
  const keyed = new Map<string, { readonly group: Fields; readonly rows: Fields[] }>();
  if (groups.length === 0) keyed.set('[]', { group: {}, rows: [] });
  for (const row of rows) {
    const group = Object.fromEntries(groups.map(({ field, as: name, bucket }) => [name, bucketOf(row[field] ?? null, bucket)])); // prettier-ignore
    const key = JSON.stringify(Object.values(group));
    const known = keyed.get(key);
    if (known) known.rows.push(row);
    else keyed.set(key, { group, rows: [row] });
  }
  const outputs: Kinds = new Map([
    ...groups.map(({ field, as: name }) => [name, must(kinds.get(field), field)] as const),
    ...values.map(({ as: name, fn, field }) => [name, outputOf(fn, field === undefined ? undefined : kinds.get(field))] as const), // prettier-ignore
  ]);
  const made = [...keyed.values()].map(({ group, rows: members }) => ({
    ...group,
    ...Object.fromEntries(values.map(({ as: name, fn, field }) => [name, aggregate(fn, field, members, kinds)])),
  }));
  const ties = groups.filter(({ as: name }) => !sort.some(({ field }) => field === name));
  const dir = sort.at(-1)?.dir ?? 'asc';
  const kept = made.filter((group) => !having || holds(having, group, outputs));
  return ordered(kept, [...sort, ...ties.map(({ as: name }) => ({ field: name, dir }))], outputs).map((group: Fields) => ({
    group: Object.fromEntries(groups.map(({ as: name }) => [name, group[name] ?? null])),
    values: Object.fromEntries(values.map(({ as: name }) => [name, group[name] ?? null])),
  })); // prettier-ignore
}

/** The subtotals of a page of groups, level by level from all rows on: the groups of fewer keys that those of the page lie in. */
export function subtotalsOf(
  { having: _, ...definition }: ModelDefinition,
  sources: Readonly<Record<string, ModelSource>>,
  page: readonly { readonly group: Fields }[],
): object[] {
  return (definition.groupBy ?? []).flatMap((_key, level) => {
    const groupBy = (definition.groupBy ?? []).slice(0, level);
    const firstOf = (group: Fields): string => JSON.stringify(groupBy.map(({ as }) => group[as]));
    const all = answerOf({ ...definition, groupBy, sort: [] }, sources) as readonly { readonly group: Fields }[];
    const wanted = level === 0 ? ['[]'] : [...new Set(page.map(({ group }) => firstOf(group)))];
    return wanted.map((key) => ({ level, ...must(all.find(({ group }) => firstOf(group) === key), 'a group of the page') })); // prettier-ignore
  });
}

const named = (alias: string, row: Fields): Fields =>
  Object.fromEntries(Object.entries(row).map(([key, value]) => [`${alias}.${key}`, value]));

/** Formulas may read each other; `kinds` comes to know them. */
function computedBy(computed: ModelDefinition['computed'], kinds: Map<string, ColumnSchema>): (row: Fields) => Fields {
  const made = new Map<string, Expression>();
  const names = new Map<ColumnSchema, string>();
  const find = (name: string): ColumnSchema | undefined => {
    const one = computed.find(({ key }) => key === name);
    if (one && !made.has(name)) {
      const checked = checkFormula(one.formula, { find, names: () => [] });
      if (!checked.ok) throw new Error(`${one.formula}: ${JSON.stringify(checked.flaws)}`);
      made.set(name, checked.expression);
      const { kind } = checked.expression;
      kinds.set(name, { ...must([...kinds.values()][0], 'a column'), id: name, key: name, type: kind.type, options: kind.options, holds: kind }); // prettier-ignore
    }
    return kinds.get(name);
  };
  for (const { key } of computed) find(key);
  for (const [name, column] of kinds) names.set(column, name);
  const value = (name: string, row: Fields): Value => {
    const expression = made.get(name);
    if (!expression) return row[name] ?? null;
    const cells = new Map(columnsOf(expression).map((column) => [column, value(must(names.get(column), 'a name'), row)])); // prettier-ignore
    return evaluateFormula(expression, (column) => cells.get(column) ?? null, { now: new Date(0) }) as Value;
  };
  return (row) => ({ ...row, ...Object.fromEntries(computed.map(({ key }) => [key, value(key, row)])) });
}

/** Null is the smallest value; numbers by what they are, texts by code point. */
function compare(column: ColumnSchema | undefined, a: Value, b: Value): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (column && ['integer', 'decimal'].includes(kindOf(column).type)) {
    const [x, y] = [scaled(a), scaled(b)];
    return x < y ? -1 : Number(x > y);
  }
  if (typeof a === 'boolean') return Number(a) - Number(b);
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

const DIGITS = 20;
function scaled(value: Value): bigint {
  const [whole = '', fraction = ''] = String(value).split('.');
  return BigInt(whole + fraction.padEnd(DIGITS, '0'));
}
/** Halves go away from zero. */
function decimal(n: bigint, digits: number): string {
  const cut = 10n ** BigInt(DIGITS - digits);
  const [size, half] = [n < 0n ? -n : n, cut / 2n];
  const text = String((size + half) / cut).padStart(digits + 1, '0');
  const plain = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
  return n < 0n && /[1-9]/.test(plain) ? `-${plain}` : plain;
}
const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

const ordered = <R extends Fields>(rows: readonly R[], sort: readonly Sort[], kinds: Kinds): R[] =>
  rows.toSorted((a, b) => {
    for (const { field, dir } of sort) {
      const order = compare(kinds.get(field), a[field] ?? null, b[field] ?? null);
      if (order !== 0) return dir === 'asc' ? order : -order;
    }
    return 0;
  });

/** Two-valued: a null satisfies what is said in the negative, and nothing else. */
function holds(filter: Filter, row: Fields, kinds: Kinds): boolean {
  if ('and' in filter) return filter.and.every((each) => holds(each, row, kinds));
  if ('or' in filter) return filter.or.some((each) => holds(each, row, kinds));
  if ('not' in filter) return !holds(filter.not, row, kinds);
  const { field, op, value, valueField } = filter;
  const [cell, column] = [row[field] ?? null, must(kinds.get(field), field)];
  const order = (to: unknown): number => compare(column, cell, to as Value);
  const other = valueField === undefined ? value : (row[valueField] ?? null);
  const list = value as readonly Value[];
  const isThere = cell !== null && (valueField === undefined || other !== null);
  const areNull = valueField !== undefined && cell === null && other === null;
  const fold = (text: unknown): string => String(text).toLowerCase();
  switch (op) {
    case 'eq':
      return valueField === undefined ? isThere && order(other) === 0 : order(other) === 0;
    case 'neq':
      return !(valueField === undefined ? isThere && order(other) === 0 : order(other) === 0);
    case 'gt':
      return isThere && order(other) > 0;
    case 'gte':
      return areNull || (isThere && order(other) >= 0);
    case 'lt':
      return isThere && order(other) < 0;
    case 'lte':
      return areNull || (isThere && order(other) <= 0);
    case 'in':
      return isThere && list.some((each) => order(each) === 0);
    case 'nin':
      return !(isThere && list.some((each) => order(each) === 0));
    case 'between':
      return isThere && order(list[0]) >= 0 && order(list[1]) <= 0;
    case 'nbetween':
      return !(isThere && order(list[0]) >= 0 && order(list[1]) <= 0);
    case 'contains':
      return isThere && fold(cell).includes(fold(value));
    case 'ncontains':
      return !(isThere && fold(cell).includes(fold(value)));
    case 'startsWith':
      return isThere && fold(cell).startsWith(fold(value));
    case 'endsWith':
      return isThere && fold(cell).endsWith(fold(value));
    case 'isNull':
      return cell === null;
    case 'isNotNull':
      return cell !== null;
    case 'isEmpty':
      return cell === null || cell === '';
    case 'isNotEmpty':
      return cell !== null && cell !== '';
    default:
      throw new Error(`no meaning for ${op}`);
  }
}

function bucketOf(value: Value, bucket: string | undefined): Value {
  if (value === null || bucket === undefined) return value;
  const text = String(value);
  if (bucket === 'month') return `${text.slice(0, 7)}-01`;
  if (bucket === 'year') return `${text.slice(0, 4)}-01-01`;
  throw new Error(`no meaning for ${bucket}`);
}

function outputOf(fn: string, column: ColumnSchema | undefined): ColumnSchema {
  const own = column ?? ({} as ColumnSchema);
  if (fn === 'min' || fn === 'max') return own;
  const type = fn === 'sum' || fn === 'avg' ? 'decimal' : 'integer';
  return { ...own, id: fn, type, options: {}, holds: { type, options: {}, list: false } };
}

function aggregate(fn: string, field: string | undefined, rows: readonly Fields[], kinds: Kinds): Value {
  const all = rows.map((row) => (field === undefined ? true : (row[field] ?? null))).filter((value) => value !== null);
  const column = field === undefined ? undefined : must(kinds.get(field), field);
  switch (fn) {
    case 'count':
      return all.length;
    case 'countDistinct':
      return new Set(all.map((value) => (typeof value === 'string' ? value : String(value)))).size;
    case 'sum':
      return decimal(all.reduce((sum: bigint, value) => sum + scaled(value), 0n), must(column, 'a column').options.scale ?? 0); // prettier-ignore
    case 'avg': {
      if (all.length === 0) return null;
      const sum = all.reduce((total: bigint, value) => total + scaled(value), 0n);
      return trimmed(decimal(rounded(sum, BigInt(all.length)), 10));
    }
    case 'min':
    case 'max': {
      const sorted = all.toSorted((a, b) => compare(column, a, b));
      return (fn === 'min' ? sorted[0] : sorted.at(-1)) ?? null;
    }
    default:
      throw new Error(`no meaning for ${fn}`);
  }
}

/** A quotient to ten digits, which nothing behind them can change. */
function rounded(n: bigint, by: bigint): bigint {
  const unit = 10n ** BigInt(DIGITS - 10);
  const [size, divisor] = [n < 0n ? -n : n, by * unit];
  const whole = (size + divisor / 2n) / divisor;
  return (n < 0n ? -whole : whole) * unit;
}
