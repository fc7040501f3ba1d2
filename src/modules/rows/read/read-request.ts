import { DEFAULT_LIMIT, invalid, MAX_LIMIT } from '../../../common/index.js';
import {
  COUNT_MODES,
  isTimeZone,
  parseJsonFilter,
  parseTextFilter,
  type CountMode,
  type ReadRequest,
  type SortInput,
} from '../../../query/index.js';
import { bodyOf, listOf, refuse } from '../body.js';
import type { ListRowsQuery } from './rows-query.dto.js';

/** The URL form of a read. */
export function requestFromUrl(query: ListRowsQuery): ReadRequest {
  return {
    ...(query.fields === undefined ? {} : { fields: names(query.fields, 'fields') }),
    ...(query.filter === undefined ? {} : { filter: parseTextFilter(query.filter) }),
    ...(query.search === undefined ? {} : { search: query.search }),
    ...(query.expand === undefined ? {} : { expand: names(query.expand, 'expand') }),
    trashed: query.trashed === 'true',
    ...(query.tz === undefined ? {} : { tz: timeZone(query.tz) }),
    sort: query.sort === undefined ? [] : names(query.sort, 'sort').map(sortOf),
    limit: query.limit,
    ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
    count: query.count ?? 'none',
  };
}

const MEMBERS = ['fields', 'expand', 'filter', 'search', 'trashed', 'sort', 'page', 'count', 'tz'] as const;

/** The JSON form of a read. */
export function requestFromBody(input: unknown): ReadRequest {
  const body = bodyOf(input, '', MEMBERS);
  return {
    ...(body.fields === undefined ? {} : { fields: listOf(body.fields, '/fields', text) }),
    ...(body.search === undefined ? {} : { search: searchOf(body.search) }),
    ...(body.expand === undefined ? {} : { expand: listOf(body.expand, '/expand', text) }),
    trashed: flag(body.trashed, '/trashed'),
    ...(body.tz === undefined ? {} : { tz: timeZone(body.tz) }),
    ...pagedBy(body),
  };
}

/** What rows and groups are asked for alike: which of them, in which order, and which page. */
export function pagedBy(
  body: Readonly<Record<string, unknown>>,
): Pick<ReadRequest, 'filter' | 'sort' | 'limit' | 'cursor' | 'count'> {
  const page = body.page === undefined ? {} : bodyOf(body.page, '/page', ['limit', 'cursor']);
  const { filter } = body;
  const { cursor } = page;
  if (cursor !== undefined && typeof cursor !== 'string')
    throw refuse('/page/cursor', 'is_string', 'cursor is a text.');
  return {
    ...(filter === undefined || filter === null ? {} : { filter: parseJsonFilter(filter, '/filter') }),
    sort: body.sort === undefined ? [] : listOf(body.sort, '/sort', sortEntry),
    limit: limitOf(page.limit),
    ...(cursor === undefined ? {} : { cursor }),
    count: countOf(body.count),
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

function text(item: unknown, at: string): string {
  if (typeof item !== 'string') throw refuse(at, 'is_string', 'A column key is expected.');
  return item;
}

function flag(input: unknown, at: string): boolean {
  if (input === undefined) return false;
  if (typeof input !== 'boolean') throw refuse(at, 'is_boolean', 'true or false is expected.');
  return input;
}

function searchOf(input: unknown): string {
  if (typeof input !== 'string') throw refuse('/search', 'is_string', 'search is a text.');
  return input;
}

export function timeZone(tz: unknown): string {
  if (typeof tz !== 'string' || !isTimeZone(tz))
    throw refuse('/tz', 'unknown_time_zone', 'tz is a name of the IANA time zone database, such as Europe/Berlin.');
  return tz;
}

function sortEntry(item: unknown, at: string): SortInput {
  const { field, dir = 'asc' } = bodyOf(item, at, ['field', 'dir']);
  if (dir !== 'asc' && dir !== 'desc') throw refuse(`${at}/dir`, 'is_in', 'dir is asc or desc.');
  return { field: text(field, `${at}/field`), dir };
}

function limitOf(limit: unknown): number {
  if (limit === undefined) return DEFAULT_LIMIT;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1)
    throw refuse('/page/limit', 'min', 'limit is a whole number from 1.');
  return Math.min(limit, MAX_LIMIT);
}

function countOf(count: unknown): CountMode {
  if (count === undefined) return 'none';
  const mode = COUNT_MODES.find((known) => known === count);
  if (!mode) throw refuse('/count', 'is_in', `count is one of ${COUNT_MODES.join(', ')}.`);
  return mode;
}
