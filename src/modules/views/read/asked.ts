import { asksForGroups, bodyOf, groupRequest, requestFromBody, requestFromUrl } from '../../../query/index.js';
import type { ViewDataQuery } from './view-data-query.dto.js';
import type { Asked } from './view-reader.service.js';

const MEMBERS = ['fields', 'filter', 'search', 'sort', 'page', 'count', 'tz'] as const;

/** What the query string of a view asks for. */
export const askedByUrl = (query: ViewDataQuery): Asked => ({ kind: 'rows', request: requestFromUrl(query) });

/** What a JSON body asks a view for: rows, or groups of what it shows. @throws Problem 422 also for members that nobody knows */
export const askedByBody = (body: unknown): Asked =>
  asksForGroups(body)
    ? { kind: 'groups', request: groupRequest(body) }
    : { kind: 'rows', request: requestFromBody(body ?? {}, MEMBERS) };

/** A definition that is tried, and the page of it that is wanted. */
export function previewOf(body: unknown): { readonly definition: unknown; readonly asked: Asked } {
  const { definition, page, tz } = bodyOf(body, '', ['definition', 'page', 'tz']);
  const asked = { ...(page === undefined ? {} : { page }), ...(tz === undefined ? {} : { tz }) };
  return { definition, asked: askedByBody(asked) };
}
