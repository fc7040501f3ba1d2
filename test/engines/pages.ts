import {
  CursorCodec,
  parseJsonFilter,
  resolveRead,
  type CellValue,
  type FilterContext,
  type ReadPlan,
  type ReadRequest,
  type TableSchema,
} from '../../src/query/index.js';
import { NOW } from '../query/index.js';
import type { Node } from './store.js';

const cursors = new CursorCodec(Buffer.alloc(32, 7));

/** The plan of a request, of somebody who may read everything. */
export function planOf(
  table: TableSchema,
  request: Partial<ReadRequest> & { readonly filterJson?: unknown } = {},
  context: Partial<FilterContext> = {},
): ReadPlan {
  const { filterJson, ...rest } = request;
  const filter = filterJson === undefined ? {} : { filter: parseJsonFilter(filterJson, '/filter') };
  return resolveRead(
    { sort: [], limit: 1000, count: 'none', ...filter, ...rest },
    table,
    { where: { kind: 'true' } },
    cursors,
    { now: NOW, ...context },
  ).plan;
}

/** A row as the API shows it. */
export interface PageRow {
  readonly id: string;
  readonly version: number;
  readonly fields: Readonly<Record<string, CellValue>>;
  readonly updatedAt: string;
  readonly deletedAt?: string;
  readonly deletedBy?: string;
}

export async function pageOf({ engine }: Pick<Node, 'engine'>, plan: ReadPlan) {
  const { data, ...page } = await engine.read(plan);
  return { ...page, rows: JSON.parse(`[${String(data)}]`) as PageRow[] };
}

export const ids = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);
