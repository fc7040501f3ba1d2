import type { RecordForm } from '../../record/wire-form.js';
import { sql, value, type Sql, type SqlType } from '../../sql.js';
import type { SentCell } from './dialect.js';

/** How PostgreSQL keeps values of a native type, one row for each. */
export interface PostgresForm {
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
  /** How cells travel in records: the same JSON is written of them, and as a key the same value is read of that. As that JSON text without it. */
  readonly sent?: (cell: Sql) => SentCell;
  /** Null where null is shown of the cell; the cell itself without it. */
  readonly orNull?: (cell: Sql) => Sql;
  /** Absent where cells cannot be compared. */
  readonly incomparable?: true;
  /** Other than texts, whose values any text can be compared with as texts. */
  readonly asText?: (cell: Sql) => Sql;
  /** Bound in this form to be stored; the database casts it to the type of the column. */
  readonly store?: (v: string) => Sql;
}

const as = (type: SqlType) => (): SqlType => type;
/** Of the very type that has the form: domains and small whole numbers are sent otherwise. */
const to =
  (form: RecordForm, type: Sql) =>
  (cell: Sql): SentCell => ({ cell: sql`${cell}::${type}`, form });
const quoted = (cell: Sql): Sql => sql`'"' || ${cell} || '"'`;
export const texted = (cell: Sql): Sql => sql`${cell}::text collate "C"`;
const textJson = (cell: Sql): Sql => sql`to_json(${cell}::text)::text`;
export const itself = (cell: Sql): Sql => cell;
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
  text: {
    bind: as('text'),
    key: (cell) => sql`${cell} collate "C"`,
    json: (cell) => sql`to_json(${cell})::text`,
    sent: to('text', sql`text`),
  },
  /** Whatever else is shown as a text: char, citext, enums, intervals, networks … */
  otherText: { bind: as('text'), key: texted, json: textJson, sent: to('text', sql`text`) },
  /** The order of the bytes is that of the texts. */
  uuid: {
    bind: (v) => (UUID.test(v) ? 'uuid' : undefined),
    keyType: 'uuid',
    key: itself,
    canonical: texted,
    json: quoted,
    sent: to('uuid', sql`uuid`),
    asText: texted,
  },
  int: {
    bind: as('bigint'),
    key: itself,
    canonical: (cell) => sql`${cell}::bigint`,
    json: (cell) => sql`${cell}::text`,
    sent: to('integer', sql`bigint`),
  },
  /** 64 bits: more than a JSON number holds. */
  bigint: {
    bind: (v) => (isInt8(v) ? 'bigint' : 'numeric'),
    key: itself,
    canonical: (cell) => sql`${cell}::numeric`,
    json: quoted,
    sent: to('bigint', sql`bigint`),
  },
  oid: {
    bind: (v) => (isInt8(v) ? 'bigint' : 'numeric'),
    key: (cell) => sql`${cell}::bigint`,
    canonical: (cell) => sql`${cell}::bigint::numeric`,
    json: quoted,
    sent: to('bigint', sql`bigint`),
  },
  numeric: {
    bind: as('numeric'),
    key: itself,
    json: (cell) => quoted(sql`${cell}::text`),
    sent: to('decimal', sql`numeric`),
  },
  money: {
    bind: as('numeric'),
    key: (cell) => sql`${cell}::numeric`,
    json: (cell) => quoted(sql`${cell}::numeric::text`),
    sent: to('decimal', sql`numeric`),
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
    sent: to('float', sql`text`),
  },
  double: {
    bind: (v) => (isDouble(v) ? 'double precision' : undefined),
    keyType: 'double precision',
    beyond: 'numeric',
    key: itself,
    canonical: (cell) => sql`${cell}::text::numeric`,
    json: (cell) => quoted(plain(cell)),
    sent: to('float', sql`text`),
  },
  boolean: { bind: as('boolean'), key: itself, json: (cell) => sql`${cell}::text`, sent: to('boolean', sql`boolean`) },
  date: { bind: as('date'), key: itself, json: (cell) => quoted(sql`${cell}::text`), sent: to('date', sql`date`) },
  timestamptz: { bind: as('timestamptz'), key: itself, json: instantJson, sent: to('zoned', sql`timestamptz`) },
  /** Without a zone: read as UTC. */
  timestamp: {
    bind: as('timestamptz'),
    key: itself,
    bound: (v) => sql`(${v} at time zone 'UTC')`,
    canonical: (cell) => sql`(${cell} at time zone 'UTC')`,
    json: (cell) => instantJson(sql`(${cell} at time zone 'UTC')`, cell),
    sent: to('local', sql`timestamp`),
  },
  bytea: {
    bind: as('text'),
    key: (cell) => sql`('\\x' || encode(${cell}, 'hex')) collate "C"`,
    json: (cell) => sql`'"\\\\x' || encode(${cell}, 'hex') || '"'`,
    sent: to('bytea', sql`bytea`),
    store: (v) => sql`decode(${value(v.replace(/^\\x/, ''), 'text')}, 'hex')`,
  },
  jsonb: {
    key: itself,
    json: (cell) => onOneLine(sql`${cell}::text`),
    orNull: (cell) => sql`nullif(json_typeof(${cell}::json), 'null')`,
    incomparable: true,
  },
  /** Arrays and records, shown as JSON. PostgreSQL calls a record null, too, all of whose fields are, and not null only where none of them is. */
  composite: {
    key: itself,
    json: (cell) => onOneLine(sql`to_json(${cell})::text`),
    orNull: (cell) => sql`case when ${cell} is distinct from null then true end`,
    incomparable: true,
  },
} as const satisfies Record<string, PostgresForm>;

export type PostgresFormName = keyof typeof POSTGRES_FORMS;
