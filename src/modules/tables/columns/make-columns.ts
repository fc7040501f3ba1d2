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
} from '../../../query/index.js';
import type { ColumnEntity } from './column.entity.js';
import type { CreateColumnDto } from './column.dto.js';

/**
 * New columns with keys, options and defaults judged; `existing` are the live columns of the table.
 * All findings are reported at once, below the given pointer.
 * @throws Problem `validation_failed`, or `name_taken` when names repeat in any letter case
 */
export function makeColumns(
  inputs: readonly CreateColumnDto[],
  tableId: Id,
  existing: readonly ColumnEntity[],
  at: (index: number) => string,
): ColumnEntity[] {
  const errors: ProblemItem[] = [];
  const names = new Set(existing.map(({ nameFolded }) => nameFolded));
  const keys = new Set(existing.map(({ key }) => key));
  const createdAt = new Date();
  const first = Math.max(-1, ...existing.map(({ position }) => position)) + 1;
  const columns = inputs.map((input, i): ColumnEntity => {
    const nameFolded = foldName(input.name);
    if (names.has(nameFolded)) throw nameTaken(`${at(i)}/name`, input.name);
    names.add(nameFolded);
    const key = deriveKey(input.name, keys);
    keys.add(key);
    const options = parseOptions(input, at(i), errors);
    return {
      id: newId(),
      tableId,
      key,
      name: input.name,
      nameFolded,
      description: input.description ?? null,
      type: input.type,
      required: input.required ?? false,
      unique: uniqueOf(input, at(i), errors),
      default: parseDefault(input, options, at(i), errors),
      options,
      position: first + i,
      physicalName: key,
      createdAt,
      deletedAt: null,
    };
  });
  if (errors.length > 0) throw invalid(errors);
  return columns;
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

/** Types whose values are compared whole, and have enough of them. */
export const canBeUnique = (type: ColumnTypeName): boolean => type !== 'long_text' && type !== 'boolean';

function uniqueOf(input: CreateColumnDto, at: string, errors: ProblemItem[]): boolean {
  if (input.unique && !canBeUnique(input.type)) {
    errors.push({
      pointer: `${at}/unique`,
      code: 'invalid_option',
      detail: `A ${input.type} column cannot be unique.`,
    });
  }
  return input.unique ?? false;
}

function parseDefault(input: CreateColumnDto, options: ColumnOptions, at: string, errors: ProblemItem[]): CellValue {
  if (input.default === undefined || input.default === null) return null;
  const parsed = parseCell(input.default, { type: input.type, options, unique: input.unique ?? false });
  if (parsed.ok) return parsed.value;
  errors.push({ pointer: `${at}/default`, code: parsed.code, detail: parsed.detail });
  return null;
}
