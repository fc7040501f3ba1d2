import { invalid, pointer, Problem } from '../../common/index.js';
import type { ViewGroups, ViewRead } from '../compile/view/view-read.js';
import type { FilterInput } from '../filter/filter-input.js';
import { parseJsonFilter } from '../filter/json-filter.js';
import { digest, fingerprint, type CursorCodec } from '../keyset.js';
import type { Condition, OrderTerm } from '../plan.js';
import { noField } from '../resolve/no-field.js';
import { resolveFilter, type FilterContext } from '../resolve/resolve-filter.js';
import { resolveGroups, type GroupRequest } from '../resolve/resolve-groups.js';
import { both, countMode, resolveFields, resolveSortKeys, TRUE, type ReadRequest } from '../resolve/resolve-read.js';
import { resolveSearch } from '../resolve/resolve-search.js';
import { columnByKey, type ColumnSchema } from '../schema.js';
import { clockOf } from './changes-by-time.js';
import { STORED_FORMULAS, type FormulaBounds } from '../compile/formula/size.js';
import { withComputed } from './computed.js';
import { placeSources } from './sources-table.js';
import type { DefinedSource, ViewDefinition } from './view-definition.js';
import { linkedPart, linksOfView } from './view-links.js';
import { mustStayWithin, withinScope, type ViewScope } from './view-scope.js';
import { tablesIn, type ViewColumn, type ViewSource, type ViewTable } from './view-table.js';

/** A definition against its sources as they are: names looked up, formulas typed. */
export interface ResolvedView {
  readonly definition: ViewDefinition;
  /** Every column of every source, and the computed ones: what the definition speaks of. */
  readonly table: ViewTable;
  /** What the view shows, under the keys of its answers: all that a request can speak of. Of a view of groups, all columns. */
  readonly shown: ViewTable;
  readonly filter?: FilterInput;
  readonly having?: FilterInput;
  /** Pointer to the definition. */
  readonly at: string;
}

/** A page of a view as a caller asks for it. */
export type ViewRequest = Omit<ReadRequest, 'expand' | 'trashed'>;

const refuse = (at: string, code: string, detail: string): Problem => invalid([{ pointer: at, code, detail }]);
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Whether the view shows groups and not rows. */
export const isGrouped = ({ groupBy, aggregates }: ViewDefinition): boolean => groupBy.length + aggregates.length > 0;

/**
 * @param find what a source of the definition is; throws where there is none
 * @param bounds how much its formulas may be
 * @throws Problem `validation_failed`, `filter_invalid`, `sort_invalid`, `formula_invalid`, with pointers that begin with `at`
 */
export function resolveView(
  definition: ViewDefinition,
  find: (source: DefinedSource, at: string) => ViewSource,
  at: string,
  bounds: FormulaBounds = STORED_FORMULAS,
): ResolvedView {
  const { source, as, joins, computed, filter, having } = definition;
  const alias = (given: string | undefined) => (given === undefined ? {} : { as: given });
  const placed = [
    { source: find(source, `${at}/source`), ...alias(as) },
    ...joins.map((join, i) => ({
      source: find(join.source, `${at}/joins${pointer(i)}/source`),
      ...alias(join.as),
      join,
    })),
  ];
  const keys = computed.map(({ key }) => key);
  const own = filter === undefined ? undefined : parseJsonFilter(filter, `${at}/filter`);
  const all = withComputed(placeSources(placed, keys, at), computed, `${at}/computed`, bounds);
  const table = withLinked(all, definition, own);
  return {
    at,
    definition,
    table,
    shown: shownOf(definition, table, at),
    ...(own ? { filter: own } : {}),
    ...(having === undefined ? {} : { having: parseJsonFilter(having, `${at}/having`) }),
  };
}

function withLinked(table: ViewTable, definition: ViewDefinition, filter: FilterInput | undefined): ViewTable {
  const linked = filter && linkedPart(filter, table, linksOfView(table, definition));
  return linked ? { ...table, linked } : table;
}

/** The rows that a view has by its own filter, which may ask for what lies behind links. */
function ownCondition({ definition, table, filter }: ResolvedView, context: FilterContext): Condition {
  return filter ? resolveFilter(filter, table, { ...context, linkOf: linksOfView(table, definition) }) : TRUE;
}

/** The same columns under the keys of the answer; nothing else can be reached by a request. */
function shownOf({ columns, filter, having }: ViewDefinition, table: ViewTable, at: string): ViewTable {
  const shown = columns === undefined ? table.columns : outputs(columns, table, `${at}/columns`);
  const { schemaVersion, physical, places, keys, linked } = table;
  const id = digest([table.id, filter ?? null, having ?? null]);
  return { id, schemaVersion, physical, places, keys, columns: shown, ...(linked ? { linked } : {}) };
}

/** By its own key, by `alias_key` where several have one of this key, or as it was asked for. */
function outputs(
  columns: readonly { readonly field: string; readonly as?: string }[],
  table: ViewTable,
  at: string,
): readonly ViewColumn[] {
  const found = columns.map(({ field }, i) => {
    const column = columnByKey(table, field) as ViewColumn | undefined;
    if (!column) throw refuse(at + pointer(i), ...noField(table, field));
    return column;
  });
  const own = found.map((column) => (column.of.kind === 'cell' ? column.of.column.key : column.key));
  const taken = new Set<string>();
  return found.map((column, i) => {
    const { as } = columns[i] ?? {};
    if (as !== undefined && !NAME.test(as))
      throw refuse(
        `${at}${pointer(i)}/as`,
        'invalid_name',
        'A name has 1 to 64 letters, digits and underscores, and no digit in front.',
      );
    const bare = own[i] ?? column.key;
    const several = own.filter((each, n) => each === bare && columns[n]?.as === undefined).length > 1;
    const key = as ?? (several ? aliased(column, bare, table) : bare);
    if (taken.has(key)) throw refuse(at + pointer(i), 'duplicate_key', `${key} occurs twice; "as" gives another name.`);
    taken.add(key);
    return { ...column, key };
  });
}

const aliased = ({ of, key }: ViewColumn, bare: string, { places }: ViewTable): string =>
  of.kind === 'cell' ? `${places[of.place]?.alias ?? ''}_${bare}` : key;

/** @throws Problem `filter_invalid`, `sort_invalid`, `validation_failed`, `cursor_invalid`, `cursor_mismatch` */
export function resolveViewRead(
  view: ResolvedView,
  request: ViewRequest,
  context: FilterContext,
  scope?: ViewScope,
): { readonly plan: ViewRead; readonly query: string } {
  if (scope) mustStayWithin(scope, request);
  const { at, definition, table, shown: all } = view;
  const shown = scope?.columns === undefined ? all : { ...all, columns: withinScope(all.columns, scope) };
  const { tz, search } = request;
  const zoned = tz === undefined ? context : { ...context, zone: tz };
  const asked = request.filter ? resolveFilter(request.filter, shown, zoned) : TRUE;
  const found = search === undefined ? asked : both(asked, resolveSearch(search, shown));
  const own = ownCondition(view, context);
  const where = both(both(own, scope?.filter ? resolveFilter(scope.filter, all, context) : TRUE), found);
  const terms =
    request.sort.length > 0
      ? resolveSortKeys(request.sort, shown)
      : within(at, ['/sort'], () => resolveSortKeys(definition.sort, table));
  const orderBy = withKeys(terms, table.keys);
  const query = fingerprint(shown, request.filter, orderBy, {
    ...(tz === undefined ? {} : { tz }),
    ...(search === undefined ? {} : { search }),
    ...(scope ? { scope: [scope.filter ?? null, scope.columns ?? null] } : {}),
  });
  return {
    query,
    plan: {
      from: table,
      select: resolveFields(request.fields, shown) as readonly ViewColumn[],
      where,
      orderBy,
      ...clockOf(orderBy, context.now),
      limit: request.limit,
      count: countMode(request.count, tablesIn(table), where),
    },
  };
}

/** Rows that are equal by the keys asked for follow each other in the direction of the last one. */
export function withKeys(terms: readonly OrderTerm[], keys: readonly ColumnSchema[]): readonly OrderTerm[] {
  const dir = terms.at(-1)?.dir ?? 'asc';
  return [...terms, ...keys.map((column): OrderTerm => ({ by: { kind: 'column', column }, dir }))];
}

/** The order of a page without what tells its rows apart. */
export const partialOrder = ({ orderBy, from }: Pick<ViewRead, 'orderBy' | 'from'>): readonly OrderTerm[] =>
  orderBy.slice(0, orderBy.length - from.keys.length);

/** Groups of what a view of rows shows; a cursor of the request is not looked at. @throws Problem as {@link resolveViewRead} */
export function resolveGroupsOfView(
  view: ResolvedView,
  request: GroupRequest,
  cursors: CursorCodec,
  context: FilterContext,
): { readonly plan: ViewGroups; readonly query: string } {
  const { definition, shown } = view;
  if (isGrouped(definition))
    throw refuse('/groupBy', 'not_with_groups', 'The view shows groups already; filter, sort and page them.');
  const where = ownCondition(view, context);
  const { groupBy, aggregates, having, filter: asked, sort, limit, count, timeZone } = request;
  const { plan, query } = resolveGroups(
    {
      groupBy,
      aggregates,
      ...(having ? { having } : {}),
      ...(asked ? { filter: asked } : {}),
      sort,
      limit,
      count: countMode(count, tablesIn(view.table), where),
      timeZone,
    },
    shown,
    { where },
    cursors,
    context,
  );
  return { plan: { ...plan, from: shown }, query };
}

/** The groups that a view of groups shows; what the request asks of them is asked of the groups. @throws Problem as {@link resolveViewRead} */
export function resolveGroupedView(
  view: ResolvedView,
  request: ViewRequest & { readonly timeZone: string },
  cursors: CursorCodec,
  context: FilterContext,
  scope?: ViewScope,
): { readonly plan: ViewGroups; readonly query: string } {
  if (scope) mustStayWithin(scope, request);
  const { at, definition, table, shown, having } = view;
  // A view of rows may have become one of groups since: nobody may see more for that.
  if (scope?.columns) throw refuse(`${at}/groupBy`, 'not_with_groups', 'Of groups all that they show is seen.');
  const misplaced = (['fields', 'search'] as const).find((name) => request[name] !== undefined);
  if (misplaced) throw refuse(`/${misplaced}`, 'not_with_groups', `${misplaced} does not go together with groups.`);
  const asked = [having, scope?.filter, request.filter].filter((each) => each !== undefined);
  const all: FilterInput | undefined = asked.length > 1 ? { kind: 'and', items: asked, pointer: '' } : asked[0];
  const own = ['/groupBy', '/aggregates', ...(request.sort.length > 0 ? [] : ['/sort'])];
  const { plan, query } = within(at, own, () =>
    resolveGroups(
      {
        groupBy: definition.groupBy,
        aggregates: definition.aggregates,
        ...(all ? { having: all } : {}),
        sort: request.sort.length > 0 ? request.sort : definition.sort,
        limit: request.limit,
        count: countMode(request.count, tablesIn(table), TRUE),
        timeZone: request.timeZone,
      },
      { ...table, id: shown.id },
      { where: ownCondition(view, context) },
      cursors,
      context,
    ),
  );
  return { plan: { ...plan, from: table }, query };
}

/** Problems with these members are about those of the definition. */
function within<T>(at: string, members: readonly string[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Problem) || !error.errors) throw error;
    const isOwn = (pointed: string): boolean => members.some((member) => pointed.startsWith(member));
    const errors = error.errors.map((each) => (isOwn(each.pointer) ? { ...each, pointer: at + each.pointer } : each));
    throw new Problem(error.code, { errors, ...(error.detail === undefined ? {} : { detail: error.detail }) });
  }
}
