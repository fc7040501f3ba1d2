import { expectedVersion, invalid, type Id, type ProblemItem } from '../../../common/index.js';
import {
  resolveFieldValues,
  type CellChange,
  type CellValue,
  type ColumnSchema,
  type FieldChanges,
  type RowOp,
  type TableSchema,
  bodyOf,
  refuse,
} from '../../../query/index.js';

export const ON_CONFLICT = ['overwrite', 'reject', 'merge'] as const;
type OnConflict = (typeof ON_CONFLICT)[number];

/** What a PATCH of a row asks for. */
export interface RowPatch {
  readonly id: Id;
  readonly values: ReadonlyMap<ColumnSchema, CellValue>;
  readonly changes: FieldChanges;
  /** From `If-Match`. */
  readonly expectedVersion?: number;
  /** The version that the caller saw, where it matters what others did since. */
  readonly since?: { readonly version: number; readonly onConflict: Exclude<OnConflict, 'overwrite'> };
}

/** @throws Problem `validation_failed`, `bad_request` */
export function parsePatch(table: TableSchema, id: Id, body: unknown, ifMatch: string | undefined): RowPatch {
  const expected = expectedVersion(ifMatch);
  const { fields, baseVersion, onConflict } = bodyOf(body, '', ['fields', 'baseVersion', 'onConflict']);
  const errors: ProblemItem[] = [];
  const changes = new Map<ColumnSchema, CellChange>();
  const values = resolveFieldValues(fields, table, '/fields', errors, changes);
  if (errors.length > 0) throw invalid(errors);
  return { id, values, changes, ...expected, ...readSince(baseVersion, onConflict) };
}

function readSince(version: unknown, onConflict: unknown = 'overwrite'): Pick<RowPatch, 'since'> {
  const how = ON_CONFLICT.find((known) => known === onConflict);
  if (!how) throw refuse('/onConflict', 'is_in', `onConflict is one of ${ON_CONFLICT.join(', ')}.`);
  if (version === undefined) {
    if (how === 'overwrite') return {};
    throw refuse('/baseVersion', 'required', `onConflict ${how} needs baseVersion, the version that you saw.`);
  }
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1 || version > 2_147_483_647)
    throw refuse('/baseVersion', 'not_a_version', 'baseVersion is the version of a row, a whole number from 1.');
  return how === 'overwrite' ? {} : { since: { version, onConflict: how } };
}

/** The patch as an op, as far as it is known without a look at the row. */
export const opOf = ({ id, values, expectedVersion: version }: RowPatch): RowOp & { readonly kind: 'update' } => ({
  kind: 'update',
  id,
  values,
  ...(version === undefined ? {} : { expectedVersion: version }),
});
