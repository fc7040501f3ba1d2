import { invalid, newId, type Id } from '../../../common/index.js';
import {
  columnByKey,
  columnOfWhole,
  completeNewRow,
  isMatchable,
  isPartlySeen,
  type ColumnSchema,
  type DefaultContext,
  type TableSchema,
} from '../../../query/index.js';
import type { Binding, BindingOptions } from './bind-columns.js';
import type { Flaw } from './file/file-flaw.js';
import type { SourceRow } from './file/row-file.js';
import type { ImportMode, ImportRowsQuery } from './import.dto.js';
import type { LineOp } from './portion-writer.js';
import { flawsOf, importFailed, type Tally } from './tally.js';

/** What an import is asked to do, read. */
export interface RowsWish extends Pick<BindingOptions, 'ignoreUnknown' | 'digitsAreNumbers'> {
  readonly mode: ImportMode;
  readonly matchOn: readonly string[];
  readonly onError: 'abort' | 'skip';
  readonly dryRun: boolean;
}

export interface ImportOptions extends RowsWish {
  /** The change set of all that it writes. */
  readonly id: Id;
  /** Rows that may be written as one: whoever else writes to the table waits until they are. */
  readonly mostAtOnce: number;
}

const MAX_MATCHED = 5;
/** A minute's work at most, which is how long others should have to wait. */
const MOST_AT_ONCE = 1_000_000;

/** @throws Problem `validation_failed` */
export function wishOf(query: ImportRowsQuery): RowsWish {
  const { mode = 'append', matchOn, onError = 'abort', dryRun, ignoreUnknown } = query;
  const keys = matchOn?.split(',').map((key) => key.trim()) ?? [];
  if (mode === 'upsert' ? keys.length === 0 || keys.length > MAX_MATCHED : matchOn !== undefined)
    throw invalid([
      {
        pointer: '/matchOn',
        code: 'match_on',
        detail: 'matchOn goes with mode=upsert and names 1 to 5 columns by their keys, with commas between.',
      },
    ]);
  return {
    mode,
    matchOn: keys,
    onError,
    dryRun: dryRun === 'true',
    ignoreUnknown: ignoreUnknown === 'true',
  };
}

/** Of rows for a table that others write to, too. */
export const optionsOf = (id: Id, wish: RowsWish): ImportOptions => ({ ...wish, id, mostAtOnce: MOST_AT_ONCE });

/**
 * All or nothing: nobody else writes to a table that was just made, so it may take as long as it takes. `digitsAreNumbers` where its rows come
 * from a database of others.
 */
export const optionsForNewTable = (id: Id, digitsAreNumbers: boolean): ImportOptions => ({
  id,
  mode: 'append',
  matchOn: [],
  onError: 'abort',
  dryRun: false,
  ignoreUnknown: false,
  digitsAreNumbers,
  mostAtOnce: Number.MAX_SAFE_INTEGER,
});

/** The columns that rows are told apart by. @throws Problem `validation_failed`, `import_failed` the file does not have one */
export function matchedColumns(table: TableSchema, { columns }: Binding, matchOn: readonly string[]): ColumnSchema[] {
  return matchOn.map((key) => {
    const column = columnByKey(table, key);
    const refuse = (code: string, detail: string): Error => invalid([{ pointer: '/matchOn', code, detail }]);
    if (!column) throw refuse('unknown_field', `There is no field ${JSON.stringify(key.slice(0, 60))}.`);
    if (!isMatchable(column)) throw refuse('not_matchable', `Rows cannot be told apart by ${key} (${column.type}).`);
    const own = columnOfWhole(table, column);
    if (!columns.includes(own))
      throw importFailed(
        [{ line: 1, column: key, code: 'match_missing', detail: `The file has no column ${key}.` }],
        1,
      );
    return own;
  });
}

/** The ops that the rows stand for; those that cannot be any become findings. */
export function opsOf(
  rows: readonly SourceRow[],
  table: TableSchema,
  binding: Binding,
  matchOn: readonly ColumnSchema[],
  defaults: DefaultContext,
  tally: Tally,
): LineOp[] {
  const ops: LineOp[] = [];
  for (const row of rows) {
    const flaws: Flaw[] = [];
    const op = row.flaw ? undefined : opOf(row, table, binding, matchOn, defaults, flaws);
    if (row.flaw) tally.refuse(row.line, [row.flaw]);
    else if (flaws.length > 0) tally.refuse(row.line, flaws);
    else if (op) ops.push({ index: row.line, op });
  }
  return ops;
}

/** Of a table that is seen as a whole there are none. */
const partlySeen = (table: TableSchema): readonly ColumnSchema[] =>
  table.seen ? table.columns.filter(isPartlySeen).map((column) => columnOfWhole(table, column)) : [];

function opOf(
  row: SourceRow,
  table: TableSchema,
  binding: Binding,
  matchOn: readonly ColumnSchema[],
  defaults: DefaultContext,
  flaws: Flaw[],
): LineOp['op'] {
  const values = binding.read(row, flaws);
  if (matchOn.length === 0) {
    const errors: Parameters<typeof completeNewRow>[3] = [];
    const complete = completeNewRow(values, table, '', errors, defaults);
    flaws.push(...flawsOf(errors));
    return { kind: 'create', id: newId(), values: complete };
  }
  for (const { key } of partlySeen(table).filter((column) => values.has(column)))
    flaws.push({
      column: key,
      code: 'partly_seen',
      detail: `Rows may be linked in ${key} that you do not see, so it cannot be replaced.`,
    });
  for (const { key, ...column } of matchOn.filter((each) => (values.get(each) ?? null) === null))
    flaws.push({
      column: key,
      code: 'match_missing',
      detail: `${key} (${column.type}) is matched on and needs a value.`,
    });
  const missing: Parameters<typeof completeNewRow>[3] = [];
  const asNew = completeNewRow(new Map(values), table, '', missing, defaults);
  return { kind: 'upsert', matchOn, values, changes: new Map(), asNew: { values: asNew, errors: missing } };
}
