import fc from 'fast-check';
import { must, newId } from '../../src/common/index.js';
import {
  kindOf,
  operatorsOf,
  PATH_OPERATORS,
  valueType,
  type ColumnSchema,
  type ColumnTypeName,
  type Operator,
  type TableSchema,
} from '../../src/query/index.js';

/** Texts on which escaping, case, order and storage are known to break. */
const HARD_TEXTS = [
  '', ' ', 'a', 'A', 'ab', 'AB', 'aB%', '%', '_', '\\', '\\%', 'a_b', "'", "''", '"', '";--', '$1', '{price}', '(a,b)', '@today',
  'é', 'É', 'e\u0301', 'ß', 'SS', 'ς', 'σ', 'Σ', 'ΟΔΟΣ', 'ΟΔΟΣΑ', 'İ', 'i', 'ı', 'I', '\u212A', 'k', 'Ǆ', 'ǅ',
  '\uFFFD', '\uE000', '\u{1F600}', '\u{10FFFF}', 'a\u{1F600}b', '\u2028', '\t', '\n', '\u0001', '\u007F', '\u00A0', 'null', 'NULL', 'true',
]; // prettier-ignore

const hardText = fc.constantFrom(...HARD_TEXTS);
const anyText = fc.oneof(
  { weight: 3, arbitrary: hardText },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replaceAll('\0', '')) },
  { weight: 1, arbitrary: fc.tuple(hardText, hardText).map(([a, b]) => a + b) },
);

const anyInteger = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1, 10, 9),
  fc.maxSafeInteger(),
);

const digits = (max: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
const anyDecimal = fc.oneof(
  fc.constantFrom(
    '0', '-0', '0.0', '1', '1.0', '1.00', '-1', '1.5', '1.05', '10', '9', '-0.01', '1e3', '1E-3', '.5', '5.', 0.1, 1e-7, -2.5,
    '99999999999999999999999999999999999999', '-99999999999999999999999999999999999998', '0.00000000000000000000000000000000000001',
  ), // prettier-ignore
  fc
    .tuple(fc.constantFrom('', '-'), digits(20), digits(18))
    .map(([sign, whole, fraction]) => `${sign}${whole}.${fraction}`),
);

const pad = (n: number, width: number) => String(n).padStart(width, '0');
const anyDate = fc.oneof(
  fc.constantFrom('0001-01-01', '9999-12-31', '2026-11-22', '2026-11-21', '2024-02-29', '1000-01-01', '0999-12-31'),
  fc
    .tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }))
    .map(([year, month, day]) => `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`),
);
const anyTimeOfDay = fc
  .tuple(fc.integer({ min: 0, max: 86_399_999 }), fc.constantFrom(0, 1))
  .map(([ms, exact]) => new Date(exact ? ms : 0).toISOString().slice(10));
const anyDatetime = fc.oneof(
  fc.constantFrom(
    '0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z', '2026-11-22T00:00:00Z', '2026-11-21T23:59:59.999Z',
    '2026-11-22T01:00:00+01:00', '1999-12-31T23:59:59.001-05:30',
  ), // prettier-ignore
  fc.tuple(anyDate, anyTimeOfDay).map(([date, time]) => date + time),
);

/** What stands inside of JSON; of each type some that are alike. */
const jsonScalar = fc.oneof(
  fc.constantFrom<string | number | boolean | null>(
    null, true, false, 0, 1, -1.5, 0.1, 1e-7, 1e21, 2 ** 53 - 1, '1', 'true', 'null', 'e\u0301',
  ),
  hardText,
  fc.double({ noNaN: true, noDefaultInfinity: true }),
); // prettier-ignore

/** Few, so that the same ones meet. */
const PEOPLE = Array.from({ length: 4 }, newId);

/** Values of the types that one can write. */
const INPUTS: Partial<Readonly<Record<ColumnTypeName, fc.Arbitrary<unknown>>>> = {
  text: anyText,
  long_text: anyText,
  integer: anyInteger,
  decimal: anyDecimal,
  boolean: fc.boolean(),
  date: anyDate,
  datetime: anyDatetime,
  single_select: fc.constantFrom('open', 'won', 'lost', 'Lost for good'),
  currency: anyDecimal,
  percent: anyDecimal,
  rating: fc.integer({ min: 0, max: 6 }),
  duration: fc.oneof(anyInteger, fc.constantFrom('1:30', '-0:05:59', '100:00:00')),
  url: fc.constantFrom(
    'https://example.org', 'HTTP://EXAMPLE.ORG/%41?a=b#c', 'https://example.org/é', 'http://[::1]:8080/', 'https://ex%',
  ), // prettier-ignore
  email: fc.constantFrom('ada@example.org', 'Ada@Example.ORG', "o'neil+x@sub.example.org", 'é@exämple.org', 'a@b'),
  phone: fc.constantFrom('+49 30 123456', '030/123-456', '(555) 123.4567 ext. 9', '112', '12'),
  json: fc.oneof(
    fc.jsonValue(),
    fc.constantFrom({ b: 1, a: [{}, [], null, 'é'] }, 'text', 0, false),
    fc.record({ a: fc.oneof(jsonScalar, fc.record({ b: jsonScalar })), b: fc.array(jsonScalar) }, { requiredKeys: [] }),
  ),
  user: fc.constantFrom(...PEOPLE),
};

/** One value of the column in JSON, an element where its cells are lists; of computed columns, one that they could have. */
export const element = (column: ColumnSchema): fc.Arbitrary<unknown> => {
  const kind = kindOf(column);
  return must(INPUTS[kind.type], `values of ${kind.type} can be made up`).filter(
    (input) => valueType(column).parse(input, kind).ok,
  );
};

/** A JSON cell that the column accepts, never null. */
export const cell = (column: ColumnSchema): fc.Arbitrary<unknown> =>
  kindOf(column).list ? fc.array(element(column), { maxLength: 4 }) : element(column);

/** The `fields` of a row body, with nulls. */
export const fields = (table: TableSchema): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(
    Object.fromEntries(
      table.columns.map((column) => [
        column.key,
        column.required ? cell(column) : fc.option(cell(column), { freq: 4, nil: null }),
      ]),
    ),
  );

export const sort = (table: TableSchema): fc.Arbitrary<{ field: string; dir: 'asc' | 'desc' }[]> =>
  fc
    .uniqueArray(
      fc.constantFrom(...table.columns.filter((each) => valueType(each).sortable !== false).map(({ key }) => key)),
      { maxLength: 4 },
    )
    .chain((keys) =>
      fc.tuple(...keys.map((field) => fc.record({ field: fc.constant(field), dir: fc.constantFrom('asc', 'desc') }))),
    );

/** A filter in the JSON syntax, within all bounds. */
export type JsonFilter =
  | { readonly and: readonly JsonFilter[] }
  | { readonly or: readonly JsonFilter[] }
  | { readonly not: JsonFilter }
  | JsonLeaf;
export interface JsonLeaf {
  readonly field: string;
  readonly path?: readonly string[];
  readonly op: Operator;
  readonly value?: unknown;
  readonly valueField?: string;
}

const PERIODS = ['today', 'yesterday', 'tomorrow', 'lastWeek', 'thisMonth', 'nextQuarter', 'lastYear', 'thisYear'];
const UNITS = { minute: 'min', hour: 'h', day: 'd', week: 'w', month: 'm', year: 'y' } as const;
type Unit = keyof typeof UNITS;

const relative = fc
  .tuple(
    fc.constantFrom('$now', '$today'),
    fc.integer({ min: -400, max: 400 }),
    fc.constantFrom<Unit>('minute', 'hour', 'day', 'week', 'month', 'year'),
  )
  .map(([anchor, offset, unit]) => ({ [anchor]: true, offset, unit }));

function operand(column: ColumnSchema): fc.Arbitrary<unknown> {
  return ['date', 'datetime'].includes(kindOf(column).type)
    ? fc.oneof({ weight: 4, arbitrary: element(column) }, { weight: 1, arbitrary: relative })
    : element(column);
}

function leafOf(column: ColumnSchema, op: Operator): fc.Arbitrary<JsonLeaf> {
  const base = { field: column.key, op };
  const withValue = (value: fc.Arbitrary<unknown>) => value.map((given) => ({ ...base, value: given }));
  switch (op) {
    case 'isNull':
    case 'isNotNull':
    case 'isEmpty':
    case 'isNotEmpty':
      return fc.constant(base);
    case 'in':
    case 'nin':
    case 'hasAny':
    case 'hasAll':
    case 'hasNone':
    case 'isExactly':
      return withValue(fc.array(operand(column), { minLength: 1, maxLength: 4 }));
    case 'between':
    case 'nbetween':
      return withValue(fc.tuple(operand(column), operand(column)));
    case 'on':
    case 'before':
    case 'after':
      return withValue(fc.oneof(operand(column), anyDate));
    case 'within':
      return withValue(fc.constantFrom(...PERIODS).map((period) => ({ period })));
    default:
      return withValue(operand(column));
  }
}

/** Few, so that there is often something; not all of a list, and not all that exists. */
const PATHS = [
  ['a'],
  ['b'],
  ['a', 'b'],
  ['b', '0'],
  ['b', '-1'],
  ['b', '01'],
  ['b', 'x'],
  ['0'],
  [''],
  ['__proto__'],
  ['a', '3', '0'],
];
const pathScalar = jsonScalar.filter(
  (value) => value !== null && (!Number.isInteger(value) || Number.isSafeInteger(value)),
);

function pathLeaf({ key: field }: ColumnSchema): fc.Arbitrary<JsonLeaf> {
  return fc
    .tuple(fc.constantFrom(...PATHS), fc.constantFrom(...PATH_OPERATORS))
    .chain(([path, op]): fc.Arbitrary<JsonLeaf> => {
      const withValue = (value: fc.Arbitrary<unknown>) => value.map((given) => ({ field, path, op, value: given }));
      switch (op) {
        case 'isNull':
        case 'isNotNull':
          return fc.constant({ field, path, op });
        case 'in':
        case 'nin':
          return withValue(fc.array(pathScalar, { minLength: 1, maxLength: 4 }));
        case 'between':
        case 'nbetween':
          return withValue(fc.tuple(pathScalar, pathScalar).filter(([a, b]) => typeof a === typeof b));
        case 'contains':
        case 'ncontains':
        case 'startsWith':
        case 'endsWith':
          return withValue(hardText);
        default:
          return withValue(pathScalar);
      }
    });
}

/** A leaf of any column but links and any of its operators, column to column and into JSON included. */
export function leaf({ columns }: TableSchema): fc.Arbitrary<JsonLeaf> {
  const valued = columns.filter(({ type }) => type !== 'link');
  const byValue = fc.constantFrom(...valued).chain((column) =>
    fc.oneof(
      fc.constantFrom(...operatorsOf(column)).chain((op) => leafOf(column, op)),
      ...(kindOf(column).type === 'json' && !kindOf(column).list ? [pathLeaf(column), pathLeaf(column)] : []),
    ),
  );
  const pairs = valued.flatMap((a) =>
    valued
      .filter((b) => b !== a && valueType(a).family === valueType(b).family && !kindOf(a).list && !kindOf(b).list)
      .filter((b) => valueType(b).family !== 'choice')
      .flatMap((b) =>
        operatorsOf(a)
          .filter((op) => ['eq', 'neq', 'gt', 'gte', 'lt', 'lte'].includes(op))
          .map((op) => ({ field: a.key, op, valueField: b.key })),
      ),
  );
  return pairs.length === 0
    ? byValue
    : fc.oneof({ weight: 5, arbitrary: byValue }, { weight: 1, arbitrary: fc.constantFrom(...pairs) });
}

export function filter(table: TableSchema): fc.Arbitrary<JsonFilter> {
  const { tree } = fc.letrec<{ tree: JsonFilter; leaf: JsonFilter }>((tie) => ({
    leaf: leaf(table),
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 3, arbitrary: tie('leaf') },
      { weight: 1, arbitrary: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((and) => ({ and })) },
      { weight: 1, arbitrary: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }).map((or) => ({ or })) },
      { weight: 1, arbitrary: tie('tree').map((not) => ({ not })) },
    ),
  }));
  return tree;
}

/** The same filter in the text syntax. `bare` tells whether a value that may go without quotes does so. */
export function printFilter(filter: JsonFilter, bare: boolean): string {
  if ('and' in filter) return `and(${filter.and.map((item) => printFilter(item, bare)).join(',')})`;
  if ('or' in filter) return `or(${filter.or.map((item) => printFilter(item, bare)).join(',')})`;
  if ('not' in filter) return `not(${printFilter(filter.not, bare)})`;
  const { path, op, value, valueField } = filter;
  const print = path === undefined ? printScalar : printJsonScalar;
  const field = filter.field + (path ?? []).map((part) => `["${escapeQuotes(part)}"]`).join('');
  if (valueField !== undefined) return `${field}.${op}.{${valueField}}`;
  if (value === undefined) return `${field}.${op}`;
  return `${field}.${op}.${Array.isArray(value) ? `(${value.map((item) => print(item, bare)).join(',')})` : print(value, bare)}`;
}

function printScalar(value: unknown, bare: boolean): string {
  const text =
    typeof value === 'object' && value !== null ? printObject(value as Record<string, unknown>) : String(value);
  return bare && /^[^,()"{][^,)]*$/s.test(text) ? text : `"${escapeQuotes(text)}"`;
}

const escapeQuotes = (text: string): string => text.replaceAll(/["\\]/g, '\\$&');

function printJsonScalar(value: unknown, bare: boolean): string {
  if (typeof value !== 'string') return String(value);
  return /^(true|false|-?\d.*)$/s.test(value) ? `"${escapeQuotes(value)}"` : printScalar(value, bare);
}

function printObject(value: Readonly<Record<string, unknown>>): string {
  if (typeof value.period === 'string') return value.period;
  const offset = Number(value.offset);
  return `@${value.$now === true ? 'now' : 'today'}${offset < 0 ? '' : '+'}${String(offset)}${UNITS[value.unit as Unit]}`;
}
