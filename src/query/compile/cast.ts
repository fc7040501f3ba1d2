import { isStored, isWritable, kindOf } from '../kind.js';
import type { ColumnOptions, ColumnSchema, ColumnTypeName, TableSchema, ValueKind } from '../schema.js';
import { columnType } from '../types/index.js';
import { MAX_DIGITS } from '../types/number.js';
import { empty, ident, integer, join, literal, sql, value, type Sql } from '../sql.js';
import { tableName } from './read.js';

/*
 * Conversions of cells in SQL. They are total: what cannot be converted is null and never an error, because one row must not
 * keep a million others from it. A `case` decides before it computes (manual 9.18.1), so each cast is behind its own test.
 */

/** A cast of a value that is not null. */
type Cast = (cell: Sql, options: ColumnOptions, from: ValueKind) => Sql;

/**
 * The cell of another type that a cell of the column becomes, null where it cannot be; undefined where these types do not
 * convert at all. `cell` may be null.
 */
export function castCell(from: ValueKind, to: ValueKind, cell: Sql): Sql | undefined {
  const cast = castOf(from, to);
  if (!cast) return undefined;
  if (from.list && to.list) return eachElement(cell, (element) => cast(element, to.options, from));
  if (from.list) return cast(onlyElement(from, to, cell), to.options, from);
  if (!to.list) return cast(cell, to.options, from);
  // Texts are taken apart at their commas; anything else is the only element.
  return isText(from)
    ? eachElement(sql`string_to_array(${cell}, ',')`, (part) => cast(sql`trim(${part})`, to.options, from))
    : sql`case when ${cast(cell, to.options, from)} is not null then array[${cast(cell, to.options, from)}] end`;
}

/** Whether a column of the type can be made of another one. */
export const canBecome = (column: Pick<ColumnSchema, 'type' | 'derived'>): boolean =>
  isStored(column) && isWritable(column) && column.type !== 'attachment';

const isText = ({ type }: Pick<ValueKind, 'type'>): boolean => columnType(type).family === 'text';

/** All elements converted, in order, each once; null when one of them cannot be, or there is none. */
const eachElement = (list: Sql, convert: (element: Sql) => Sql): Sql =>
  sql`(select case when bool_and(v is not null) then array_agg(v order by o) end
  from (select v, min(o) as o from (select ${convert(sql`e`)} as v, o from unnest(${list}) with ordinality u(e, o)) each group by v) once)`;

/** A list as one value: texts join its elements, other types take it only when it has one. */
const onlyElement = (from: ValueKind, to: ValueKind, list: Sql): Sql =>
  isText(to)
    ? sql`(select string_agg(${plainText(from, sql`e`)}, ', ' order by o) from unnest(${list}) with ordinality u(e, o))`
    : sql`(case when cardinality(${list}) = 1 then ${list} end)[1]`;

/** The text of a value from which other types are read: what a person reads, but times in full. */
function plainText({ type, options }: ValueKind, cell: Sql): Sql {
  if (type === 'datetime') return sql`to_char(${cell}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  return columnType(type).toText(cell, options);
}

function castOf(from: ValueKind, to: ValueKind): Cast | undefined {
  const [source, target] = [columnType(from.type), columnType(to.type)];
  if (source.family === 'id' || target.family === 'id') return from.type === to.type ? (cell) => cell : undefined;
  if (target.name === 'json') return (cell, _options, { type }) => (type === 'json' ? cell : sql`to_jsonb(${cell})`);
  if (source.family === 'number' && target.family === 'number')
    return (cell, options) => number(to.type, sql`${cell}::numeric`, options);
  if (source.family === 'date' && target.family === 'datetime')
    return (cell) => sql`(${cell}::timestamp at time zone 'UTC')`;
  if (source.family === 'datetime' && target.family === 'date')
    return (cell) => sql`(${cell} at time zone 'UTC')::date`;
  const read = READERS[to.type];
  if (!read) return undefined;
  // A list that became one text is text already.
  return (cell, options) => read(from.list && isText(to) ? cell : plainText(from, cell), options, from);
}

const NUMBER = '^[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d{1,2})?$';

/** A number within what the type keeps, without losing a digit. */
function number(type: ColumnTypeName, n: Sql, { scale, max = 5 }: ColumnOptions): Sql {
  if (columnType(type).bind === 'numeric') {
    const digits = integer(MAX_DIGITS - (scale ?? 0));
    const exact = scale === undefined ? sql`true` : sql`${n} = round(${n}, ${integer(scale)})`;
    return sql`case when ${exact} and abs(${n}) < power(10::numeric, ${digits}) then ${scale === undefined ? n : sql`round(${n}, ${integer(scale)})`} end`;
  }
  const bounds =
    type === 'rating' ? sql`${n} between 1 and ${integer(max)}` : sql`abs(${n}) <= ${integer(Number.MAX_SAFE_INTEGER)}`;
  return sql`case when ${bounds} and ${n} = trunc(${n}) then ${n}::bigint end`;
}

const matches = (text: Sql, pattern: string): Sql => sql`${text} ~ ${literal(pattern)}`;

const fromNumber =
  (type: ColumnTypeName): Cast =>
  (text, options) =>
    sql`case when length(${text}) <= 100 and ${matches(sql`trim(${text})`, NUMBER)} then ${number(type, sql`trim(${text})::numeric`, options)} end`;

const DAY = '(\\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])';

/** A day that exists: the pattern lets 30 February through, the length of the month does not. */
function day(text: Sql): Sql {
  const month = sql`make_date(substr(${text}, 1, 4)::int, substr(${text}, 6, 2)::int, 1)`;
  return sql`case when substr(${text}, 1, 4) <> '0000'
    and substr(${text}, 9, 2)::int <= extract(day from ${month} + interval '1 month' - interval '1 day') then ${month} + (substr(${text}, 9, 2)::int - 1) end`;
}

const TIME = 'T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,3})?(Z|[+-](0\\d|1[0-5]):[0-5]\\d)';

function instant(text: Sql): Sql {
  const at = sql`${text}::timestamptz`;
  return sql`case when ${day(text)} is not null and ${at} >= '0001-01-01T00:00:00Z'::timestamptz and ${at} < '10000-01-01T00:00:00Z'::timestamptz then ${at} end`;
}

const limited = (text: Sql, most: number): Sql => sql`case when length(${text}) <= ${integer(most)} then ${text} end`;
const like = (text: Sql, pattern: string, most: number): Sql =>
  sql`case when length(trim(${text})) <= ${integer(most)} and ${matches(sql`trim(${text})`, pattern)} then trim(${text}) end`;

/** By label or key, the key where they differ in what they mean. */
const choice: Cast = (text, { choices = [] }) => {
  if (choices.length === 0) return sql`null::text`;
  const labels = choices.map(({ key, label }) => sql`when ${text} = ${literal(label)} then ${literal(key)}`);
  const keys = choices.map(({ key }) => sql`when ${text} = ${literal(key)} then ${literal(key)}`);
  return sql`case ${join([...keys, ...labels], sql` `)} end`;
};

const NAME = '[^\\s@<>()\\[\\],;:"]';

/** How values of each type are read from a text. */
const READERS: Partial<Readonly<Record<ColumnTypeName, Cast>>> = {
  text: (text, { maxLength = 100_000 }) => limited(text, maxLength),
  long_text: (text) => limited(text, 1_000_000),
  integer: fromNumber('integer'),
  decimal: fromNumber('decimal'),
  currency: fromNumber('currency'),
  percent: fromNumber('percent'),
  rating: fromNumber('rating'),
  duration: (text, options, from) =>
    sql`case when ${matches(text, '^-?\\d{1,9}:[0-5]\\d(:[0-5]\\d)?$')}
    then (case when ${text} like '-%' then -1 else 1 end * extract(epoch from make_interval(hours => ltrim(split_part(${text}, ':', 1), '-')::int,
      mins => split_part(${text}, ':', 2)::int, secs => coalesce(nullif(split_part(${text}, ':', 3), ''), '0')::int)))::bigint
    else ${fromNumber('duration')(text, options, from)} end`,
  boolean: (text) =>
    sql`case when lower(trim(${text})) in ('true', 'yes', '1') then true when lower(trim(${text})) in ('false', 'no', '0') then false end`,
  date: (text) => sql`case when ${matches(sql`trim(${text})`, `^${DAY}$`)} then ${day(sql`trim(${text})`)} end`,
  datetime: (text) =>
    sql`case when ${matches(sql`trim(${text})`, `^${DAY}${TIME}$`)} then ${instant(sql`trim(${text})`)}
    when ${matches(sql`trim(${text})`, `^${DAY}$`)} then ${day(sql`trim(${text})`)}::timestamp at time zone 'UTC' end`,
  single_select: choice,
  multi_select: choice,
  url: (text) => like(text, '^[hH][tT][tT][pP][sS]?://[^\\s/?#@:]+(:\\d{1,5})?([/?#]\\S*)?$', 8_000),
  email: (text) => like(text, `^${NAME}{1,64}@${NAME}+\\.${NAME}+$`, 254),
  phone: (text) => like(text, '^(?=(\\D*\\d){3})\\+?[\\d ()./-]{3,40}$', 64),
};

/** A conversion inside one table, with the hidden column that it fills. */
export interface Conversion {
  readonly table: TableSchema;
  readonly from: ColumnSchema;
  readonly to: ColumnSchema;
}

/** The new cell; undefined where the types do not convert. */
export const convertedCell = ({ from, to }: Pick<Conversion, 'from' | 'to'>, alias: string): Sql | undefined =>
  castCell(kindOf(from), kindOf(to), ident(alias, from.physical));

/**
 * What a conversion would come to: `rows, with a value, of them failing, samples [{rowId, text}] as JSON, digest of all values`;
 * rows in the trash count, too. The digest does not depend on the order of the rows.
 */
export function tryConversion(conversion: Conversion, converted: Sql, samples: number): Sql {
  const { table, from } = conversion;
  const cell = ident('t', from.physical);
  const fails = sql`${cell} is not null and (${converted}) is null`;
  const first = sql`(select coalesce(json_agg(json_build_object('rowId', _id, 'text', ${sampleText(from)}) order by _id), '[]')
    from (select t.* from ${tableName(table)} t where ${fails} order by t._id limit ${integer(samples)}) t)`;
  // Looked for only where there are some: it would read the whole table once more.
  return sql`select count(*), count(${cell}), count(*) filter (where ${fails}),
  case when count(*) filter (where ${fails}) > 0 then ${first} else '[]' end,
  count(*) || ' ' || coalesce(sum(hashtextextended(t._id::text || ' ' || ${cell}::text, 0)::numeric), 0)
from ${tableName(table)} t`;
}

const sampleText = (from: ColumnSchema): Sql =>
  kindOf(from).list
    ? sql`array_to_string(${ident('t', from.physical)}, ', ')`
    : sql`left(${plainText(kindOf(from), ident('t', from.physical))}, 1000)`;

/** Different texts of the cells, as many as may become choices and one more: rows `text`. */
export function distinctTexts({ table, from }: Pick<Conversion, 'table' | 'from'>, most: number): Sql {
  const cell = ident('t', from.physical);
  const text = kindOf(from).list ? empty : plainText(kindOf(from), cell);
  const source = kindOf(from).list
    ? sql`select distinct e as v from ${tableName(table)} t, unnest(${cell}) as e`
    : sql`select distinct trim(${text}) as v from ${tableName(table)} t where ${cell} is not null`;
  return sql`select v from (${source}) d where v <> '' order by v limit ${integer(most + 1)}`;
}

/** How many rows there are, those in the trash too; counts no further than just past `most`. */
export const countUpTo = (table: TableSchema, most: number): Sql =>
  sql`select count(*) from (select from ${tableName(table)} limit ${integer(most + 1)}) r`;

/** Fills the hidden column of every row, those in the trash too. */
export const fillConverted = (table: TableSchema, hidden: string, converted: Sql): Sql =>
  sql`update ${tableName(table)} t set ${ident(hidden)} = ${converted}`;

/** For statements that may take longer than those of requests. */
export const withTimeout = (seconds: number): Sql =>
  sql`select set_config('statement_timeout', ${value(`${seconds}s`, 'text')}, true)`;
