import { must, type Id } from '../../../common/index.js';
import type { MiniDbLookup } from '../../../engines/index.js';
import { isWritable, type ColumnSchema } from '../../../query/index.js';
import type { BaseEntity } from '../bases/base.entity.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { toldDefault } from '../columns/told-default.js';
import type { TableEntity } from '../tables/table.entity.js';
import type { Structure } from '../schema/structure.js';
import { TEMPLATE_FORMAT, type TemplateRow } from './template.js';
import type { TemplateDto } from './template.dto.js';

/** Rows that an export holds: of one table, and in all (which is what an import takes). */
const MAX_ROWS = { table: 1_000, all: 5_000 } as const;

/** A base as a template, without rows and views. */
export function exportStructure(base: BaseEntity, structures: readonly Structure[]): Omit<TemplateDto, 'views'> {
  return {
    format: TEMPLATE_FORMAT,
    ...lookOf(base),
    tables: structures.map(({ table, columns }) => ({
      key: table.key,
      ...lookOf(table),
      // A link is described at one end; this says where the column of its other end stands.
      order: columns.map(({ key }) => key),
      columns: columns.filter(({ options }) => options.end !== 'target').map((column) => columnOf(column, structures)),
      rows: [],
    })),
  };
}

const lookOf = ({ name, description, color, icon }: BaseEntity | TableEntity) => ({ name, description, color, icon });

function columnOf(
  column: ColumnEntity,
  structures: readonly Structure[],
): TemplateDto['tables'][number]['columns'][number] {
  const { key, name, description, type, required, unique } = column;
  return {
    key,
    name,
    description,
    type,
    required,
    unique,
    // A person of one workspace is nobody in another.
    default: type === 'user' && column.default !== 'me' ? null : toldDefault(column),
    options: optionsOf(column, structures),
  };
}

function optionsOf(
  { tableId, type, options }: ColumnEntity,
  structures: readonly Structure[],
): Record<string, unknown> {
  const all = structures.flatMap(({ columns }) => columns);
  const column = (id: Id | undefined): ColumnEntity =>
    must(
      all.find((other) => other.id === id),
      `a column of ${tableId} leads to a column`,
    );
  switch (type) {
    case 'link': {
      const target = must(
        structures.find(({ table }) => table.id === options.tableId),
        'a link leads to a table of its base',
      );
      const { name, key } = column(options.inverseColumnId);
      return { table: target.table.key, multiple: options.multiple ?? true, inverseName: name, inverseKey: key };
    }
    case 'count':
      return { linkColumn: column(options.linkColumnId).key };
    case 'lookup':
    case 'rollup':
      return {
        linkColumn: column(options.linkColumnId).key,
        column: column(options.columnId).key,
        ...(options.fn === undefined ? {} : { fn: options.fn }),
      };
    case 'formula':
      return { formula: options.formula };
    default:
      return { ...options };
  }
}

/**
 * The same with the oldest rows of each table. Links to rows that are not among them are left out, and so are people and files; where rows
 * are told without the value that a column requires, the column is not required in the document: it could not be used otherwise.
 */
export async function exportRows(
  template: TemplateDto,
  structures: readonly Structure[],
  lookup: MiniDbLookup,
): Promise<TemplateDto> {
  const refs = new Map<Id, string>();
  const found: {
    readonly columns: readonly ColumnSchema[];
    readonly rows: Awaited<ReturnType<MiniDbLookup['oldest']>>;
  }[] = [];
  let left: number = MAX_ROWS.all;
  for (const { schema, table } of structures) {
    const columns = schema.columns.filter(isPortable);
    const rows = await lookup.oldest(schema, columns, Math.min(MAX_ROWS.table, left));
    left -= rows.length;
    for (const [i, { id }] of rows.entries()) refs.set(`${table.id} ${id}`, `${table.key}_${i + 1}`);
    found.push({ columns, rows });
  }
  const tables = template.tables.map((table, t) => {
    const { columns, rows } = must(found[t], 'each table was read');
    const { id } = must(structures[t], 'each table has a structure').table;
    return {
      ...table,
      columns: rows.length === 0 ? table.columns : table.columns.map(withoutDemandOfLeftOut),
      rows: rows.map((row): TemplateRow => ({
        ref: refs.get(`${id} ${row.id}`),
        fields: withRefs(row.fields, columns, refs),
      })),
    };
  });
  return { ...template, tables, rowsCappedAt: MAX_ROWS.table };
}

/** Values that mean the same elsewhere, whoever may change them; a link is told in the column that the template describes. */
const isPortable = ({ locked: _, ...column }: ColumnSchema): boolean =>
  isWritable(column) &&
  column.type !== 'user' &&
  column.type !== 'attachment' &&
  (column.derived?.kind !== 'link' || column.derived.link.end === 'source');

type DescribedColumn = TemplateDto['tables'][number]['columns'][number];

/** The maker of a base, as a default, is somebody. */
const withoutDemandOfLeftOut = (column: DescribedColumn): DescribedColumn => {
  const isLeftOut = column.type === 'attachment' || (column.type === 'user' && column.default === null);
  return isLeftOut ? { ...column, required: false } : column;
};

const withRefs = (
  fields: Readonly<Record<string, unknown>>,
  columns: readonly ColumnSchema[],
  refs: ReadonlyMap<string, string>,
): Record<string, unknown> =>
  Object.fromEntries(
    columns.map(({ key, derived }) => {
      const cell = fields[key];
      if (derived?.kind !== 'link' || !Array.isArray(cell)) return [key, cell];
      return [key, cell.flatMap((id) => refs.get(`${derived.link.target.id} ${String(id)}`) ?? [])];
    }),
  );
