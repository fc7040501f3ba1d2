import { must } from '../../common/index.js';
import { kindOf, isStored, isWritable } from '../kind.js';
import { remembered, underName } from '../remember.js';
import type { CellValue, ColumnSchema, Scalar, TableSchema } from '../schema.js';
import { comma, empty, ident, join, sql, texts, type Sql } from '../sql.js';
import { columnType } from '../types/index.js';
import type { RowOp, RowWrite } from '../write-plan.js';
import { bareType } from './physical.js';
import { tableName } from './read.js';
import { instant } from './row-json.js';
import { contexts, numberedAndLogged } from './written-change.js';

type Create = Extract<RowOp, { readonly kind: 'create' }>;

/** Writes that only make rows, of which nothing has to be asked of PostgreSQL to tell what they will be. */
export interface SaidCreates {
  /** Answers with one row for each write: `seq, epoch, at` (a JSON text). */
  readonly statement: Sql;
  /** JSON texts of the fields of the new rows, by write and op. */
  readonly fields: readonly (readonly string[])[];
}

/**
 * The plan of {@link compileWrite} in another form, a third cheaper for PostgreSQL, for new rows in a table whose cells are what is written into them: neither
 * computed, nor numbered, nor JSON that PostgreSQL arranges, nor files whose names it looks up. Undefined for all other writes.
 *
 * What the fields are as JSON is written here and goes with the values, a text for each row and one list for each column: PostgreSQL neither takes
 * JSON apart nor puts it together, nor joins rows to ops, nor gives them back. The types promise the text (`said`), and tests compare
 * it with PostgreSQL's own.
 */
export function sayCreates(table: TableSchema, writes: readonly RowWrite[]): SaidCreates | undefined {
  // The log would miss what the writer does not see.
  if (table.seen) throw new Error('A write is made with the whole table.');
  const cells = saidCells(table);
  if (!cells || !writes.every(onlyCreates)) return undefined;
  const ids: string[] = [];
  const all: string[] = [];
  const columns = cells.map((): (string | null)[] => []);
  const fields: string[][] = [];
  for (const { ops } of writes as readonly (RowWrite & { readonly ops: readonly Create[] })[]) {
    const own: string[] = [];
    for (const { id, values } of ops) {
      const text = sayRow(cells, values, columns);
      if (text === undefined) return undefined;
      ids.push(id);
      own.push(text);
      all.push(text);
    }
    fields.push(own);
  }
  return { statement: statementOf(table, writes, [ids, all, ...columns]), fields };
}

const onlyCreates = ({ ops }: RowWrite): boolean => ops.length > 0 && ops.every(({ kind }) => kind === 'create');

/** How the cells of a column are said and carried. */
interface SaidCell {
  readonly column: ColumnSchema;
  /** `{"key":` of the first, `,"key":` of the others. */
  readonly head: string;
  readonly list: boolean;
  /** JSON text of one value. */
  readonly say: (value: Scalar) => string | undefined;
}

/** Of all columns, in their order; undefined where a cell is more than what is written into it. */
const saidCells = remembered(({ columns }: TableSchema): readonly SaidCell[] | undefined => {
  if (!columns.every((column) => isStored(column) && isWritable(column))) return undefined;
  return columns.map((column, i) => {
    const { type, options, list } = kindOf(column);
    const plugin = columnType(type);
    return {
      column,
      head: `${i === 0 ? '{' : ','}"${column.key}":`,
      list,
      say: (one) => plugin.said?.(one, options),
    };
  });
});

/** JSON text of the fields of a row; its cells are added to the lists of their columns. */
function sayRow(
  cells: readonly SaidCell[],
  values: ReadonlyMap<ColumnSchema, CellValue>,
  columns: readonly (string | null)[][],
): string | undefined {
  if (cells.length === 0) return values.size === 0 ? '{}' : undefined;
  let text = '';
  let met = 0;
  for (let i = 0; i < cells.length; i++) {
    const cell = must(cells[i], 'there is one at each place');
    const given = values.get(cell.column);
    if (given !== undefined) met++;
    const json = sayCell(cell, given ?? null);
    if (json === undefined) return undefined;
    text += cell.head + json;
    columns[i]?.push(carry(given ?? null));
  }
  // A column of another copy of the metadata would be left out silently.
  return met === values.size ? text + '}' : undefined;
}

function sayCell({ list, say }: SaidCell, cell: CellValue): string | undefined {
  if (cell === null) return list ? '[]' : 'null';
  if (!list) return typeof cell === 'object' ? undefined : say(cell);
  if (typeof cell !== 'object') return undefined;
  const elements: string[] = [];
  for (const element of cell) {
    const json = say(element);
    if (json === undefined) return undefined;
    elements.push(json);
  }
  return `[${elements.join(',')}]`;
}

/** As text that PostgreSQL casts to the type of the column. */
function carry(cell: CellValue): string | null {
  if (cell === null) return null;
  if (typeof cell === 'object') return `{${cell.map(quoted).join(',')}}`;
  return typeof cell === 'string' ? cell : String(cell);
}

/** An element of an array in text form (manual 8.15.6). */
const quoted = (element: Scalar): string => `"${String(element).replaceAll(/["\\]/g, '\\$&')}"`;

function statementOf(
  table: TableSchema,
  writes: readonly RowWrite[],
  lists: readonly (readonly (string | null)[])[],
): Sql {
  let next = 1;
  const part = ({ ops }: RowWrite): object => {
    const begins = next;
    next += ops.length;
    return { begins, takes: ops.length };
  };
  const carried = lists.map(texts);
  return sql`with
${contexts(writes, { columns: sql`, begins integer, takes integer`, of: part })},
x as materialized (select w.g, (u.n - w.begins)::integer as o, w.at, w.actor, u.i::uuid as i, u.f${underName(casts(table), 1, '', () => castsOf(table))}
  from unnest(${join(carried, comma)}) with ordinality as ${underName(bodies(table), 1, '', () => bodyOf(table))}`;
}

const casts = remembered((_table: TableSchema) => new Map<string, Sql>());
const bodies = remembered((_table: TableSchema) => new Map<string, Sql>());

const nameOf = (i: number): Sql => ident(`v${i}`);
const eachColumn = ({ columns }: TableSchema, of: (column: ColumnSchema, i: number) => Sql): Sql =>
  join(
    columns.map((column, i) => sql`, ${of(column, i)}`),
    empty,
  );

const castsOf = (table: TableSchema): Sql =>
  eachColumn(table, (column, i) => sql`u.${nameOf(i)}::${bareType(column)} as ${nameOf(i)}`);

/** All of the statement that follows from the table. */
const bodyOf = (table: TableSchema): Sql => sql`u(i, f${eachColumn(table, (_, i) => nameOf(i))}, n)
  join w on u.n >= w.begins and u.n < w.begins + w.takes),
inserted as (insert into ${tableName(table)}
  (_id, _version, _created_at, _created_by, _updated_at, _updated_by${eachColumn(table, ({ physical }) => ident(physical))})
  select i, 1, at, actor, at, actor${eachColumn(table, (_, i) => nameOf(i))} from x returning 1),
changed as not materialized (select g, o, i as _id, 1 as _version, 'create' as op, null::text as before, f as after from x),
${numberedAndLogged(table, sql` where (select count(*) from inserted) = (select count(*) from x)`)}
select taken.base + numbered.n, taken.epoch, ${instant(sql`w.at`)} from w join numbered using (g) cross join taken order by g`;
