import {
  bodyOf,
  columnKey,
  groupRequest,
  listOf,
  pagedBy,
  refuse,
  timeZone,
  type GroupsAsked,
  type JoinInput,
  type SourceInput,
  type SourceRequest,
} from '../../../query/index.js';

const SOURCE = ['from', 'as', 'joins'] as const;
const ROWS = ['fields', 'filter', 'search', 'sort', 'page', 'count', 'tz'] as const;

/** What a query is from; the rest of the body is read by {@link rowsAsked} or {@link groupsAsked}. */
export function sourceAsked(body: unknown): SourceInput {
  const { from, as, joins } = memberOf(body);
  return {
    from: text(from, '/from'),
    ...(as === undefined ? {} : { as: text(as, '/as') }),
    joins: joins === undefined ? [] : listOf(joins, '/joins', joinEntry),
  };
}

const memberOf = (body: unknown): Readonly<Record<string, unknown>> => {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw refuse('', 'is_object', 'An object is expected.');
  return body as Readonly<Record<string, unknown>>;
};

/** A page of rows, as a JSON body asks for it. @throws Problem 422 also for members that nobody knows */
export function rowsAsked(input: unknown): SourceRequest {
  const { fields, search, tz, ...body } = bodyOf(input, '', [...SOURCE, ...ROWS]);
  if (search !== undefined && typeof search !== 'string') throw refuse('/search', 'is_string', 'search is a text.');
  return {
    ...(fields === undefined ? {} : { fields: listOf(fields, '/fields', columnKey) }),
    ...(search === undefined ? {} : { search }),
    ...(tz === undefined ? {} : { tz: timeZone(tz) }),
    ...pagedBy(body),
  };
}

/** Groups, as a JSON body asks for them. */
export const groupsAsked = (body: unknown): GroupsAsked => groupRequest(body, SOURCE);

function joinEntry(item: unknown, at: string): JoinInput {
  const { type = 'inner', object, as, on } = bodyOf(item, at, ['type', 'object', 'as', 'on']);
  return {
    type: text(type, `${at}/type`),
    object: text(object, `${at}/object`),
    ...(as === undefined ? {} : { as: text(as, `${at}/as`) }),
    on: listOf(on, `${at}/on`, (pair, place) => {
      const { left, right } = bodyOf(pair, place, ['left', 'right']);
      return { left: text(left, `${place}/left`), right: text(right, `${place}/right`) };
    }),
  };
}

function text(item: unknown, at: string): string {
  if (typeof item !== 'string') throw refuse(at, 'is_string', 'A text is expected.');
  return item;
}
