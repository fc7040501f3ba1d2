import { ValueTaken } from './value-taken.js';
import { invalid, Problem } from '../../common/index.js';
import {
  FENCE_COLUMN,
  INDEX_PREFIX,
  REQUIRED_PREFIX,
  requiredCheckName,
  uniqueIndexName,
  type ColumnSchema,
  type TableSchema,
} from '../../query/index.js';
import { SchemaMoved } from '../data-engine.js';
import { ImportTakenOver } from './import-marks.js';
import { DoneBefore } from './kept-writes.js';

/** The members of a PostgreSQL error that we read (manual: Error and Notice Message Fields). */
interface PgError {
  readonly code: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly detail?: string;
  readonly table?: string;
}

/** Conditions of ours, and the tables beside those of people, have names that begin so (docs/OPERATIONS.md). */
const OURS = '_';
/** What `raise exception` gives, which nothing of ours does. */
const RAISED = 'P0001';

export const pgError = (error: unknown): PgError | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)
    ? (error as Error & PgError)
    : undefined;

/** Deadlock or serialization failure: nothing was done, and doing it again is right. */
export const isTransient = (error: unknown): boolean => ['40P01', '40001'].includes(pgError(error)?.code ?? '');

/**
 * Undefined column, table or schema, changed result type of a prepared statement, a value, a cast or an operator of another type than the
 * column has: the structure is not the one that the statement was planned for.
 */
export const isOtherStructure = (error: unknown): boolean =>
  ['42804', '42846', '42883', '42703', '42P01', '3F000', '0A000'].includes(pgError(error)?.code ?? '');

/** For what PostgreSQL finds missing, or there already, that no change of ours has made so. */
export const changedByHand = (cause: unknown): Problem =>
  new Problem('internal_error', {
    detail:
      'The table is not in the database as it was made here: its structure was changed by hand. Operators see where with npm run check:schema.',
    cause,
  });

/** A statement that names a time zone has no other parameter of ours that could be invalid. */
const isUnknownTimeZone = (error: unknown): boolean => pgError(error)?.code === '22023';

/** The statement was refused for what it held, not for where it ran: one write of a batch can be told from the others by trying each alone. */
export const isContentError = (error: unknown): boolean =>
  error instanceof SchemaMoved ||
  error instanceof Problem ||
  error instanceof DoneBefore ||
  error instanceof ImportTakenOver ||
  /^(22|23|42|54|P0)/.test(pgError(error)?.code ?? '');

/** What a database error means to our callers; unknown ones pass through and become a 500 or 503 at the edge. */
export function translate(error: unknown, table: TableSchema): unknown {
  const pg = pgError(error);
  if (isOtherStructure(error)) return new SchemaMoved(error);
  switch (pg?.code) {
    case '23502':
      return pg.column === FENCE_COLUMN ? new SchemaMoved(error) : error;
    case '23505':
      return uniqueViolation(pg, table, error);
    case '23514':
      return valueMissing(pg, table, error);
    case '54000':
      return tooLong(error);
    case '23503':
    case '23P01':
      return isOfOthers(pg) ? refusedByOthers(error) : error;
    case RAISED:
      return refusedByOthers(error);
    case '57014':
      return new Problem('overloaded', {
        detail: 'The query took too long and was stopped. Narrow the filter, or sort by an indexed column.',
        cause: error,
      });
    default:
      return error;
  }
}

/** Not where it is upon the change log, or another table of our own: without these nothing can be written, which is a fault. */
const isOfOthers = ({ constraint, table }: PgError): boolean =>
  constraint !== undefined && !constraint.startsWith(OURS) && !table?.startsWith(OURS);

/** What it says is the operator's, and may name what the caller is not to know. */
function refusedByOthers(cause: unknown): Problem {
  const detail = 'A condition or a trigger that was put upon the table in the database refuses this.';
  return new Problem('validation_failed', {
    detail,
    errors: [{ pointer: '/fields', code: 'refused_by_database', detail }],
    cause,
  });
}

/** Whose value it is, only who knows the write can tell. */
function tooLong(cause: unknown): Problem {
  const detail = 'A value is too long for an index of the table (about 2,700 bytes at most).';
  return new Problem('validation_failed', {
    detail,
    errors: [{ pointer: '/fields', code: 'too_long_for_index', detail }],
    cause,
  });
}

/** Whoever knows that a column is required refuses a row without a value before it gets here. */
function valueMissing(pg: PgError, table: TableSchema, cause: unknown): unknown {
  const { constraint } = pg;
  if (isOfOthers(pg)) return refusedByOthers(cause);
  if (!constraint?.startsWith(REQUIRED_PREFIX)) return cause;
  const column = table.columns.find((candidate) => requiredCheckName(candidate) === constraint);
  if (!column?.required) return new SchemaMoved(cause);
  const detail = `${column.key} needs a value.`;
  return new Problem('validation_failed', {
    detail,
    errors: [{ pointer: `/fields/${column.key}`, code: 'required', detail }],
    cause,
  });
}

function uniqueViolation({ constraint, detail: text }: PgError, table: TableSchema, cause: unknown): unknown {
  const asked = constraint?.startsWith(INDEX_PREFIX) ?? false;
  const columns = asked
    ? columnsIn(text, table)
    : table.columns.filter((candidate) => uniqueIndexName(table, candidate) === constraint);
  if (columns.length === 0 && !asked) return cause;
  // PostgreSQL keeps the columns to itself where the role may not read them all (manual: Error and Notice Message Fields).
  return new ValueTaken(columns, '/fields', cause);
}

/** Those of a unique index, which no structure knows: PostgreSQL says `Key (a, b)=(1, 2) already exists.`, in whatever language. */
function columnsIn(detail: string | undefined, table: TableSchema): readonly ColumnSchema[] {
  const names = /\(([^)]*)\)=/.exec(detail ?? '')?.[1]?.split(', ') ?? [];
  return names.flatMap(
    (name) => table.columns.find(({ physical }) => name === physical || name === `"${physical}"`) ?? [],
  );
}

/** One of the names that this server knows and that PostgreSQL does not. */
export function tellingZone(error: unknown): never {
  if (!isUnknownTimeZone(error)) throw error;
  throw invalid([{ pointer: '/tz', code: 'unknown_time_zone', detail: 'The database knows no such time zone.' }]);
}
