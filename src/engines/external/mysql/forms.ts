import type { ColumnOptions, ColumnTypeName, MysqlFormName } from '../../../query/index.js';

/** How a native type is shown and kept. */
export interface NativeForm {
  readonly type: ColumnTypeName;
  readonly options: ColumnOptions;
  readonly form: MysqlFormName;
}

/** What `information_schema.columns` tells of a column's type. */
export interface NativeType {
  /** `decimal`, in lower case. */
  readonly dataType: string;
  /** `decimal(10,2) unsigned` */
  readonly columnType: string;
  /** Of numbers, also the bits of a `bit`. */
  readonly precision: number;
  readonly scale: number;
  /** A text that MariaDB checks to be JSON, which is what it makes of its type JSON. */
  readonly isJson: boolean;
}

const WHOLE: NativeForm = { type: 'integer', options: {}, form: 'int' };
/** 64 bits: more than a JSON number holds. */
const LARGE: NativeForm = { type: 'decimal', options: { scale: 0 }, form: 'bigint' };
const DOUBLE: NativeForm = { type: 'decimal', options: {}, form: 'double' };
const TEXT: NativeForm = { type: 'text', options: {}, form: 'text' };
const BINARY: NativeForm = { type: 'text', options: {}, form: 'binary' };
const TRUTH: NativeForm = { type: 'boolean', options: {}, form: 'boolean' };
const JSON_FORM: NativeForm = { type: 'json', options: {}, form: 'json' };
const GEOMETRY: NativeForm = { type: 'text', options: {}, form: 'geometry' };
/** enum and set, and whatever else can be cast to a text: uuid, inet6, types of servers to come. */
const CASTABLE: NativeForm = { type: 'text', options: {}, form: 'enumLike' };

const BY_DATA_TYPE: Readonly<Record<string, NativeForm>> = {
  tinyint: WHOLE,
  smallint: WHOLE,
  mediumint: WHOLE,
  int: WHOLE,
  bigint: LARGE,
  float: DOUBLE,
  double: DOUBLE,
  year: { type: 'integer', options: {}, form: 'year' },
  date: { type: 'date', options: {}, form: 'date' },
  datetime: { type: 'datetime', options: {}, form: 'datetime' },
  timestamp: { type: 'datetime', options: {}, form: 'timestamp' },
  time: { type: 'text', options: {}, form: 'time' },
  char: TEXT,
  varchar: TEXT,
  tinytext: TEXT,
  text: TEXT,
  mediumtext: TEXT,
  longtext: TEXT,
  binary: BINARY,
  varbinary: BINARY,
  tinyblob: BINARY,
  blob: BINARY,
  mediumblob: BINARY,
  longblob: BINARY,
  vector: BINARY,
  json: JSON_FORM,
  geometry: GEOMETRY,
  point: GEOMETRY,
  linestring: GEOMETRY,
  polygon: GEOMETRY,
  multipoint: GEOMETRY,
  multilinestring: GEOMETRY,
  multipolygon: GEOMETRY,
  geometrycollection: GEOMETRY,
  geomcollection: GEOMETRY,
};

/** The product's type of a native one. */
export function nativeForm({ dataType, columnType, precision, scale, isJson }: NativeType): NativeForm {
  // Display widths are gone from MySQL 8, but for this one, which says that a number is a truth value.
  if (columnType === 'tinyint(1)' || columnType === 'bit(1)') return TRUTH;
  if (dataType === 'bit')
    return precision <= 32
      ? { type: 'integer', options: {}, form: 'bit' }
      : { type: 'decimal', options: { scale: 0 }, form: 'bit' };
  if (dataType === 'decimal') return { type: 'decimal', options: { scale }, form: 'decimal' };
  if (isJson) return JSON_FORM;
  return Object.hasOwn(BY_DATA_TYPE, dataType) ? (BY_DATA_TYPE[dataType] ?? CASTABLE) : CASTABLE;
}
