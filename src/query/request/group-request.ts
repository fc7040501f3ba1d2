import { parseJsonFilter } from '../filter/json-filter.js';
import type { AggregateInput, GroupInput, GroupRequest } from '../resolve/resolve-groups.js';
import { bodyOf, listOf, refuse } from './body.js';
import { pagedBy, timeZone } from './paged-by.js';
import { moment } from './read-request.js';

const OWN = ['groupBy', 'aggregates', 'having'];
/** What speaks of rows, which groups do not show. */
const OF_ROWS = ['fields', 'search', 'expand'];

/** Groups as they are asked for; without a zone, in that of the workspace. */
export type GroupsAsked = Omit<GroupRequest, 'timeZone'> & Partial<Pick<GroupRequest, 'timeZone'>>;

/** Whether a body asks for groups and not for rows. */
export const asksForGroups = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && OWN.some((name) => Object.hasOwn(body, name));

/** Groups as a JSON body asks for them; `more` are members of the body that are read elsewhere. */
export function groupRequest(input: unknown, more: readonly string[] = []): GroupsAsked {
  const body = bodyOf(input, '', [...OWN, ...OF_ROWS, 'filter', 'sort', 'page', 'count', 'tz', ...more]);
  const misplaced = OF_ROWS.find((name) => body[name] !== undefined);
  if (misplaced) throw refuse(`/${misplaced}`, 'not_with_groups', `${misplaced} does not go together with groups.`);
  const { having } = body;
  return {
    groupBy: body.groupBy === undefined ? [] : listOf(body.groupBy, '/groupBy', groupEntry),
    aggregates: body.aggregates === undefined ? [] : listOf(body.aggregates, '/aggregates', aggregateEntry),
    ...(having === undefined || having === null ? {} : { having: parseJsonFilter(having, '/having') }),
    ...pagedBy(body),
    ...(body.tz === undefined ? {} : { timeZone: timeZone(body.tz) }),
    ...(body.asOf === undefined ? {} : { asOf: moment(body.asOf) }),
  };
}

export function groupEntry(item: unknown, at: string): GroupInput {
  const { field, bucket, as } = bodyOf(item, at, ['field', 'bucket', 'as']);
  return {
    field: text(field, `${at}/field`),
    ...(bucket === undefined ? {} : { bucket: text(bucket, `${at}/bucket`) }),
    ...(as === undefined ? {} : { as: text(as, `${at}/as`) }),
  };
}

export function aggregateEntry(item: unknown, at: string): AggregateInput {
  const { as, fn, field } = bodyOf(item, at, ['as', 'fn', 'field']);
  return {
    as: text(as, `${at}/as`),
    fn: text(fn, `${at}/fn`),
    ...(field === undefined ? {} : { field: text(field, `${at}/field`) }),
  };
}

function text(item: unknown, at: string): string {
  if (typeof item !== 'string') throw refuse(at, 'is_string', 'A text is expected.');
  return item;
}
