import type { ColumnOptions, ColumnTypeName, PostgresFormName } from '../../../query/index.js';

/** What a native type is to the product. */
export interface NativeType {
  readonly type: ColumnTypeName;
  readonly form: PostgresFormName;
  readonly options: ColumnOptions;
}

const is = (type: ColumnTypeName, form: PostgresFormName, options: ColumnOptions = {}): NativeType => ({
  type,
  form,
  options,
});

const OTHER = is('text', 'otherText');
const TEXT = is('text', 'text');

/** By the names in pg_type (manual 8). All that is not here is shown as a text. */
const BY_NAME: ReadonlyMap<string, NativeType> = new Map([
  ['text', TEXT],
  ['varchar', TEXT],
  ['uuid', is('text', 'uuid')],
  ['int2', is('integer', 'int')],
  ['int4', is('integer', 'int')],
  ['int8', is('decimal', 'bigint', { scale: 0 })],
  ['oid', is('decimal', 'oid', { scale: 0 })],
  ['numeric', is('decimal', 'numeric')],
  ['money', is('decimal', 'money', { scale: 2 })],
  ['float4', is('decimal', 'real')],
  ['float8', is('decimal', 'double')],
  ['bool', is('boolean', 'boolean')],
  ['date', is('date', 'date')],
  ['timestamp', is('datetime', 'timestamp')],
  ['timestamptz', is('datetime', 'timestamptz')],
  ['bytea', is('text', 'bytea')],
  ['json', is('json', 'jsonb')],
  ['jsonb', is('json', 'jsonb')],
]);

/** A type as the catalogue describes it; of a domain, the type that it is made of. */
export interface CatalogType {
  readonly name: string;
  /** typcategory: `A` for arrays, `C` for records. */
  readonly category: string;
  /** Digits behind the point, of a numeric that has a number of them. */
  readonly scale: number | null;
  /** Whether equality is that of bytes under the collation of the column. */
  readonly deterministic: boolean;
}

export function nativeType({ name, category, scale, deterministic }: CatalogType): NativeType {
  if (category === 'A' || category === 'C') return is('json', 'composite');
  const known = BY_NAME.get(name);
  if (known === undefined || (known === TEXT && !deterministic)) return OTHER;
  // A scale can be negative, or more than 18: then it is no option of ours, and values go by their own digits.
  return name === 'numeric' && scale !== null && scale >= 0 && scale <= 18 ? { ...known, options: { scale } } : known;
}
