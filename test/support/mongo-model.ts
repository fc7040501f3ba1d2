import { BSON, Binary, Decimal128, Double, Int32, Long, ObjectId, UUID } from 'mongodb';
import fc from 'fast-check';
import { newId } from '../../src/common/index.js';
import { cellJson } from '../../src/engines/external/mongodb/cells.js';
import {
  FORM_TYPES,
  type CellValue,
  type ColumnTypeName,
  type EvaluatedRow,
  type MongoForm,
  type ObjectColumn,
  type ObjectSchema,
  type ObjectSource,
} from '../../src/query/index.js';
import { typeOf, type Doc } from '../harness/mongo/values.js';

const TYPES: Readonly<Record<MongoForm, ColumnTypeName>> = {
  string: 'text', objectId: 'text', uuid: 'text', binData: 'text', int: 'integer', long: 'decimal', double: 'decimal',
  decimal: 'decimal', number: 'decimal', bool: 'boolean', date: 'datetime', json: 'json',
}; // prettier-ignore

export const mongoColumn = (physical: string, form: MongoForm, alias = 't'): ObjectColumn => ({
  id: newId(), key: physical.replaceAll('.', '_').replace(/^_id$/, 'id'), name: physical, type: TYPES[form],
  options: form === 'long' ? { scale: 0 } : {}, required: physical === '_id', unique: physical === '_id', default: null, physical, form, alias,
}); // prettier-ignore

export function collection(columns: readonly ObjectColumn[], name = 'things'): ObjectSchema {
  return {
    id: newId(), schemaVersion: 1, physical: { schema: 'shop', table: name }, kind: 'collection', columns,
    key: columns.filter(({ physical }) => physical === '_id'), estimatedRows: null,
  }; // prettier-ignore
}

export const sourceOf = (object: ObjectSchema): ObjectSource => ({ ...object, object, alias: 't', joins: [] });

/** A collection with a column of every form, some of them nested, two of those that can be compared. */
export const everyForm = (): ObjectSchema =>
  collection([
    mongoColumn('_id', 'objectId'),
    mongoColumn('name', 'string'),
    mongoColumn('label.de', 'string'),
    mongoColumn('owner', 'objectId'),
    mongoColumn('qty', 'int'),
    mongoColumn('stock.n', 'long'),
    mongoColumn('weight', 'double'),
    mongoColumn('size', 'double'),
    mongoColumn('price', 'decimal'),
    mongoColumn('a.b.mixed', 'number'),
    mongoColumn('done', 'bool'),
    mongoColumn('at', 'date'),
    mongoColumn('until', 'date'),
    mongoColumn('extra', 'json'),
  ]);

const texts = fc.constantFrom('', 'a', 'A', 'ab', 'aB%', '$a', '$$ROOT', '.', 'İ', 'i', 'ı', 'I', 'i\u0307', '\u0307', 'ς', 'Σ', 'σ', 'ß', '\u212A', 'K', 'a\nb', 'b\n', '\u{1F600}', '\uFFFD', 'Ǆ', 'ǅ', '(*UTF)', '[a]', 'a|b', '2026-11-22', '\u{10400}', '0123456789abcdef01234567'); // prettier-ignore
const OIDS = [
  '0123456789abcdef01234567',
  'ffffffffffffffffffffffff',
  '000000000000000000000000',
  '0123456789abcdef01234568',
];
const UUIDS = [
  '00000000-0000-4000-8000-000000000001',
  'ffffffff-0000-4000-8000-000000000001',
  '0a000000-0000-4000-8000-000000000001',
];
const doubles = fc.oneof(
  fc.constantFrom(0, -0, 0.1, 0.2, 0.30000000000000004, 0.3, 1.5, -2.5, 1e16, 123456789.12345679, 0.99999999999999989, 5, 1e-7, 1.7976931348623157e8),
  fc.double({ min: -1e9, max: 1e9, noNaN: true, noDefaultInfinity: true }).filter((value) => value === 0 || Math.abs(value) > 1e-9),
); // prettier-ignore
const ints = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer());
const longs = fc.oneof(
  fc.constantFrom('9007199254740993', '-9223372036854775808', '9223372036854775807', '5', '0'),
  ints.map(String),
);
const decimals = fc.oneof(
  fc.constantFrom('0', '-0', '1.0', '1.00', '0.1', '0.3', '-2.50', '12345678901234567890.12', '1E+3', '0.005'),
  fc.tuple(fc.integer({ min: -99999, max: 99999 }), fc.integer({ min: 0, max: 6 })).map(([n, s]) => `${n}E-${s}`),
);
const dates = fc.oneof(
  fc.constantFrom('0001-01-01T00:00:00.000Z', '2026-11-22T00:00:00.000Z', '2026-03-29T00:59:59.999Z', '2026-10-25T00:30:00.000Z', '9999-12-31T00:00:00.000Z', '1883-11-18T17:00:00.000Z'),
  fc.integer({ min: -4e9, max: 4e9 }).map((s) => new Date(s * 1000).toISOString()),
).map((text) => new Date(text)); // prettier-ignore

const int = ints.map((value) => new Int32(value));
const long = longs.map((value) => Long.fromString(value));
const double = doubles.map((value) => new Double(value));
const decimal = decimals.map((value) => Decimal128.fromString(value));
const oid = fc.constantFrom(...OIDS).map((hex) => new ObjectId(hex));
const uuid = fc.constantFrom(...UUIDS).map((hex) => new UUID(hex));

/** Values of the form; whole numbers stand in more than one. */
export const VALUES: Readonly<Record<MongoForm, fc.Arbitrary<unknown>>> = {
  string: texts,
  objectId: oid,
  int: fc.oneof(int, fc.constant(Long.fromNumber(7))),
  long: fc.oneof(long, int),
  double: fc.oneof(double, double, int),
  decimal: fc.oneof(decimal, decimal, long, int),
  number: fc.oneof(decimal, double, long, int),
  bool: fc.boolean(),
  date: dates,
  uuid,
  binData: fc.constantFrom('', 'ab').map((text) => new Binary(Buffer.from(text))),
  json: fc.oneof(
    fc.constantFrom({ a: 'x', b: [new Int32(1), 'y', true] }, { a: { b: new Double(1.5) } }, [{ a: new Int32(1) }], { '$a': 'é' }, 'text', new Int32(5), {}, []),
    fc.record({ a: fc.oneof(texts, int, double, fc.boolean(), fc.record({ b: fc.oneof(texts, int) })), b: fc.array(fc.oneof(texts, int, double), { maxLength: 3 }) }, { requiredKeys: [] }),
  ),
}; // prettier-ignore

/** Of other types than most columns: what is found where nobody looked. */
const strange = fc.constantFrom<unknown>(
  null,
  [],
  ['a'],
  { a: new Int32(1) },
  'strange',
  new Int32(3),
  true,
  new Date(0),
  new ObjectId(OIDS[0]),
);

function set(doc: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) doc[first] = value;
  else set((doc[first] ??= {}) as Record<string, unknown>, rest, value);
}

/** Documents of a collection with distinct ids; some fields are missing, null or of other types. */
export function documents(object: ObjectSchema, maxLength: number, { withStrange = true } = {}): fc.Arbitrary<Doc[]> {
  const fields = object.columns.filter(({ physical }) => physical !== '_id');
  const one = fc.tuple(
    ...fields.map(({ form }) =>
      fc.oneof(
        { weight: 8, arbitrary: VALUES[form as MongoForm] },
        { weight: 1, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: withStrange ? strange : fc.constant(null) },
      ),
    ),
  );
  return fc.array(one, { maxLength }).map((rows) =>
    rows.map((values, i) => {
      const doc: Record<string, unknown> = { _id: new ObjectId((i * 7919 + 1).toString(16).padStart(24, '0')) };
      fields.forEach(({ physical }, n) => values[n] !== undefined && set(doc, physical.split('.'), values[n]));
      return asStored(doc);
    }),
  );
}

/** Through BSON and back, every value of its own type. */
export const asStored = (doc: Doc): Doc => BSON.deserialize(BSON.serialize(doc), { promoteValues: false });

export function at(doc: Doc, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (of, name) => (typeOf(of) === 'object' ? (of as Doc)[name] : Array.isArray(of) ? [] : undefined),
      doc,
    );
}

/** The canonical value: what is not of the column's types is null. */
export function canonicalOf(value: unknown, form: MongoForm, type: ColumnTypeName): CellValue {
  if (form === 'json') return value === null || value === undefined ? null : cellJson(value, 'json');
  if (!FORM_TYPES[form].includes(typeOf(value))) return null;
  return JSON.parse(cellJson(value, type)) as CellValue;
}

/** The documents as rows in memory. */
export const rowsOf = (object: ObjectSchema, docs: readonly Doc[]): EvaluatedRow[] =>
  docs.map((doc) => ({
    id: String(doc._id),
    fields: Object.fromEntries(
      object.columns.map(({ key, physical, form, type }) => [
        key,
        canonicalOf(at(doc, physical), form as MongoForm, type),
      ]),
    ),
  }));
