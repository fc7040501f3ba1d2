import { must, newId } from '../../src/common/index.js';
import {
  createBaseSchema,
  createLinkTable,
  createTable,
  type ColumnSchema,
  type LinkRef,
  type RollupFunction,
  type TableSchema,
} from '../../src/query/index.js';
import { column } from '../query/index.js';
import type { Node } from './store.js';

/** Three tables that lead to each other: to one row and to several, from both ends, and to themselves. */
export interface LinkedBase {
  readonly deals: TableSchema;
  readonly companies: TableSchema;
  readonly tags: TableSchema;
  readonly all: readonly TableSchema[];
}

interface Ends {
  readonly through: string;
  readonly source: readonly [table: () => TableSchema, key: string];
  readonly target: readonly [table: () => TableSchema, key: string];
  /** At most one target for each source. */
  readonly single: boolean;
}

function linkFrom(end: 'source' | 'target', { through, source, target, single }: Ends): ColumnSchema {
  const [[, key], [there, inverseKey]] = end === 'source' ? [source, target] : [target, source];
  const link: LinkRef = {
    through,
    end,
    single: single && end === 'source',
    inverseSingle: single && end === 'target',
    inverseKey,
    get target() {
      return there();
    },
  };
  return column(key, 'link', { derived: { kind: 'link', link }, options: { multiple: !link.single } });
}

const follow = (from: ColumnSchema): LinkRef => {
  if (from.derived?.kind !== 'link') throw new Error('not a link');
  return from.derived.link;
};

const find = ({ columns }: TableSchema, key: string): ColumnSchema =>
  must(
    columns.find((each) => each.key === key),
    `a column ${key}`,
  );

const lookup = (key: string, from: ColumnSchema, of: string): ColumnSchema => {
  const link = follow(from);
  // Found when it is asked for: its table may not have been made yet.
  const derived = {
    kind: 'lookup' as const,
    link,
    get column() {
      return find(link.target, of);
    },
  };
  return column(key, 'lookup', { derived });
};
const rollup = (key: string, from: ColumnSchema, of: string, fn: RollupFunction): ColumnSchema => {
  const link = follow(from);
  const derived = {
    kind: 'rollup' as const,
    link,
    fn,
    get column() {
      return find(link.target, of);
    },
  };
  return column(key, 'rollup', { derived });
};
const count = (key: string, from: ColumnSchema): ColumnSchema =>
  column(key, 'count', { derived: { kind: 'count', link: follow(from) } });

let bases = 0;

/** Really made, in a base of its own. */
export async function makeLinkedBase({ schema }: Node): Promise<LinkedBase> {
  const name = `linked_${++bases}`;
  const tables = new Map<string, TableSchema>();
  const at = (key: string) => () => must(tables.get(key), 'all tables are made');
  const [deals, companies, tags] = [at('deals'), at('companies'), at('tags')];
  const ends = {
    company: { through: '_link_company', source: [deals, 'company'], target: [companies, 'deals'], single: true },
    parent: { through: '_link_parent', source: [companies, 'parent'], target: [companies, 'children'], single: true },
    tags: { through: '_link_tags', source: [deals, 'tags'], target: [tags, 'deals'], single: false },
    related: { through: '_link_related', source: [deals, 'related'], target: [deals, 'related_by'], single: false },
  } as const satisfies Record<string, Ends>;

  const add = (key: string, columns: readonly ColumnSchema[]): void => {
    tables.set(key, { id: newId(), schemaVersion: 1, physical: { schema: name, table: key }, columns });
  };
  const [company, tagged, related] = [
    linkFrom('source', ends.company),
    linkFrom('source', ends.tags),
    linkFrom('source', ends.related),
  ];
  add('deals', [
    column('name', 'text'),
    column('qty', 'integer'),
    column('amount', 'decimal', { options: { scale: 2 } }),
    column('due', 'date'),
    column('spent', 'duration', { options: { format: 'h:mm' } }),
    column('status', 'single_select'),
    company,
    tagged,
    related,
    linkFrom('target', ends.related),
    lookup('company_name', company, 'name'),
    lookup('company_total', company, 'total'),
    lookup('company_dues', company, 'dues'),
    lookup('tag_labels', tagged, 'label'),
    rollup('weight', tagged, 'weight', 'sum'),
    lookup('related_tags', related, 'tag_labels'),
    rollup('related_total', related, 'amount', 'sum'),
    count('related_n', related),
  ]);
  const [its, parent, children] = [
    linkFrom('target', ends.company),
    linkFrom('source', ends.parent),
    linkFrom('target', ends.parent),
  ];
  add('companies', [
    column('name', 'text'),
    column('kind', 'multi_select'),
    its,
    parent,
    children,
    lookup('qtys', its, 'qty'),
    lookup('dues', its, 'due'),
    lookup('stages', its, 'status'),
    lookup('deal_tags', its, 'tag_labels'),
    rollup('total', its, 'amount', 'sum'),
    rollup('qty_sum', its, 'qty', 'sum'),
    rollup('qty_avg', its, 'qty', 'avg'),
    rollup('spent', its, 'spent', 'sum'),
    rollup('first_due', its, 'due', 'min'),
    rollup('top_stage', its, 'status', 'max'),
    rollup('stage_n', its, 'status', 'countDistinct'),
    rollup('name_n', its, 'name', 'count'),
    rollup('names', its, 'name', 'concat'),
    rollup('tag_n', its, 'tag_labels', 'countDistinct'),
    count('deal_n', its),
    lookup('parent_name', parent, 'name'),
    lookup('parent_total', parent, 'total'),
    rollup('family_total', children, 'total', 'sum'),
    lookup('kinds_below', children, 'kind'),
  ]);
  add('tags', [column('label', 'text'), column('weight', 'integer'), linkFrom('target', ends.tags)]);

  await schema.apply(name, newId(), createBaseSchema(name, 'CRM'));
  const all = [deals(), companies(), tags()];
  for (const table of all)
    await schema.apply(name, newId(), createTable({ ...table, name: table.physical.table }, newId()));
  for (const { through, source, target: to, single } of Object.values(ends))
    await schema.apply(
      name,
      newId(),
      createLinkTable({ through, source: source[0](), target: to[0](), single }, through),
    );
  return { deals: deals(), companies: companies(), tags: tags(), all };
}
