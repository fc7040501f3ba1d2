import { invalid } from '../../common/index.js';
import { parseTextFilter } from '../filter/text-filter.js';
import type { CountMode } from '../plan.js';
import type { AsOf } from '../resolve/resolve-as-of.js';
import type { ReadRequest, SortInput } from '../resolve/resolve-read.js';
import { columnType } from '../types/index.js';
import { bodyOf, listOf, refuse } from './body.js';
import { columnKey, pagedBy, timeZone } from './paged-by.js';

/** A read as a query string has it. */
export interface UrlRead {
  readonly fields?: string | undefined;
  readonly filter?: string | undefined;
  readonly search?: string | undefined;
  readonly expand?: string | undefined;
  readonly trashed?: string | undefined;
  readonly asOf?: string | undefined;
  readonly tz?: string | undefined;
  readonly sort?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly count?: CountMode | undefined;
}

/** The URL form of a read. */
export function requestFromUrl(query: UrlRead): ReadRequest {
  return {
    ...(query.fields === undefined ? {} : { fields: names(query.fields, 'fields') }),
    ...(query.filter === undefined ? {} : { filter: parseTextFilter(query.filter) }),
    ...(query.search === undefined ? {} : { search: query.search }),
    ...(query.expand === undefined ? {} : { expand: names(query.expand, 'expand') }),
    trashed: query.trashed === 'true',
    ...(query.asOf === undefined ? {} : { asOf: moment(query.asOf) }),
    ...(query.tz === undefined ? {} : { tz: timeZone(query.tz) }),
    sort: query.sort === undefined ? [] : names(query.sort, 'sort').map(sortOf),
    limit: query.limit,
    ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
    count: query.count ?? 'none',
  };
}

const MEMBERS = ['fields', 'expand', 'filter', 'search', 'trashed', 'asOf', 'sort', 'page', 'count', 'tz'] as const;

/** The JSON form of a read; `members` are those that its body may have. */
export function requestFromBody(input: unknown, members: readonly string[] = MEMBERS): ReadRequest {
  const body = bodyOf(input, '', members);
  return {
    ...(body.fields === undefined ? {} : { fields: listOf(body.fields, '/fields', columnKey) }),
    ...(body.search === undefined ? {} : { search: searchOf(body.search) }),
    ...(body.expand === undefined ? {} : { expand: listOf(body.expand, '/expand', columnKey) }),
    trashed: flag(body.trashed, '/trashed'),
    ...(body.asOf === undefined ? {} : { asOf: moment(body.asOf) }),
    ...(body.tz === undefined ? {} : { tz: timeZone(body.tz) }),
    ...pagedBy(body),
  };
}

function names(list: string, parameter: string): string[] {
  const items = list.split(',').map((item) => item.trim());
  if (items.some((item) => item === ''))
    throw invalid([
      {
        pointer: `/${parameter}`,
        code: 'empty_name',
        detail: `${parameter} is a list of column keys with commas between.`,
      },
    ]);
  return items;
}

const sortOf = (item: string): SortInput =>
  item.startsWith('-') ? { field: item.slice(1), dir: 'desc' } : { field: item, dir: 'asc' };

/** @throws Problem 422 where it is neither true nor false */
export function flag(input: unknown, at: string): boolean {
  if (input === undefined) return false;
  if (typeof input !== 'boolean') throw refuse(at, 'is_boolean', 'true or false is expected.');
  return input;
}

/** A number of the table's log, or a time. @throws Problem 422 where it is neither */
export function moment(input: unknown): AsOf {
  const seq = typeof input === 'string' && /^\d{1,15}$/.test(input) ? Number(input) : input;
  if (typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0) return { seq };
  const time = columnType('datetime').parse(input, { options: {} });
  if (time.ok) return { at: String(time.value) };
  throw refuse(
    '/asOf',
    'not_a_moment',
    "asOf is a number of the table's log, or a time of RFC 3339 with its offset (write its + as %2B in a URL).",
  );
}

function searchOf(input: unknown): string {
  if (typeof input !== 'string') throw refuse('/search', 'is_string', 'search is a text.');
  return input;
}
