import {
  columnType,
  kindOf,
  physicalType,
  toStatement,
  uniqueIndexName,
  type ColumnTypeName,
  type TableSchema,
} from '../../../query/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import type { ColumnConversionEntity } from '../columns/convert/background/column-conversion.entity.js';
import { toColumnSchema } from '../tables/table-schema.js';

/** A column of PostgreSQL as the metadata wants it. */
export interface ExpectedColumn {
  readonly name: string;
  readonly type: string;
  /** `default` is the database's, null is none. */
  readonly collation: string | null;
  /** Undefined: not compared. */
  readonly required: boolean | undefined;
  /** Whether PostgreSQL holds a condition for its values. */
  readonly checked: boolean;
  /** Undefined: not compared. */
  readonly comment: string | undefined;
}

/** What a column of the metadata brings into the mini-DB. */
export interface Footprint {
  /** Absent where the cells are computed, or kept in a table of their own. */
  readonly column?: ExpectedColumn;
  /** Names of unique indexes. */
  readonly unique?: readonly string[];
  /** Tables of its own in the base's schema. */
  readonly tables?: readonly string[];
}

/** Of the table only what names are made of. */
type Rule = (table: Pick<TableSchema, 'id'>, column: ColumnEntity) => Footprint;

/** Types whose cells are not simply a column of their table; every other type follows {@link stored}. */
const nothing: Rule = () => ({});
const RULES: Readonly<Partial<Record<ColumnTypeName, Rule>>> = {
  link: (_table, { options: { through, end } }) => (through && end === 'source' ? { tables: [through] } : {}),
  lookup: nothing,
  rollup: nothing,
  count: nothing,
  formula: nothing,
  created_at: nothing,
  updated_at: nothing,
  created_by: nothing,
  updated_by: nothing,
};

/** A retired column is kept as it is, only nobody has to fill it, and its comment is nobody's business. */
const stored: Rule = (table, column) => {
  const live = column.deletedAt === null;
  const schema = toColumnSchema(column);
  const type = columnType(column.type);
  return {
    column: {
      ...typeOf(toStatement(physicalType(schema)).text),
      name: column.physicalName,
      // An identity column takes no nulls by itself.
      required: type.generated ? undefined : live && column.required,
      checked: type.check !== undefined && !kindOf(schema).list,
      comment: live ? column.name : undefined,
    },
    unique: live && column.unique ? [uniqueIndexName(table, schema)] : [],
  };
};

export const footprintOf: Rule = (table, column) => (RULES[column.type] ?? stored)(table, column);

/** A column that is to take the place of another. */
export const filledColumn = ({ hiddenName, toType, toOptions }: ColumnConversionEntity): ExpectedColumn => ({
  ...typeOf(toStatement(physicalType({ type: toType, options: toOptions })).text),
  name: hiddenName,
  required: false,
  checked: false,
  comment: undefined,
});

/** Names that `create table` takes and `format_type` does not give. */
const ALIASES: Readonly<Record<string, string>> = {
  timestamptz: 'timestamp with time zone',
  bool: 'boolean',
  int8: 'bigint',
  int4: 'integer',
  float8: 'double precision',
};
const COLLATED = ['text', 'text[]'];

/** The type as PostgreSQL gives it back, from how we write it: `numeric(38, 2)`, `text collate "C"`. */
export function typeOf(written: string): Pick<ExpectedColumn, 'type' | 'collation'> {
  const [bare = '', collation] = written.split(/ collate "(\w+)"/);
  const [, name = '', rest = ''] = /^([a-z ]+\d?)(.*)$/.exec(bare.replaceAll(', ', ',')) ?? [];
  const type = (ALIASES[name] ?? name) + rest;
  return { type, collation: collation ?? (COLLATED.includes(type) ? 'default' : null) };
}
