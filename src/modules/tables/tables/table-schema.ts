import { must, type Id } from '../../../common/index.js';
import type { ColumnSchema, Derivation, Expression, LinkRef, SeenPart, TableSchema } from '../../../query/index.js';
import { storedFormula } from '../columns/formula-columns.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import type { TableEntity } from './table.entity.js';

/** A table with its live columns in order, as metadata. */
export interface TableRecord {
  readonly table: TableEntity;
  readonly columns: readonly ColumnEntity[];
}

/** What of a base somebody sees. A column is hidden with all those that it is needed for. */
export interface Sight {
  readonly shows: (column: ColumnEntity) => boolean;
  readonly locks: (column: ColumnEntity) => boolean;
  readonly seen: (tableId: Id) => SeenPart;
}

/** The tables of a base as the query core wants them, or as somebody sees them. They refer to each other where columns lead from one to another. */
export function baseSchema(
  schema: string,
  records: readonly TableRecord[],
  sight?: Sight,
): ReadonlyMap<Id, TableSchema> {
  const tables = new Map<Id, TableSchema>();
  const context: Context = {
    ...(sight ? { sight } : {}),
    records: new Map(records.map((record) => [record.table.id, record])),
    table: (id) => must(tables.get(id), 'a column leads to a table of its base'),
  };
  for (const { table, columns } of records) tables.set(table.id, toTableSchema(schema, table, columns, context));
  return tables;
}

interface Context {
  readonly sight?: Sight;
  readonly records: ReadonlyMap<Id, TableRecord>;
  readonly table: (id: Id) => TableSchema;
}

const toTableSchema = (
  schema: string,
  table: TableEntity,
  columns: readonly ColumnEntity[],
  context: Context,
): TableSchema => ({
  id: table.id,
  schemaVersion: table.schemaVersion,
  physical: { schema, table: table.physicalName },
  columns: columns
    .filter((column) => context.sight?.shows(column) ?? true)
    .map((column) => {
      const derived = derivation(column, context);
      const own = context.sight?.locks(column)
        ? { ...toColumnSchema(column), locked: true as const }
        : toColumnSchema(column);
      return derived ? { ...own, derived } : own;
    }),
  ...(context.sight ? { seen: context.sight.seen(table.id) } : {}),
});

/** A column that is stored in the row. */
export const toColumnSchema = (column: ColumnEntity): ColumnSchema => ({
  id: column.id,
  key: column.key,
  name: column.name,
  type: column.type,
  options: column.options,
  required: column.required,
  unique: column.unique,
  default: column.default,
  physical: column.physicalName,
});

function derivation(column: ColumnEntity, context: Context): Derivation | undefined {
  const { options } = column;
  switch (column.type) {
    case 'link':
      return { kind: 'link', link: linkRef(column, context) };
    case 'lookup':
    case 'rollup':
    case 'count': {
      const owner = must(context.records.get(column.tableId), 'a column belongs to a table of its base');
      const link = linkRef(columnOf(owner, options.linkColumnId), context);
      if (column.type === 'count') return { kind: 'count', link };
      // Found when it is asked for: the other table may not have been read yet, and may look up things here.
      const found = (): ColumnSchema => schemaOf(link.target, options.columnId);
      if (column.type === 'lookup')
        return {
          kind: 'lookup',
          link,
          get column() {
            return found();
          },
        };
      return {
        kind: 'rollup',
        link,
        fn: must(options.fn, 'a rollup has a function'),
        get column() {
          return found();
        },
      };
    }
    case 'formula':
      return formulaOf(column, context);
    case 'created_at':
    case 'updated_at':
    case 'created_by':
    case 'updated_by':
      return { kind: 'system' };
    default:
      return undefined;
  }
}

/**
 * Checked when it is asked for: what it reads may lead to tables that have not been read yet. However large it is: that was judged when it was made, and what is too
 * much for this version of the product must still be there to be changed.
 */
function formulaOf(column: ColumnEntity, { table }: Context): Derivation {
  const check = (): Expression => {
    const checked = storedFormula(column, table(column.tableId), null);
    if (checked.ok) return checked.expression;
    throw new Error(`The formula of ${column.key} does not fit its columns: ${checked.flaws[0]?.detail ?? ''}`);
  };
  let known: Expression | undefined;
  return {
    kind: 'formula',
    get expression() {
      return (known ??= check());
    },
  };
}

function linkRef(column: ColumnEntity, { records, table }: Context): LinkRef {
  const { tableId, inverseColumnId, through, end, multiple = true } = column.options;
  const other = must(records.get(must(tableId, 'a link has a table')), 'a link leads to a table of its base');
  const inverse = columnOf(other, inverseColumnId);
  return {
    through: must(through, 'a link has a table of pairs'),
    end: must(end, 'a link column is an end of it'),
    single: !multiple,
    inverseSingle: inverse.options.multiple === false,
    inverseKey: inverse.key,
    get target() {
      return table(other.table.id);
    },
  };
}

const columnOf = ({ columns }: TableRecord, id: Id | undefined): ColumnEntity =>
  must(
    columns.find((column) => column.id === id),
    'a column leads to a live column',
  );

const schemaOf = ({ columns }: TableSchema, id: Id | undefined): ColumnSchema =>
  must(
    columns.find((column) => column.id === id),
    'a column leads to a live column',
  );
