import { casePattern, type MatchMode } from '../../case-pattern.js';
import type { Bucket } from '../../group-plan.js';
import type { Form } from '../../object-schema.js';
import { must } from '../../../common/index.js';
import type { Comparison } from '../../plan.js';
import type { CellValue, Scalar, ValueKind } from '../../schema.js';
import { empty, join, literal, sql, untyped, value, type Sql, type SqlType } from '../../sql.js';
import { aggregate } from '../cell.js';
import { COMPARISON } from '../comparison.js';
import { bucketStart } from '../groups.js';
import { jsonTest } from '../json-path.js';
import { concat } from '../row-json.js';
import type { FormedCell, Shown, SqlDialect } from './dialect.js';

/** How PostgreSQL keeps values of a native type, one row for each. */
interface PostgresForm {
  /** Type that canonical values are bound as, where they can be without becoming others. */
  readonly bind?: (v: string) => SqlType | undefined;
  /** What the driver gave of a key is of this type, where it is not always what {@link bind} says. */
  readonly keyType?: SqlType;
  /** What {@link canonical} cells are compared with, where a value cannot be bound; texts without it. */
  readonly beyond?: SqlType;
  /** What rows are sorted and compared by; the cell itself, so that indexes serve, where its order is the product's. */
  readonly key: (cell: Sql) => Sql;
  /** A bound value in the form of the key, where it takes more than to bind it. */
  readonly bound?: (v: Sql) => Sql;
  /** Of the type of {@link FORM_OF}; the key without it. */
  readonly canonical?: (cell: Sql) => Sql;
  /** JSON text. */
  readonly json: (cell: Sql) => Sql;
  /** Absent where cells cannot be compared. */
  readonly incomparable?: true;
  /** Other than texts, whose values any text can be compared with as texts. */
  readonly asText?: (cell: Sql) => Sql;
  /** Bound in this form to be stored; the database casts it to the type of the column. */
  readonly store?: (v: string) => Sql;
}

const as = (type: SqlType) => (): SqlType => type;
const quoted = (cell: Sql): Sql => sql`'"' || ${cell} || '"'`;
const texted = (cell: Sql): Sql => sql`${cell}::text collate "C"`;
const textJson = (cell: Sql): Sql => sql`to_json(${cell}::text)::text`;
const itself = (cell: Sql): Sql => cell;
/** JSON text without the line ends that `json` keeps as they were written: they are blanks, and rows are told apart by line ends. */
const onOneLine = (json: Sql): Sql => sql`translate(${json}, E'\\n\\r', '  ')`;

/** As plain decimal notation: the shortest text of a double may have an exponent. Of what is no number the name remains. */
const plain = (cell: Sql): Sql =>
  sql`case when ${cell}::text in ('NaN', 'Infinity', '-Infinity') then ${cell}::text else ${cell}::text::numeric::text end`;

/**
 * RFC 3339 with three digits of fraction, and more where there are more; of what it has no words for (infinity, years before Christ), PostgreSQL's. to_json takes half of the time of to_char; it leaves out zeros at the
 * end of the fraction, but with one microsecond more there are always six digits to cut three from.
 */
const instantJson = (cell: Sql, own = cell): Sql =>
  sql`case when ${cell} >= timestamptz '0001-01-01 00:00:00+00' and ${cell} < timestamptz '10000-01-01 00:00:00+00'
    then case when date_trunc('milliseconds', ${cell}) = ${cell} then left(to_json(${cell} + interval '1 microsecond')::text, 24) || 'Z"'
      else replace(to_json(${cell})::text, '+00:00"', 'Z"') end
    else '"' || ${own}::text || '"' end`;

const INT8 = 9_223_372_036_854_775_807n;
const isInt8 = (v: string): boolean => /^-?\d{1,19}$/.test(v) && BigInt(v) <= INT8 && BigInt(v) >= -INT8;

/** Whether a binary number of so many digits, and from 10^-e to 10^e, is still this value when it is written down again. */
const holds =
  (digits: number, e: number) =>
  (v: string): boolean => {
    if (!/[1-9]/.test(v)) return true;
    const size = Math.abs(Number(v));
    return size >= 10 ** -e && size < 10 ** e && significant(v).length <= digits;
  };
const significant = (v: string): string => v.replace(/^-?[0.]*|\./g, '').replace(/0+$/, '');
const isReal = holds(6, 37);
const isDouble = (v: string): boolean => holds(15, 307)(v) || String(Number(v)) === v;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const POSTGRES_FORMS = {
  /** text, varchar: equality is that of bytes under every deterministic collation, so indexes serve it. */
  text: { bind: as('text'), key: (cell) => sql`${cell} collate "C"`, json: (cell) => sql`to_json(${cell})::text` },
  /** Whatever else is shown as a text: char, citext, enums, intervals, networks … */
  otherText: { bind: as('text'), key: texted, json: textJson },
  /** The order of the bytes is that of the texts. */
  uuid: {
    bind: (v) => (UUID.test(v) ? 'uuid' : undefined),
    keyType: 'uuid',
    key: itself,
    canonical: texted,
    json: quoted,
    asText: texted,
  },
  int: {
    bind: as('bigint'),
    key: itself,
    canonical: (cell) => sql`${cell}::bigint`,
    json: (cell) => sql`${cell}::text`,
  },
  /** 64 bits: more than a JSON number holds. */
  bigint: {
    bind: (v) => (isInt8(v) ? 'bigint' : 'numeric'),
    key: itself,
    canonical: (cell) => sql`${cell}::numeric`,
    json: quoted,
  },
  oid: {
    bind: (v) => (isInt8(v) ? 'bigint' : 'numeric'),
    key: (cell) => sql`${cell}::bigint`,
    canonical: (cell) => sql`${cell}::bigint::numeric`,
    json: quoted,
  },
  numeric: { bind: as('numeric'), key: itself, json: (cell) => quoted(sql`${cell}::text`) },
  money: {
    bind: as('numeric'),
    key: (cell) => sql`${cell}::numeric`,
    json: (cell) => quoted(sql`${cell}::numeric::text`),
    // Its texts are read as people of the server's country write them.
    store: (v) => value(v, 'numeric'),
  },
  real: {
    bind: (v) => (isReal(v) ? 'real' : undefined),
    keyType: 'real',
    beyond: 'numeric',
    key: itself,
    canonical: (cell) => sql`${cell}::text::numeric`,
    json: (cell) => quoted(plain(cell)),
  },
  double: {
    bind: (v) => (isDouble(v) ? 'double precision' : undefined),
    keyType: 'double precision',
    beyond: 'numeric',
    key: itself,
    canonical: (cell) => sql`${cell}::text::numeric`,
    json: (cell) => quoted(plain(cell)),
  },
  boolean: { bind: as('boolean'), key: itself, json: (cell) => sql`${cell}::text` },
  date: { bind: as('date'), key: itself, json: (cell) => quoted(sql`${cell}::text`) },
  timestamptz: { bind: as('timestamptz'), key: itself, json: instantJson },
  /** Without a zone: read as UTC. */
  timestamp: {
    bind: as('timestamptz'),
    key: itself,
    bound: (v) => sql`(${v} at time zone 'UTC')`,
    canonical: (cell) => sql`(${cell} at time zone 'UTC')`,
    json: (cell) => instantJson(sql`(${cell} at time zone 'UTC')`, cell),
  },
  bytea: {
    bind: as('text'),
    key: (cell) => sql`('\\x' || encode(${cell}, 'hex')) collate "C"`,
    json: (cell) => sql`'"\\\\x' || encode(${cell}, 'hex') || '"'`,
    store: (v) => sql`decode(${value(v.replace(/^\\x/, ''), 'text')}, 'hex')`,
  },
  jsonb: { key: itself, json: (cell) => onOneLine(sql`${cell}::text`), incomparable: true },
  /** Arrays and records, shown as JSON. */
  composite: { key: itself, json: (cell) => onOneLine(sql`to_json(${cell})::text`), incomparable: true },
} as const satisfies Record<string, PostgresForm>;

export type PostgresFormName = keyof typeof POSTGRES_FORMS;

const form = (name: Form): PostgresForm => must(POSTGRES_FORMS[name as PostgresFormName], 'a form of PostgreSQL');

/** What a value is as text; values of a cursor are texts of the driver. */
const textOf = (v: Scalar): string => String(v);

function bound(name: Form, v: Scalar): Sql | undefined {
  const { bind, bound: through = itself } = form(name);
  const type = bind?.(textOf(v));
  return type === undefined ? undefined : through(value(v, type));
}

/** Where a value cannot be one of the form: compared with canonical cells, or as the text that is shown. */
function asTexts(cell: FormedCell, v: Scalar): { readonly left: Sql; readonly right: Sql } {
  const right = bound(cell.form, v);
  if (right !== undefined) return { left: form(cell.form).key(cell.sql), right };
  const { asText = texted, beyond } = form(cell.form);
  if (beyond) return { left: POSTGRES.canonical(cell), right: value(textOf(v), beyond) };
  return { left: asText(cell.sql), right: value(textOf(v), 'text') };
}

function equal(cell: FormedCell, v: Scalar): Sql {
  const { left, right } = asTexts(cell, v);
  // The first for indexes, which are under the column's collation; the second decides.
  if (cell.form === 'text') return sql`(${cell.sql} = ${right} and ${left} = ${right})`;
  return sql`${left} = ${right}`;
}

const textMatch = (cell: Sql, mode: MatchMode, part: string): Sql =>
  sql`${cell} ~ ${value(casePattern(part, mode, '\\Z'), 'text')}`;

/** How values are kept that a subquery made. */
function formOfKind({ type }: ValueKind): PostgresFormName {
  switch (type) {
    case 'integer':
      return 'int';
    case 'decimal':
      return 'numeric';
    case 'boolean':
      return 'boolean';
    case 'date':
      return 'date';
    case 'datetime':
      return 'timestamptz';
    default:
      return 'text';
  }
}

const shownJson = (outputs: readonly Shown[]): Sql => {
  if (outputs.length === 0) return sql`'{}'`;
  const parts = outputs.flatMap(({ key, cell }, i) => [
    literal(`${i === 0 ? '{' : ','}${JSON.stringify(key)}:`),
    sql`coalesce(${form(cell.form).json(cell.sql)}, 'null')`,
  ]);
  return concat([...parts, sql`'}'`]);
};

/** PostgreSQL from version 13 on. The session's time zone is UTC. */
export const POSTGRES: SqlDialect = {
  formOf: formOfKind,
  isComparable: (name) => form(name).incomparable !== true,
  key: (cell) => form(cell.form).key(cell.sql),
  bindKey(name, v: CellValue) {
    const { bind, keyType = bind?.(textOf(v as Scalar)), bound: through = itself } = form(name);
    return through(value(textOf(v as Scalar), must(keyType, 'a form that rows can be sorted by')));
  },
  canonical: ({ form: name, sql: cell }) => (form(name).canonical ?? form(name).key)(cell),
  compare(cell, op: Comparison, v) {
    if (op === 'eq') return equal(cell, v);
    const { left, right } = asTexts(cell, v);
    return op === 'neq' ? sql`${left} is distinct from ${right}` : sql`${left} ${COMPARISON[op]} ${right}`;
  },
  oneOf(cell, values) {
    const [first] = values;
    const types = new Set(values.map((v) => form(cell.form).bind?.(textOf(v))));
    const [type] = types;
    if (first === undefined) return sql`false`;
    if (types.size > 1 || type === undefined)
      return sql`(${join(
        values.map((v) => equal(cell, v)),
        sql` or `,
      )})`;
    const { key, bound: through } = form(cell.form);
    if (through)
      return sql`${key(cell.sql)} in (${join(
        values.map((v) => through(value(v, type))),
        sql`, `,
      )})`;
    const list = value([...values], `${type}[]`);
    const exact = sql`${key(cell.sql)} = any(${list})`;
    return cell.form === 'text' ? sql`(${cell.sql} = any(${list}) and ${exact})` : exact;
  },
  between(cell, low, high) {
    return sql`(${POSTGRES.compare(cell, 'gte', low)} and ${POSTGRES.compare(cell, 'lte', high)})`;
  },
  match: (cell, mode, part) => textMatch(texted(cell.sql), mode, part),
  isEmpty: (cell) => sql`coalesce(${texted(cell.sql)}, '') = ''`,
  json: (cell, path, test) => jsonTest(sql`${cell.sql}::jsonb`, path, test, textMatch),
  same: (a, b) => sql`${a} is not distinct from ${b}`,
  joined(a, b) {
    // Two collations have no equality, but any one that tells bytes apart is as good as another.
    if (a.form === 'text' && b.form === 'text') return sql`${a.sql} = ${b.sql} collate "default"`;
    // Types that are texts to us need have nothing in common there.
    if (a.form === b.form && a.form !== 'otherText') return sql`${a.sql} = ${b.sql}`;
    return sql`${POSTGRES.canonical(a)} = ${POSTGRES.canonical(b)}`;
  },
  comparesRowsWithNulls: true,
  nulls: { asc: sql`nulls first`, desc: sql`nulls last` },
  grouped: (kind, cell) =>
    kind.type === 'decimal' && kind.options.scale === undefined ? sql`trim_scale(${cell})` : cell,
  bucket: (bucket: Bucket, isInstant, cell) =>
    sql`case when ${cell} is not null then ${bucketStart(bucket, isInstant, cell)} end`,
  aggregate: ({ fn, column }, cell) => (fn === 'count' ? sql`count(${cell})` : aggregate({ column, fn }, cell, empty)),
  show: (outputs) => [shownJson(outputs)],
  store({ form: name }, v) {
    if (v === null) return sql`null`;
    const text = textOf(v as Scalar);
    // Without a type, so that the database takes it as one of the column's.
    return form(name).store?.(text) ?? untyped(text);
  },
};
