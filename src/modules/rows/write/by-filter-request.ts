import { invalid, type ProblemItem } from '../../../common/index.js';
import {
  parseJsonFilter,
  resolveFieldValues,
  type CellChange,
  type CellValue,
  type ColumnSchema,
  type FieldChanges,
  type FilterInput,
  type TableSchema,
  bodyOf,
  refuse,
} from '../../../query/index.js';

export const MAX_AFFECTED = 100_000;
const DEFAULT_AFFECTED = 1_000;

/** A change of all rows that a filter finds. */
export interface ByFilterRequest {
  /** Absent: all rows, which somebody has said by `null`. */
  readonly filter?: FilterInput;
  /** Absent: they are deleted. */
  readonly set?: { readonly values: ReadonlyMap<ColumnSchema, CellValue>; readonly changes: FieldChanges };
  readonly maxAffected: number;
  readonly dryRun: boolean;
  readonly confirmToken?: string;
  /** What the confirmation is for, as it was asked. */
  readonly asked: unknown;
}

/** @throws Problem `validation_failed`, `filter_invalid` */
export function parseByFilter(input: unknown, kind: 'update' | 'delete', table: TableSchema): ByFilterRequest {
  const known = ['filter', 'maxAffected', 'dryRun', 'confirmToken', ...(kind === 'update' ? ['set'] : [])];
  const body = bodyOf(input, '', known);
  const { filter, set, maxAffected = DEFAULT_AFFECTED, dryRun = false, confirmToken } = body;
  if (filter === undefined) throw refuse('/filter', 'required', 'filter says which rows; null means all of them.');
  if (
    typeof maxAffected !== 'number' ||
    !Number.isInteger(maxAffected) ||
    maxAffected < 1 ||
    maxAffected > MAX_AFFECTED
  )
    throw refuse('/maxAffected', 'out_of_range', `maxAffected is a whole number from 1 to ${MAX_AFFECTED}.`);
  if (typeof dryRun !== 'boolean') throw refuse('/dryRun', 'is_boolean', 'dryRun is true or false.');
  if (confirmToken !== undefined && typeof confirmToken !== 'string')
    throw refuse('/confirmToken', 'is_string', 'confirmToken is a text.');
  return {
    ...(filter === null ? {} : { filter: parseJsonFilter(filter, '/filter') }),
    ...(kind === 'update' ? { set: readSet(set, table) } : {}),
    maxAffected,
    dryRun,
    ...(confirmToken === undefined ? {} : { confirmToken }),
    asked: [kind, filter, set ?? null],
  };
}

function readSet(input: unknown, table: TableSchema): NonNullable<ByFilterRequest['set']> {
  const errors: ProblemItem[] = [];
  const changes = new Map<ColumnSchema, CellChange>();
  const values = resolveFieldValues(input, table, '/set', errors, changes);
  if (errors.length > 0) throw invalid(errors);
  if (values.size + changes.size === 0) throw refuse('/set', 'empty', 'set names at least one field.');
  return { values, changes };
}
