import { Problem } from '../../common/index.js';
import { fingerprint, type CursorCodec, type Position } from '../keyset.js';
import { kindOf, valueType } from '../kind.js';
import type { MadeColumn, ObjectColumn, ObjectSource } from '../object-schema.js';
import type { Condition, OrderTerm } from '../plan.js';
import type { ColumnSchema } from '../schema.js';
import type { SourceGroups, SourceRead } from '../source-plan.js';
import type { FilterContext } from './resolve-filter.js';
import { resolveFilter } from './resolve-filter.js';
import { resolveGroups, type GroupRequest } from './resolve-groups.js';
import { EVERY_ROW, resolveFields, resolveSortKeys, TRUE, type ReadRequest } from './resolve-read.js';
import { resolveSearch } from './resolve-search.js';

/** What the engine of a source can do; what it cannot is refused here, before anything is sent. */
export interface SourceCapabilities {
  readonly joins: boolean;
  readonly jsonPaths: boolean;
  readonly timeZones: boolean;
  /** Whether it can compute this; nothing where that is absent. */
  readonly computes?: (column: MadeColumn) => boolean;
  /** Whether it can look for words in a text; everywhere where that is absent. */
  readonly searches?: (column: ColumnSchema) => boolean;
}

/** A page of an external database as a caller asked for it. */
export type SourceRequest = Omit<ReadRequest, 'expand' | 'trashed'>;

/** Rows that a page may lie behind, where they can only be counted. */
export const MAX_SKIP = 10_000;

/** @throws Problem `filter_invalid`, `sort_invalid`, `validation_failed`, `cursor_invalid`, `cursor_mismatch`, `not_supported_by_source` */
export function resolveSourceRead(
  request: SourceRequest,
  source: ObjectSource,
  capabilities: SourceCapabilities,
  cursors: CursorCodec,
  context: FilterContext,
): { readonly plan: SourceRead; readonly query: string } {
  mayJoin(source, capabilities);
  const { tz, search } = request;
  const own = request.filter
    ? resolveFilter(request.filter, source, tz === undefined ? context : { ...context, zone: tz })
    : TRUE;
  const where: Condition =
    search === undefined ? own : { kind: 'and', items: [own, resolveSearch(search, source, capabilities.searches)] };
  mayTest(where, capabilities);
  const keys = resolveSortKeys(request.sort, source);
  const ties = keysOf(source);
  const orderBy = withTies(keys, ties ?? source.columns.filter((column) => valueType(column).sortable !== false));
  const query = fingerprint(source, request.filter, orderBy, {
    ...(tz === undefined ? {} : { tz }),
    ...(search === undefined ? {} : { search }),
  });
  const position = request.cursor === undefined ? undefined : cursors.open(query, request.cursor);
  return {
    query,
    plan: {
      from: source,
      select: resolveFields(request.fields, source) as readonly ObjectColumn[],
      where,
      orderBy,
      ...(ties === undefined ? { skip: skipped(position) } : position === undefined ? {} : { after: position }),
      limit: request.limit,
      count: request.count,
    },
  };
}

/** Where the page behind one that was found by counting begins. */
export const skipPosition = ({ skip = 0, limit }: Pick<SourceRead, 'skip' | 'limit'>): Position => [skip + limit];

function skipped(position: Position | undefined): number {
  const skip = Number(position?.[0] ?? 0);
  if (skip <= MAX_SKIP) return skip;
  throw new Problem('not_supported_by_source', {
    detail: `The rows have no key, so pages are found by counting; that ends after ${MAX_SKIP} rows. Filter for fewer.`,
  });
}

/** @throws Problem as {@link resolveSourceRead} */
export function resolveSourceGroups(
  request: GroupRequest,
  source: ObjectSource,
  capabilities: SourceCapabilities,
  cursors: CursorCodec,
  context: FilterContext,
): { readonly plan: SourceGroups; readonly query: string } {
  mayJoin(source, capabilities);
  const { plan, query } = resolveGroups(request, source, EVERY_ROW, cursors, context);
  mayTest(plan.where, capabilities);
  const zoned = plan.groups.find(
    ({ column, bucket }) => bucket && bucket.zone !== 'UTC' && kindOf(column).type === 'datetime',
  );
  if (zoned && !capabilities.timeZones)
    throw unsupported(
      `Days and hours of ${zoned.output.key} can be grouped in UTC only, for this database has no time zones; send "tz": "UTC".`,
    );
  return { plan: { ...plan, from: source }, query };
}

/** What tells the rows of the source apart; undefined where nothing does. */
function keysOf({ object, alias, joins, columns }: ObjectSource): readonly ObjectColumn[] | undefined {
  const places = [{ object, alias }, ...joins];
  if (places.some((place) => place.object.key.length === 0)) return undefined;
  const ids = places.flatMap((place) => place.object.key.map(({ key }) => `${place.alias}.${key}`));
  return ids.flatMap((id) => columns.find((column) => column.id === id) ?? []);
}

/** Rows that are equal by the keys asked for follow each other in the direction of the last one. */
function withTies(terms: readonly OrderTerm[], ties: readonly ObjectColumn[]): readonly OrderTerm[] {
  const asked = new Set(terms.flatMap(({ by }) => (by.kind === 'column' ? by.column : [])));
  const dir = terms.at(-1)?.dir ?? 'asc';
  return [
    ...terms,
    ...ties
      .filter((column) => !asked.has(column))
      .map((column): OrderTerm => ({ by: { kind: 'column', column }, dir })),
  ];
}

function mayJoin({ joins }: ObjectSource, capabilities: SourceCapabilities): void {
  if (joins.length > 0 && !capabilities.joins)
    throw unsupported('Collections of this database cannot be joined; read them one by one.');
}

/** Whether the source can be asked all of the condition. */
export function canTest(condition: Condition, capabilities: SourceCapabilities): boolean {
  return untestable(condition, capabilities) === undefined;
}

function mayTest(condition: Condition, capabilities: SourceCapabilities): void {
  const key = untestable(condition, capabilities);
  if (key !== undefined)
    throw unsupported(`This database cannot look into ${key}; conditions with "path" are not offered.`);
}

/** The key of a column that the source cannot be asked about as the condition does. */
function untestable(condition: Condition, capabilities: SourceCapabilities): string | undefined {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.items.map((item) => untestable(item, capabilities)).find((key) => key !== undefined);
    case 'not':
      return untestable(condition.item, capabilities);
    case 'json':
      return capabilities.jsonPaths ? undefined : condition.column.key;
    default:
      return undefined;
  }
}

const unsupported = (detail: string): Problem => new Problem('not_supported_by_source', { detail });
