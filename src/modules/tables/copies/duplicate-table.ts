import { deriveKey, foldName, must, newId, type Access } from '../../../common/index.js';
import { advanceSchema, copyPairs, copyRows, createTable, lockLinks, type Sql } from '../../../query/index.js';
import type { BaseEntity } from '../bases/base.entity.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { freeName } from '../columns/free-name.js';
import { copiedRules } from '../rules/copied-rules.js';
import type { TableRulesEntity } from '../rules/table-rules.entity.js';
import type { BaseDraft } from '../schema/base-draft.js';
import type { SchemaChange } from '../schema/schema-saga.js';
import { contextOf, type Structure } from '../schema/structure.js';
import type { TableEntity } from '../tables/table.entity.js';
import { toTableDto } from '../tables/to-dto.js';
import type { TableDto } from '../tables/table.dto.js';
import type { Wiring } from '../views-of-bases.js';
import { Rewiring } from './rewire.js';

/**
 * A table like another one of the same base. Links to other tables are links of its own, with columns of their own over
 * there; links to itself lead to the copy.
 * @throws Problem `limit_reached` another table has no room for a column that shows the link
 */
export function duplicateTable(
  access: Access,
  draft: BaseDraft,
  base: BaseEntity,
  original: Structure & { readonly rules?: TableRulesEntity },
  { table, withRows }: { readonly table: TableEntity; readonly withRows: boolean },
): { readonly change: SchemaChange<TableDto>; readonly wiring: Wiring } {
  const wiring = new Rewiring([[original.table.id, table.id]]);
  for (const { id } of original.columns) wiring.copied(id);
  const links = original.columns.filter(({ type }) => type === 'link');
  const outward = links.filter(({ options }) => options.tableId !== original.table.id);
  for (const { options } of outward) wiring.copied(must(options.inverseColumnId, 'a link has two ends'));
  for (const link of links)
    if (link.options.end === 'source' || outward.includes(link)) wiring.renameThrough(table, link);
  draft.addTable(table);
  draft.adopt(original.columns.map((column) => wiring.column(column, table.createdAt)));
  for (const { options } of outward) draft.adopt([inverseOf(options, draft, wiring, table)]);
  const { statements, ...drafted } = draft.finish(contextOf(access), [
    {
      workspaceId: table.workspaceId,
      action: 'table.created',
      resource: { type: 'table', id: table.id, name: table.name },
      after: { name: table.name, key: table.key, from: original.table.id, withRows },
    },
  ]);
  const schema = draft.schemaOf(table.id);
  const targets = [...new Set(links.map(({ options }) => must(options.tableId, 'a link has a table')))];
  const rows: Sql[] = withRows ? copyRows(original.schema, schema) : [];
  const { rules } = original;
  const change = {
    ...drafted,
    ...(rules
      ? { patch: { ...drafted.patch, rules: [copiedRules(rules, table, (columnId) => wiring.to(columnId))] } }
      : {}),
    ...(withRows ? { copying: { snapshot: false } } : {}),
    statements: [
      ...createTable({ ...schema, name: table.name }, newId()),
      ...rows,
      // Whoever changes links holds rows, which the foreign keys of the copies wait for; so they are kept out before anything is locked.
      lockLinks([original.table.id, ...targets].map((id) => draft.schemaOf(id))),
      ...statements,
      ...(withRows ? pairs(links, original, draft, wiring) : []),
      advanceSchema(schema, 1, contextOf(access), { duplicated: { from: original.table.id, rows: withRows } }),
    ],
    result: toTableDto(table, draft.table(table.id).columns, base.schemaName),
  };
  return {
    change,
    wiring: { tables: new Map([[original.table.id, table.id]]), column: (columnId) => wiring.to(columnId) },
  };
}

/** The column of another table that shows a link of the copy. It is called like the copy. */
function inverseOf(
  { tableId, inverseColumnId }: ColumnEntity['options'],
  draft: BaseDraft,
  wiring: Rewiring,
  copy: TableEntity,
): ColumnEntity {
  const { columns } = draft.table(must(tableId, 'a link has a table'));
  const original = must(
    columns.find(({ id }) => id === inverseColumnId),
    'a link has two ends',
  );
  const name = freeName(copy.name, columns);
  const key = deriveKey(name, new Set(columns.map((column) => column.key)));
  return {
    ...wiring.column(original, copy.createdAt),
    key,
    name,
    nameFolded: foldName(name),
    physicalName: key,
    position: Math.max(-1, ...columns.map(({ position }) => position)) + 1,
  };
}

function pairs(links: readonly ColumnEntity[], original: Structure, draft: BaseDraft, wiring: Rewiring): Sql[] {
  const isSelf = ({ options }: ColumnEntity): boolean => options.tableId === original.table.id;
  return links
    .filter((link) => !isSelf(link) || link.options.end === 'source')
    .map(({ options }) => {
      const through = must(options.through, 'a link has its pairs');
      const other = must(options.tableId, 'a link has a table');
      const [source, target] = options.end === 'source' ? [original.table.id, other] : [other, original.table.id];
      return copyPairs(
        { through, source: original.schema },
        {
          through: wiring.through(through),
          source: draft.schemaOf(wiring.to(source)),
          target: draft.schemaOf(wiring.to(target)),
        },
      );
    });
}
