import {
  deriveKey,
  foldName,
  invalid,
  newId,
  pointer,
  Problem,
  type Id,
  type ProblemItem,
} from '../../../common/index.js';
import {
  columnType,
  parseCell,
  type CellValue,
  type ColumnOptions,
  type ColumnTypeName,
  type Parsed,
} from '../../../query/index.js';
import type { ColumnEntity } from './column.entity.js';
import type { CreateColumnDto } from './column.dto.js';

/** A column to be made. A template gives it a key, and one to the column that shows a link from the other table; people do not. */
export type NewColumn = CreateColumnDto & { readonly key?: string; readonly inverseKey?: string };

/**
 * New columns with keys, options and defaults judged; `existing` are the live columns of the table.
 * All findings are reported at once, below the given pointer.
 * @throws Problem `validation_failed`, or `name_taken` when names repeat in any letter case
 */
export function makeColumns(
  inputs: readonly NewColumn[],
  tableId: Id,
  existing: readonly ColumnEntity[],
  at: (index: number) => string,
): ColumnEntity[] {
  const errors: ProblemItem[] = [];
  const names = new Set(existing.map(({ nameFolded }) => nameFolded));
  const keys = new Set(existing.map(({ key }) => key));
  const taken = new Set(existing.map((column) => column.physicalName));
  const createdAt = new Date();
  const first = Math.max(-1, ...existing.map(({ position }) => position)) + 1;
  const columns = inputs.map((input, i): ColumnEntity => {
    const nameFolded = foldName(input.name);
    if (names.has(nameFolded)) throw nameTaken(`${at(i)}/name`, input.name);
    names.add(nameFolded);
    const key = input.key ?? deriveKey(input.name, keys);
    keys.add(key);
    const options = parseOptions(input, at(i), errors);
    judgeDemands(input, options, at(i), errors);
    return {
      id: newId(),
      tableId,
      key,
      name: input.name,
      nameFolded,
      description: input.description ?? null,
      type: input.type,
      required: input.required ?? false,
      unique: input.unique ?? false,
      default: parseDefault(input, options, at(i), errors),
      options,
      position: first + i,
      physicalName: physicalName(input.type, key, taken, at(i), errors),
      createdAt,
      deletedAt: null,
      deletedWith: null,
    };
  });
  if (errors.length > 0) throw invalid(errors);
  return columns;
}

function physicalName(
  type: ColumnTypeName,
  key: string,
  taken: Set<string>,
  at: string,
  errors: ProblemItem[],
): string {
  const name = SYSTEM[type] ?? key;
  if (taken.has(name))
    errors.push({ pointer: `${at}/type`, code: 'invalid_option', detail: `The table has a ${type} column already.` });
  taken.add(name);
  return name;
}

export const nameTaken = (at: string, name: string): Problem => {
  const detail = `The name ${JSON.stringify(name)} is taken; letter case does not matter.`;
  return new Problem('name_taken', { detail, errors: [{ pointer: at, code: 'name_taken', detail }] });
};

function parseOptions(input: CreateColumnDto, at: string, errors: ProblemItem[]): ColumnOptions {
  const parsed = columnType(input.type).parseOptions(input.options ?? {});
  if (parsed.ok) return parsed.value;
  errors.push({ pointer: at + pointer('options'), code: parsed.code, detail: parsed.detail });
  return {};
}

/** What may not be demanded of columns of this type: nothing of cells that people do not write, and no uniqueness where PostgreSQL cannot compare them. */
export function judgeDemands(
  { type: name, required, unique, default: initial }: Pick<CreateColumnDto, 'type' | 'required' | 'unique' | 'default'>,
  options: ColumnOptions,
  at: string,
  errors: ProblemItem[],
): void {
  const type = columnType(name);
  const isList = type.cells?.(options).list ?? false;
  const refuse = (member: 'unique' | 'required' | 'default'): void =>
    void errors.push({
      pointer: `${at}/${member}`,
      code: 'invalid_option',
      detail: `A ${name} column cannot ${member === 'default' ? 'have a default' : `be ${member}`}.`,
    });
  if (unique && (type.uniquable === false || isList)) refuse('unique');
  if (!UNWRITTEN.has(name)) return;
  if (required) refuse('required');
  if (initial !== undefined && initial !== null) refuse('default');
}

/** Their cells are given by the database, or are in another table. */
const UNWRITTEN: ReadonlySet<ColumnTypeName> = new Set([
  'autonumber', 'link', 'lookup', 'rollup', 'count', 'formula', 'created_at', 'updated_at', 'created_by', 'updated_by',
]); // prettier-ignore

/** Row columns that are there already under a name of their own; one column of a kind can show them. */
export const SYSTEM: Partial<Readonly<Record<ColumnTypeName, string>>> = {
  created_at: '_created_at',
  updated_at: '_updated_at',
  created_by: '_created_by',
  updated_by: '_updated_by',
};

function parseDefault(input: CreateColumnDto, options: ColumnOptions, at: string, errors: ProblemItem[]): CellValue {
  const parsed = readDefault(input.default, { type: input.type, options, unique: input.unique ?? false });
  if (parsed.ok) return parsed.value;
  errors.push({ pointer: `${at}/default`, code: parsed.code, detail: parsed.detail });
  return null;
}

/** A default in the form of a cell, or a word for what is so when the row is made; absent and null are none. */
export function readDefault(
  input: unknown,
  column: Pick<ColumnEntity, 'type' | 'options' | 'unique'>,
): Parsed<CellValue> {
  if (input === undefined || input === null || UNWRITTEN.has(column.type)) return { ok: true, value: null };
  if (input === columnType(column.type).dynamicDefault) return { ok: true, value: input as CellValue };
  return parseCell(input, column);
}
