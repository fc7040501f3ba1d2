import { cleanName, foldName, invalid, Problem, type Id } from '../../../../common/index.js';
import { columnType, type ColumnOptions, type ColumnTypeName } from '../../../../query/index.js';
import type { RowsColumn } from '../../../connections/index.js';
import type { SurveyedColumn } from '../survey.js';

/** A table has no more. */
const MAX_COLUMNS = 250;

/** A column that comes out of an external database, as a table of ours has it. */
export interface SourceColumn {
  readonly name: string;
  readonly type: ColumnTypeName;
  readonly options: ColumnOptions;
}

/** Which external rows an import is of. */
export interface SourceWish {
  readonly connectionId: Id;
  /** A JSON text: what it holds may be nothing that jsonb can, such as U+0000. */
  readonly query: string;
  /** As they were when it was asked for. */
  readonly columns: readonly SourceColumn[];
}

/** @throws Problem `validation_failed` columns that no table of ours can have */
export function sourceColumns(columns: readonly RowsColumn[]): SourceColumn[] {
  const refuse = (code: string, detail: string): Problem => invalid([{ pointer: '/query/fields', code, detail }]);
  if (columns.length > MAX_COLUMNS)
    throw refuse('too_many_columns', `A table has at most ${MAX_COLUMNS} columns; name those that are wanted.`);
  const seen = new Set<string>();
  return columns.map(({ key, type, options }) => {
    const name = cleanName(key);
    const shown = JSON.stringify(key.slice(0, 60));
    if (name === undefined)
      throw refuse('name_invalid', `${shown} is no name for a column: 1 to 255 characters, none a control character.`);
    if (seen.has(foldName(name)))
      throw refuse('duplicate_field', `${shown} occurs twice; letter case does not matter.`);
    seen.add(foldName(name));
    // A source may keep more digits behind the point than a table of ours can be told to.
    const kept = columnType(type).parseOptions({ ...options });
    return { name, type, options: kept.ok ? kept.value : {} };
  });
}

/** As if the rows had been looked at. */
export const surveyed = ({ name, type, options }: SourceColumn): SurveyedColumn => ({
  name,
  type,
  options,
  reason: 'It is of this type in the external database.',
});

/** Runs `work` on a member of the body, and lets what it finds point there. */
export async function pointingInto<T>(member: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem) || !error.errors) throw error;
    throw new Problem(error.code, {
      detail: error.detail,
      errors: error.errors.map((each) => ({ ...each, pointer: `${member}${each.pointer}` })),
      cause: error,
    });
  }
}
