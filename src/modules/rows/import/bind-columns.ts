import { foldName, type Id, type ProblemItem } from '../../../common/index.js';
import {
  columnByKey,
  columnOfWhole,
  isWritable,
  kindOf,
  parseTextCell,
  resolveFieldValues,
  valueType,
  type CellValue,
  type ColumnSchema,
  type TableSchema,
} from '../../../query/index.js';
import { unguardFormula } from '../export/csv-line.js';
import type { Flaw } from './file/file-flaw.js';
import type { SourceRow } from './file/row-file.js';
import { flawsOf, importFailed, type LineError } from './tally.js';

/** Columns of a file; a table has no more. */
const MAX_COLUMNS = 250;
/** Unknown names of one row that are told. */
const MAX_UNKNOWN = 10;
/** Names that are remembered; a file may have other names on each line. */
const MAX_NAMES = 5_000;

export interface BindingOptions {
  /** Names that mean nothing here are passed over instead of refused. */
  readonly ignoreUnknown: boolean;
  /** Members by their addresses as they occur in the file; for cells that name people that way. */
  readonly people: ReadonlyMap<string, Id>;
  /** As from a database of others: whole numbers come as texts of digits, for they may be larger than those of JSON, and moments finer than ours, of which the milliseconds are kept. */
  readonly digitsAreNumbers?: boolean;
}

/** Tells the values of a row of the file, by columns of the whole table; `flaws` says what is wrong with it. */
export interface Binding {
  /** The columns that rows may give; all that can be written where the file does not say. */
  readonly columns: readonly ColumnSchema[];
  read(row: SourceRow, flaws: Flaw[]): Map<ColumnSchema, CellValue>;
  /** Addresses of people that cells of the rows hold. */
  addresses(rows: readonly SourceRow[]): string[];
}

/** `table` is what whoever imports sees of it. @throws Problem `import_failed` what the header calls its columns is not what the table does */
export function bindColumns(
  header: readonly string[] | undefined,
  table: TableSchema,
  options: BindingOptions,
): Binding {
  return header ? byPosition(header, table, options) : byName(table, options);
}

type Found = ColumnSchema | Flaw | 'ignored';
const isFlaw = (found: Found): found is Flaw => typeof found === 'object' && 'code' in found;

/** By key, by name, and by either in another letter case where only one column is meant. */
function find(given: string, table: TableSchema, { ignoreUnknown }: BindingOptions): Found {
  const exact = columnByKey(table, given) ?? table.columns.find(({ name }) => name === given);
  const folded = foldName(given);
  const alike = exact ? [exact] : table.columns.filter(({ key, name }) => key === folded || foldName(name) === folded);
  const [column] = alike;
  if (column && alike.length === 1 && isWritable(column)) return column;
  if (ignoreUnknown) return 'ignored';
  const column60 = given.slice(0, 60);
  if (!column)
    return { column: column60, code: 'unknown_field', detail: `There is no column ${JSON.stringify(column60)}.` };
  if (alike.length > 1)
    return {
      column: column60,
      code: 'ambiguous_field',
      detail: `${JSON.stringify(column60)} may mean several columns.`,
    };
  return { column: column60, code: 'read_only', detail: `${column.key} (${column.type}) cannot be written.` };
}

function byPosition(header: readonly string[], table: TableSchema, options: BindingOptions): Binding {
  const errors: LineError[] = [];
  const refuse = (flaw: Flaw): void => void errors.push({ line: 1, ...flaw });
  const bound = new Set<ColumnSchema>();
  if (header.length > MAX_COLUMNS)
    throw importFailed(
      [{ line: 1, code: 'too_many_columns', detail: `A table has at most ${MAX_COLUMNS} columns.` }],
      1,
    );
  const columns = header.map((given, i): ColumnSchema | undefined => {
    const name = unguardFormula(given);
    if (name === '' && !options.ignoreUnknown) {
      refuse({ code: 'name_missing', detail: `Column ${i + 1} of the file has no name.` });
      return undefined;
    }
    const found = find(name, table, options);
    if (found === 'ignored') return undefined;
    if (isFlaw(found)) {
      refuse(found);
      return undefined;
    }
    if (bound.has(found)) refuse({ column: found.key, code: 'duplicate_field', detail: `${found.key} occurs twice.` });
    bound.add(found);
    return columnOfWhole(table, found);
  });
  if (errors.length > 0) throw importFailed(errors, 1);
  if (bound.size === 0)
    throw importFailed(
      [{ line: 1, code: 'unknown_field', detail: 'None of the columns of the file is one of the table.' }],
      1,
    );
  const ofPeople = columns.flatMap((column, i) => (column && namesPeople(column) ? [i] : []));
  return {
    columns: columns.filter((column) => column !== undefined),
    read: (row, flaws) => cellsOf(row.cells ?? [], columns, options, flaws),
    addresses: (rows) => rows.flatMap(({ cells = [] }) => ofPeople.flatMap((i) => cells[i]?.match(ADDRESS) ?? [])),
  };
}

function cellsOf(
  cells: readonly (string | null)[],
  columns: readonly (ColumnSchema | undefined)[],
  options: BindingOptions,
  flaws: Flaw[],
): Map<ColumnSchema, CellValue> {
  const values = new Map<ColumnSchema, CellValue>();
  for (const [i, column] of columns.entries()) {
    if (!column) continue;
    const cell = cells[i] ?? null;
    const parsed = cell === null ? undefined : parseTextCell(meant(cell, column, options), column);
    const value = parsed?.ok ? parsed.value : null;
    if (parsed && !parsed.ok) flaws.push({ column: column.key, code: parsed.code, detail: parsed.detail });
    else if (value === null && column.required)
      flaws.push({ column: column.key, code: 'required', detail: `${column.key} needs a value.` });
    values.set(column, value);
  }
  return values;
}

/** Something with an @ in it, alone or in a list. */
const ADDRESS = /[^\s,;"[\]]+@[^\s,;"[\]]+/g;
const namesPeople = (column: ColumnSchema): boolean => kindOf(column).type === 'user';
const withIds = (text: string, people: ReadonlyMap<string, Id>): string =>
  text.includes('@') ? text.replace(ADDRESS, (address) => people.get(address) ?? address) : text;

/** The same of a JSON value: an address, or a list of some. */
const peopleIn = (cell: unknown, people: ReadonlyMap<string, Id>): unknown =>
  Array.isArray(cell)
    ? cell.map((each: unknown) => peopleIn(each, people))
    : typeof cell === 'string'
      ? withIds(cell, people)
      : cell;

/** The cell without what made it harmless, and with ids in the place of addresses of members. */
function meant(cell: string, column: ColumnSchema, { people }: BindingOptions): string {
  const { type, list } = kindOf(column);
  if (type === 'user') return withIds(cell, people);
  return !list && valueType(column).family === 'text' ? unguardFormula(cell) : cell;
}

/** The number of a column of whole numbers in the place of its digits, where JSON can hold it. */
function numberIn(cell: unknown, column: ColumnSchema): unknown {
  const isDigits = typeof cell === 'string' && kindOf(column).type === 'integer' && /^-?\d{1,16}$/.test(cell);
  return isDigits && Number.isSafeInteger(Number(cell)) ? Number(cell) : cell;
}

const FINE_MOMENT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})\d+Z$/;

/** A cell as a database of others keeps it. Nobody there can be asked to keep moments less exactly. */
function external(cell: unknown, column: ColumnSchema): unknown {
  return typeof cell === 'string' && kindOf(column).type === 'datetime'
    ? cell.replace(FINE_MOMENT, '$1Z')
    : numberIn(cell, column);
}

const addressesIn =
  (find: (name: string) => Found) =>
  ([name, cell]: [string, unknown]): string[] => {
    const column = find(name);
    if (column === 'ignored' || isFlaw(column) || !namesPeople(column)) return [];
    const texts: readonly unknown[] = Array.isArray(cell) ? cell : [cell];
    return texts.flatMap((text) => (typeof text === 'string' ? (text.match(ADDRESS) ?? []) : []));
  };

function byName(table: TableSchema, options: BindingOptions): Binding {
  const known = new Map<string, Found>();
  const found = (name: string): Found => {
    let entry = known.get(name);
    if (entry) return entry;
    entry = find(name, table, options);
    if (known.size >= MAX_NAMES) known.clear();
    known.set(name, entry);
    return entry;
  };
  const hasPeople = table.columns.some((column) => isWritable(column) && namesPeople(column));
  return {
    columns: table.columns.filter(isWritable).map((column) => columnOfWhole(table, column)),
    addresses: (rows) =>
      hasPeople ? rows.flatMap((row) => Object.entries(row.fields ?? {}).flatMap(addressesIn(found))) : [],
    read(row, flaws) {
      const fields: Record<string, unknown> = {};
      let unknown = 0;
      for (const [name, cell] of Object.entries(row.fields ?? {})) {
        const column = found(name);
        if (column === 'ignored') continue;
        if (isFlaw(column)) {
          if (++unknown <= MAX_UNKNOWN) flaws.push(column);
        } else if (Object.hasOwn(fields, column.key))
          flaws.push({ column: column.key, code: 'duplicate_field', detail: `${column.key} occurs twice.` });
        else if (namesPeople(column)) fields[column.key] = peopleIn(cell, options.people);
        else fields[column.key] = options.digitsAreNumbers === true ? external(cell, column) : cell;
      }
      const errors: ProblemItem[] = [];
      const values = resolveFieldValues(fields, table, '', errors);
      flaws.push(...flawsOf(errors));
      return values;
    },
  };
}
