import { must } from '../../../common/index.js';
import { casePattern } from '../../case-pattern.js';
import { columnsOf } from '../../formula/expression.js';
import type { Bucket } from '../../group-plan.js';
import type { Form } from '../../object-schema.js';
import { kindOf } from '../../kind.js';
import type { Comparison } from '../../plan.js';
import type { ColumnSchema, Scalar, ValueKind } from '../../schema.js';
import { comma, integer, join, sql, untyped, value, type Sql } from '../../sql.js';
import { COMPARISON } from '../comparison.js';
import { mysqlFormulaSql } from '../formula/mysql.js';
import type { FormedCell, SqlDialect } from './dialect.js';

/*
 * Written for sessions with ANSI_QUOTES and NO_BACKSLASH_ESCAPES, so that identifiers and literals are quoted as everywhere, and for
 * statements that the server prepares: `toPositional` leaves no value in the text.
 */

/** How MySQL and MariaDB keep values of a native type, one row for each. */
interface MysqlForm {
  /** What rows are sorted and compared by; the cell itself, so that indexes serve, where its order is the product's. */
  readonly key: (cell: Sql) => Sql;
  /** A canonical value, or one that the driver gave, in the form of the key. */
  readonly bind: (v: string) => Sql;
  /** The key without it. */
  readonly canonical?: (cell: Sql) => Sql;
  /** What the driver is given of a cell; the cell without it. */
  readonly show?: (cell: Sql) => Sql;
  /** The text that is shown of a cell in the end, where the driver is given another. */
  readonly text?: (cell: Sql) => Sql;
  /** A condition that an index of the column can serve, and that all equal values fulfil. */
  readonly near?: true;
  /** Null where null is shown of the cell; the cell itself without it. */
  readonly orNull?: (cell: Sql) => Sql;
  readonly incomparable?: true;
  /** The cell as formulas take it; absent where they would not take it for exactly what is shown of it. */
  readonly operand?: (cell: Sql) => Sql;
  /** How a value is stored. */
  readonly store?: (v: string) => Sql;
}

const itself = (cell: Sql): Sql => cell;
const param = (v: string): Sql => value(v, 'text');
/** By bytes of UTF-8: by code point, whatever character set and collation the column has. */
const bytes = (text: Sql): Sql => sql`cast(convert(${text} using utf8mb4) as binary)`;
const asBytes = (v: string): Sql => sql`cast(${param(v)} as binary)`;
const utf8 = (text: Sql): Sql => sql`convert(${text} using utf8mb4)`;
/** With as many digits behind the point as the value has: 65 is the most of all digits together, and what is beyond is cut off unsaid. */
const asDecimal = (v: string): Sql => {
  const point = v.indexOf('.');
  return sql`cast(${param(v)} as decimal(65, ${integer(point < 0 ? 0 : Math.min(30, v.length - point - 1))}))`;
};
const hexText = (cell: Sql): Sql => sql`concat('\\x', lower(hex(${cell})))`;
/** `2026-12-01T09:00:00.000Z` as MySQL has it; what a driver gave is so already. */
const instant = (v: string): string => v.replace('T', ' ').replace(/Z$/, '');
const asInstant = (v: string): Sql => sql`cast(${param(instant(v))} as datetime(6))`;
/** What is kept in the place of a date that is none (`2026-00-00`, `0000-05-05`) is shown as no value. */
const proper = (cell: Sql): Sql =>
  sql`case when year(${cell}) > 0 and month(${cell}) > 0 and dayofmonth(${cell}) > 0 then ${cell} end`;
const truth = (v: string): Sql => (v === 'true' || v === '1' ? sql`true` : sql`false`);

/** Whole numbers of up to 64 bits, with and without sign: any decimal can be compared with them. */
const whole = (v: string): Sql => (/^-?\d{1,18}$/.test(v) ? sql`cast(${param(v)} as signed)` : asDecimal(v));

const properInstant = (cell: Sql): Sql => proper(sql`cast(${cell} as datetime(6))`);
/** Rows are sorted by what is kept, for the sake of indexes: what is no value stands in front of all that are, but for a part of a date. */
const DAY = { key: itself, canonical: proper, operand: proper, orNull: proper } as const;

const TEXT = { key: bytes, bind: asBytes, show: utf8, operand: itself } as const;

export const MYSQL_FORMS = {
  text: { ...TEXT, near: true },
  /** enum and set: their cells compare as numbers otherwise. */
  enumLike: TEXT,
  binary: {
    key: (cell) => bytes(hexText(cell)),
    bind: asBytes,
    show: (cell) => sql`lower(hex(${cell}))`,
    text: hexText,
    operand: hexText,
    store: (v) => sql`unhex(${param(v.replace(/^\\x/, ''))})`,
  },
  int: { key: itself, bind: whole, operand: itself },
  /** A year that is compared with a number below 100 takes that for one of this century or the last. */
  year: { key: (cell) => sql`(${cell} + 0)`, bind: whole, operand: (cell) => sql`(${cell} + 0)` },
  bigint: { key: itself, bind: whole, operand: itself },
  /** Up to 64 bits. */
  bit: {
    key: (cell) => sql`(${cell} + 0)`,
    bind: whole,
    show: (cell) => sql`(${cell} + 0)`,
    operand: (cell) => sql`(${cell} + 0)`,
    store: (v) => sql`cast(${param(v)} as unsigned)`,
  },
  decimal: { key: itself, bind: asDecimal, operand: itself },
  double: {
    key: itself,
    bind: (v) => sql`cast(${param(v)} as double)`,
    canonical: (cell) => sql`cast(${cell} as decimal(65, 30))`,
    // The digits that are left have room for all numbers that formulas can hold.
    operand: (cell) => sql`cast(${cell} as decimal(65, 18))`,
  },
  boolean: {
    key: (cell) => sql`(${cell} <> 0)`,
    bind: truth,
    show: (cell) => sql`(${cell} <> 0)`,
    operand: (cell) => sql`(${cell} <> 0)`,
    store: truth,
  },
  date: { ...DAY, bind: (v) => sql`cast(${param(v)} as date)` },
  datetime: { ...DAY, bind: asInstant, store: (v) => param(instant(v)) },
  timestamp: {
    ...DAY,
    bind: asInstant,
    canonical: properInstant,
    operand: properInstant,
    store: (v) => param(instant(v)),
  },
  /** Can be negative, and longer than a day. */
  time: {
    key: (cell) => bytes(sql`cast(${cell} as char)`),
    bind: asBytes,
    show: (cell) => sql`cast(${cell} as char)`,
    operand: (cell) => sql`cast(${cell} as char)`,
  },
  json: {
    key: itself,
    bind: param,
    show: (cell) => sql`cast(${cell} as char)`,
    orNull: (cell) => sql`nullif(json_type(${cell}), 'NULL')`,
    incomparable: true,
  },
  geometry: {
    key: (cell) => bytes(sql`st_astext(${cell})`),
    bind: asBytes,
    show: (cell) => sql`st_astext(${cell})`,
    store: (v) => sql`st_geomfromtext(${param(v)})`,
  },
  /** A canonical text that a subquery made. */
  bytes: { key: itself, bind: asBytes, show: utf8, operand: itself },
} as const satisfies Record<string, MysqlForm>;

export type MysqlFormName = keyof typeof MYSQL_FORMS;

const form = (name: Form): MysqlForm => must(MYSQL_FORMS[name as MysqlFormName], 'a form of MySQL');
const bind = ({ form: name }: FormedCell, v: Scalar): Sql => form(name).bind(String(v));
const keyOf = ({ form: name, sql: cell }: FormedCell): Sql => form(name).key(cell);

/** How values are kept that a subquery made. */
function formOfKind({ type }: ValueKind): MysqlFormName {
  switch (type) {
    case 'integer':
      return 'int';
    case 'decimal':
      return 'decimal';
    case 'boolean':
      return 'boolean';
    case 'date':
      return 'date';
    case 'datetime':
      return 'datetime';
    default:
      return 'bytes';
  }
}

/** Digits behind the point of an average. */
const AVERAGE_SCALE = 10;

function firstDay({ unit }: Bucket, cell: Sql): Sql {
  switch (unit) {
    case 'hour':
      return sql`cast(date_format(${cell}, '%Y-%m-%d %H:00:00') as datetime(6))`;
    case 'day':
      return sql`date(${cell})`;
    case 'week':
      return sql`date_sub(date(${cell}), interval weekday(${cell}) day)`;
    case 'month':
      return sql`cast(date_format(${cell}, '%Y-%m-01') as date)`;
    case 'quarter':
      return sql`cast(concat(date_format(${cell}, '%Y-'), lpad(3 * quarter(${cell}) - 2, 2, '0'), '-01') as date)`;
    case 'year':
      return sql`cast(date_format(${cell}, '%Y-01-01') as date)`;
  }
}

const orNull = ({ form: name, sql: cell }: FormedCell): Sql => {
  const { orNull: made } = form(name);
  return made ? sql`(${made(cell)})` : cell;
};
/** Of what is kept in the place of no value, nothing holds. */
const ofValues = (cell: FormedCell, condition: Sql): Sql =>
  form(cell.form).orNull ? sql`(${condition} and ${orNull(cell)} is not null)` : condition;

/** MySQL from 8.0, MariaDB from 10.5 on. The session's time zone is UTC. */
export const MYSQL: SqlDialect = {
  formOf: formOfKind,
  isComparable: (name) => form(name).incomparable !== true,
  key: keyOf,
  bindKey: (name, v) => form(name).bind(String(v)),
  moment: (at) => sql`cast(${param(instant(at.toISOString()))} as datetime(3))`,
  canonical: ({ form: name, sql: cell }) => (form(name).canonical ?? form(name).key)(cell),
  compare(cell, op: Comparison, v) {
    const [left, right] = [keyOf(cell), bind(cell, v)];
    if (op === 'neq') return sql`not (${left} <=> ${right})`;
    const exact = sql`${left} ${COMPARISON[op]} ${right}`;
    if (op !== 'eq') return ofValues(cell, exact);
    return form(cell.form).near ? sql`(${cell.sql} = ${param(String(v))} and ${exact})` : exact;
  },
  oneOf(cell, values) {
    const list = (each: (v: Scalar) => Sql): Sql => join(values.map(each), comma);
    const exact = sql`${keyOf(cell)} in (${list((v) => bind(cell, v))})`;
    return form(cell.form).near ? sql`(${cell.sql} in (${list((v) => param(String(v)))}) and ${exact})` : exact;
  },
  between: (cell, low, high) => ofValues(cell, sql`${keyOf(cell)} between ${bind(cell, low)} and ${bind(cell, high)}`),
  match({ form: name, sql: cell }, mode, part) {
    const { show = itself, text = show } = form(name);
    return sql`(${utf8(text(cell))} collate utf8mb4_bin) regexp ${param(casePattern(part, mode))}`;
  },
  isNull: (cell) => sql`${orNull(cell)} is null`,
  isNotNull: (cell) => sql`${orNull(cell)} is not null`,
  isEmpty: ({ form: name, sql: cell }) => sql`coalesce(length(${(form(name).text ?? itself)(cell)}), 0) = 0`,
  same: (a, b) => sql`(${a} <=> ${b})`,
  joined(a, b) {
    const exact = sql`${MYSQL.canonical(a)} = ${MYSQL.canonical(b)}`;
    if (a.form !== b.form) return exact;
    return form(a.form).near ? sql`(${a.sql} = ${b.sql} and ${exact})` : ofValues(a, sql`${keyOf(a)} = ${keyOf(b)}`);
  },
  // MariaDB takes such a comparison for one that no null passes, and makes an inner join of a left one.
  comparesRowsWithNulls: false,
  bucket: (bucket, _isInstant, cell) => firstDay(bucket, cell),
  aggregate({ fn, column }, cell) {
    const { options } = kindOf(column);
    switch (fn) {
      case 'count':
        return sql`count(${cell})`;
      case 'countDistinct':
        return sql`count(distinct ${cell})`;
      case 'min':
        return sql`min(${cell})`;
      case 'max':
        return sql`max(${cell})`;
      case 'sum':
        return sql`coalesce(sum(${cell}), cast(0 as decimal(65, ${integer(Math.min(options.scale ?? 0, 30))})))`;
      case 'avg':
        // A quotient of decimals has but four digits more than what is divided.
        return sql`round(cast(sum(${cell}) as decimal(65, 30)) / count(${cell}), ${integer(AVERAGE_SCALE)})`;
    }
  },
  formula(expression, cell) {
    const operand = (column: ColumnSchema): Sql | undefined => {
      const { form: name, sql: made } = cell(column);
      return form(name).operand?.(made);
    };
    if (columnsOf(expression).some((column) => operand(column) === undefined)) return undefined;
    return mysqlFormulaSql(expression, (column) => must(operand(column), 'a cell that formulas can take'));
  },
  show: (outputs) => outputs.map(({ cell }) => (form(cell.form).show ?? itself)(cell.sql)),
  store({ form: name }, v) {
    if (v === null) return sql`null`;
    const text = String(v);
    return form(name).store?.(text) ?? untyped(text);
  },
};

/**
 * The same without the conditions for indexes, which compare texts as the database does: it refuses to where two columns have other collations, and
 * where the character set of a column lacks a sign of the value.
 */
export const MYSQL_BY_BYTES: SqlDialect = {
  ...MYSQL,
  compare: (cell, op, v) => MYSQL.compare(withoutNear(cell), op, v),
  oneOf: (cell, values) => MYSQL.oneOf(withoutNear(cell), values),
  joined: (a, b) => MYSQL.joined(withoutNear(a), withoutNear(b)),
};

/** In the form that is bound and compared by the same bytes, and by nothing else. */
function withoutNear(cell: FormedCell): FormedCell {
  return cell.form === 'text' ? { ...cell, form: 'enumLike' } : cell;
}
