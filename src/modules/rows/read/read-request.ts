import { invalid } from '../../../common/index.js';
import {
  bodyOf,
  columnKey,
  listOf,
  pagedBy,
  parseTextFilter,
  refuse,
  timeZone,
  type ReadRequest,
  type SortInput,
} from '../../../query/index.js';
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
    ...(body.fields === undefined ? {} : { fields: listOf(body.fields, '/fields', columnKey) }),
    ...(body.search === undefined ? {} : { search: searchOf(body.search) }),
    ...(body.expand === undefined ? {} : { expand: listOf(body.expand, '/expand', columnKey) }),
    trashed: flag(body.trashed, '/trashed'),
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

function flag(input: unknown, at: string): boolean {
  if (input === undefined) return false;
  if (typeof input !== 'boolean') throw refuse(at, 'is_boolean', 'true or false is expected.');
  return input;
}

function searchOf(input: unknown): string {
  if (typeof input !== 'string') throw refuse('/search', 'is_string', 'search is a text.');
  return input;
}
