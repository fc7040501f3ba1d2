import { indexName, primaryKeyName, readableColumnNames, readableViewName } from '../../../query/index.js';
import type { BaseEntity } from '../bases/base.entity.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import type { TableEntity } from '../tables/table.entity.js';
import type { TableIndexEntity } from '../indexes/table-index.entity.js';
import type { ColumnConversionEntity } from '../columns/convert/background/column-conversion.entity.js';
import { filledColumn, footprintOf, typeOf, type ExpectedColumn } from './column-rules.js';

/** All metadata of a base, what is in the trash included. */
export interface BaseMetadata {
  readonly base: BaseEntity;
  readonly tables: readonly TableEntity[];
  readonly columns: readonly ColumnEntity[];
  /** Those that were asked for. */
  readonly indexes: readonly TableIndexEntity[];
  /** Those under way in the background. */
  readonly conversions: readonly ColumnConversionEntity[];
}

export interface ExpectedTable {
  readonly name: string;
  /** Undefined: not compared. */
  readonly comment: string | undefined;
  /** Undefined: they are not ours to know. */
  readonly columns: readonly ExpectedColumn[] | undefined;
  /** Whether unique, by name. Undefined: not compared. */
  readonly indexes: ReadonlyMap<string, boolean> | undefined;
  /** Indexes on their way, there or not. */
  readonly passing?: ReadonlySet<string>;
}

/** A base as it has to be in PostgreSQL, if the metadata is right. */
export interface ExpectedBase {
  readonly schema: string;
  readonly comment: string;
  readonly tables: readonly ExpectedTable[];
  readonly views: readonly { readonly name: string; readonly comment: string; readonly columns: readonly string[] }[];
  /** Schema versions by table id. */
  readonly streams: ReadonlyMap<string, number>;
}

/** What every table has beside its fields; an exclamation mark is NOT NULL, a question mark not compared: conditions of other columns speak of it. */
const SYSTEM_COLUMNS = [
  '_id uuid!',
  '_version integer!',
  '_created_at timestamptz!',
  '_created_by uuid',
  '_updated_at timestamptz!',
  '_updated_by uuid',
  '_deleted_at timestamptz?',
];

/** The tables that a base has for itself (createBaseSchema). */
const OWN_TABLES = ['_stream', '_change', '_anchor', '_applied', '_file', '_idempotency', '_import'];

export function expectedBase({ base, tables, columns, indexes, conversions }: BaseMetadata): ExpectedBase {
  const each = tables.map((table) => ({ table, own: columns.filter(({ tableId }) => tableId === table.id) }));
  const live = each.filter(({ table }) => table.deletedAt === null);
  return {
    schema: base.schemaName,
    comment: base.name,
    tables: [
      ...OWN_TABLES.map((name) => ({ name, comment: undefined, columns: undefined, indexes: undefined })),
      ...each.flatMap(({ table, own }) => expectedTables(table, own, indexes, conversions)),
    ],
    views: live.map(({ table, own }) => {
      const shown = own.filter(({ deletedAt }) => deletedAt === null);
      return {
        name: readableViewName(table.physicalName),
        comment: table.name,
        columns: readableColumnNames({ columns: shown }),
      };
    }),
    streams: new Map(tables.map(({ id, schemaVersion }) => [id, schemaVersion])),
  };
}

/** The table, and those that its columns have for themselves. */
function expectedTables(
  table: TableEntity,
  columns: readonly ColumnEntity[],
  indexes: readonly TableIndexEntity[],
  conversions: readonly ColumnConversionEntity[],
): ExpectedTable[] {
  const footprints = columns.map((column) => footprintOf(table, column));
  const unique = footprints.flatMap((footprint) => footprint.unique ?? []);
  const asked = indexes.filter(({ tableId }) => tableId === table.id);
  const [ready, passing] = [asked.filter(isReady), asked.filter((index) => !isReady(index))];
  const satellites = footprints.flatMap((footprint) => footprint.tables ?? []);
  return [
    {
      name: table.physicalName,
      comment: table.deletedAt === null ? table.name : undefined,
      columns: [
        ...SYSTEM_COLUMNS.map(systemColumn),
        ...footprints.flatMap(({ column }) => (column === undefined ? [] : [column])),
        ...conversions.filter(({ tableId }) => tableId === table.id).map(filledColumn),
      ],
      indexes: new Map([
        ...[primaryKeyName(table), ...unique].map((name) => [name, true] as const),
        ...ready.map(({ id, unique: only }) => [indexName(table.id, id), only] as const),
      ]),
      passing: new Set(passing.map(({ id }) => indexName(table.id, id))),
    },
    ...satellites.map((name) => ({ name, comment: undefined, columns: undefined, indexes: undefined })),
  ];
}

const isReady = ({ state }: TableIndexEntity): boolean => state === 'ready';

function systemColumn(text: string): ExpectedColumn {
  const [name = '', type = ''] = text.split(' ');
  return {
    ...typeOf(type.replace(/[!?]/, '')),
    name,
    required: type.endsWith('?') ? undefined : type.endsWith('!'),
    checked: false,
    comment: undefined,
  };
}
