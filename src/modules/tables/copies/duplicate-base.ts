import { must, newId, type Access, type Id } from '../../../common/index.js';
import {
  advanceSchema,
  copyPairs,
  copyRows,
  createBaseSchema,
  createLinkTable,
  createTable,
  type Sql,
} from '../../../query/index.js';

import type { BaseEntity } from '../bases/base.entity.js';
import { baseAudit, baseChanged, baseView } from '../bases/new-base.js';
import { copiedRules } from '../rules/copied-rules.js';
import type { TableRulesEntity } from '../rules/table-rules.entity.js';
import type { SchemaChange } from '../schema/schema-saga.js';
import { contextOf, type Structure } from '../schema/structure.js';
import { baseSchema } from '../tables/table-schema.js';
import { tableChanged } from '../tables/table-changed.js';
import type { Wiring } from '../views-of-bases.js';
import { rewired } from './rewire.js';

/** A base like another one: what it takes in the mini-DB, and its metadata; and what is what of the original. */
export function duplicateBase(
  access: Access,
  originals: readonly Structure[],
  rules: ReadonlyMap<Id, TableRulesEntity>,
  { from, to, withRows }: { readonly from: BaseEntity; readonly to: BaseEntity; readonly withRows: boolean },
): { readonly change: Omit<SchemaChange<unknown>, 'result'>; readonly wiring: Wiring } {
  const copies = rewired(
    originals.map(({ table, columns }) => ({ table, columns })),
    (original, id) => ({
      ...original,
      id,
      baseId: to.id,
      physicalName: original.key,
      schemaVersion: 1,
      createdAt: to.createdAt,
      updatedAt: to.createdAt,
    }),
  );
  const schemas = baseSchema(to.schemaName, copies);
  const context = contextOf(access);
  const made = copies.map((copy, i) => ({
    ...copy,
    original: must(originals[i], 'each copy has its original'),
    schema: must(schemas.get(copy.table.id), 'each copy has its schema'),
  }));
  /** Columns of the originals, and their copies. */
  const ids = new Map(
    made.flatMap(({ original, columns }) =>
      original.columns.flatMap(({ id }, i) => {
        const copy = columns[i];
        return copy ? [[id, copy.id] as const] : [];
      }),
    ),
  );
  const links = made.flatMap(({ table, columns, original, schema }) =>
    columns.flatMap((column, i) => {
      const { end, through, tableId, multiple } = column.options;
      if (end !== 'source') return [];
      const target = must(schemas.get(must(tableId, 'a link has a table')), 'a link leads to a table of its base');
      return [
        {
          name: `${table.name}: ${column.name}`,
          to: { through: must(through, 'a link has its pairs'), source: schema, target, single: multiple === false },
          from: {
            through: must(original.columns[i]?.options.through, 'a link has its pairs'),
            source: original.schema,
          },
        },
      ];
    }),
  );
  const statements: Sql[] = [
    ...createBaseSchema(to.schemaName, to.name),
    ...made.flatMap(({ table, schema }) => createTable({ ...schema, name: table.name }, newId())),
    ...links.flatMap((link) => createLinkTable(link.to, link.name)),
    ...(withRows ? made.flatMap(({ original, schema }) => copyRows(original.schema, schema)) : []),
    ...(withRows ? links.map((link) => copyPairs(link.from, link.to)) : []),
    // Rows that were there from the beginning are not logged one by one; the log says where they are from.
    ...made.map(({ schema, original }) =>
      advanceSchema(schema, 1, context, { duplicated: { from: original.table.id, rows: withRows } }),
    ),
  ];
  const change = {
    schema: to.schemaName,
    makesSchema: true as const,
    statements,
    ...(withRows ? { copying: { snapshot: true } } : {}),
    patch: {
      bases: [to],
      tables: copies.map(({ table }) => table),
      columns: copies.flatMap(({ columns }) => columns),
      rules: made.flatMap(({ table, original }) => {
        const own = rules.get(original.table.id);
        return own ? [copiedRules(own, table, (columnId) => ids.get(columnId) ?? columnId)] : [];
      }),
      audit: [baseAudit(to, 'base.created', undefined, { ...baseView(to), from: from.id, withRows })] as const,
      events: [baseChanged(to), ...copies.map(({ table }) => tableChanged(table))],
    },
  };
  const tables = new Map(made.map(({ original, table }) => [original.table.id, table.id]));
  return { change, wiring: { tables, column: (id) => ids.get(id) ?? id } };
}
