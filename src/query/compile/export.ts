import { kindOf, valueType } from '../kind.js';
import type { ReadPlan } from '../plan.js';
import type { ColumnSchema } from '../schema.js';
import { integer, literal, sql, value, type Sql } from '../sql.js';
import { columnType } from '../types/index.js';
import { cellOf, elementsOf } from './cell.js';
import { ROW } from './condition.js';
import { compileOrderBy } from './order.js';
import { fence, kept, rowsOf, streamName, tablesOf } from './read.js';
import { concat, wholeRowJson } from './row-json.js';

/** Everything that a plan finds goes out; pages and counts mean nothing to a file. */
export type ExportPlan = Pick<ReadPlan, 'from' | 'select' | 'where' | 'orderBy' | 'asOf'>;

export const EXPORT_FORMATS = ['csv', 'ndjson'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/**
 * What a spreadsheet would take for a formula, and the same behind apostrophes: such a text gets one more apostrophe. Those that
 * have some already get one too, or nobody could tell afterwards how many there were.
 */
export const FORMULA = "^'*[=+@\\t\\r-]";

/** Which version the structure has in the snapshot of this transaction: one row, or none where a table that is read besides has another. */
export const compileExportFence = (plan: ExportPlan): Sql =>
  sql`select s.schema_version from ${streamName(plan.from)} s where s.table_id = ${value(plan.from.id, 'uuid')}${fence(plan.from, tablesOf(plan))}${kept(plan)}`;

/** Opens the cursor that {@link compileFetch} reads: one column, the line of a row without its end. */
export function compileExport(plan: ExportPlan, format: ExportFormat): Sql {
  const { from, where } = rowsOf(plan);
  return sql`declare rows_out no scroll cursor for select ${line(plan, format)} from ${from} where ${where} order by ${compileOrderBy(plan.orderBy)}`;
}

function line({ from, select }: ExportPlan, format: ExportFormat): Sql {
  return format === 'ndjson' ? wholeRowJson(ROW, select, from.physical) : csvLine(select);
}

/** A row of RFC 4180 in which nothing is null and `""` is the empty text. */
function csvLine(columns: readonly ColumnSchema[]): Sql {
  if (columns.length === 0) return sql`''`;
  return concat(columns.flatMap((column, i) => (i === 0 ? [csvCell(column)] : [sql`','`, csvCell(column)])));
}

/** Lists are JSON lists of what the import takes, empty ones nothing. */
function csvCell(column: ColumnSchema): Sql {
  if (!kindOf(column).list) return csvValue(cellOf(column, ROW), column);
  const { from, element, order } = elementsOf(column, ROW);
  return sql`(select ${quoted(sql`concat('[', string_agg(${elementJson(element, column)}, ',' order by ${order}), ']')`)} ${from} having count(*) > 0)`;
}

/** Files by their ids: what else is told of them cannot be written. */
function elementJson(element: Sql, column: ColumnSchema): Sql {
  const type = valueType(column);
  // An id leads nowhere here, so it does not matter to which schema it would.
  return (type.family === 'id' ? columnType('link') : type).toJson(element, { schema: '' });
}

function csvValue(cell: Sql, column: ColumnSchema): Sql {
  const type = valueType(column);
  switch (type.bind) {
    case 'text':
      return type.family === 'text' ? csvText(cell) : cell;
    case 'jsonb':
      return quoted(sql`${cell}::text`);
    case 'timestamptz':
      return sql`trim('"' from ${type.toJson(cell, { schema: '' })})`;
    default:
      return sql`${cell}::text`;
  }
}

/** Blanks at the ends belong to a cell, but not everybody knows. */
const NEEDS_QUOTES = '[",\\r\\n]|^$|^\\s|\\s$';

/** One look tells of most texts that they can stay as they are. */
function csvText(text: Sql): Sql {
  const guard = sql`case when ${text} ~ ${literal(FORMULA)} then '''' else '' end`;
  return sql`case when ${text} ~ ${literal(`${NEEDS_QUOTES}|${FORMULA}`)} then ${quoted(sql`(${guard} || ${text})`)} else ${text} end`;
}

/** Null of null. */
const quoted = (text: Sql): Sql => sql`'"' || replace(${text}, '"', '""') || '"'`;

/** The next lines of the cursor. */
export const compileFetch = (rows: number): Sql => sql`fetch ${integer(rows)} from rows_out`;
