import { asksForGroups, bodyOf, flag, groupRequest, requestFromBody, requestFromUrl } from '../../../query/index.js';
import type { ViewPageQuery } from './view-data-query.dto.js';
import type { Asked } from './view-reader.service.js';

const MEMBERS = ['fields', 'filter', 'search', 'sort', 'page', 'count', 'tz', 'rollup'] as const;

/** What the query string of a view asks for. */
export const askedByUrl = ({ rollup, ...query }: ViewPageQuery): Asked => ({
  kind: 'rows',
  request: requestFromUrl(query),
  rollup: rollup === 'true',
});

/** What a JSON body asks a view for: rows, or groups of what it shows. @throws Problem 422 also for members that nobody knows */
export const askedByBody = (body: unknown): Asked =>
  asksForGroups(body)
    ? { kind: 'groups', request: groupRequest(body, ['rollup']), rollup: rollupOf(body) }
    : { kind: 'rows', request: requestFromBody(body ?? {}, MEMBERS), rollup: rollupOf(body) };

const rollupOf = (body: unknown): boolean =>
  flag((body as { readonly rollup?: unknown } | undefined)?.rollup, '/rollup');

/** A definition that is tried, and the page of it that is wanted. */
export function previewOf(body: unknown): { readonly definition: unknown; readonly asked: Asked } {
  const { definition, ...rest } = bodyOf(body, '', ['definition', 'page', 'tz', 'rollup']);
  const asked = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return { definition, asked: askedByBody(asked) };
}
