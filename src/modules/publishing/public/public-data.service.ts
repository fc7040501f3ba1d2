import { Injectable } from '@nestjs/common';
import { Answer, type AppRequest, type DatabaseWork } from '../../../common/index.js';
import type { WrittenPage } from './answers.js';
import { successorLink } from './deprecation.js';
import { MEDIA_TYPES } from './formats.js';
import { openApiOf } from './openapi.js';
import { PageStreams } from './page-streams.js';
import { PublicReader, type Reading } from './public-reader.service.js';
import type { PublicStreamQuery } from './public-data-query.dto.js';
import type { Admitted, Visit } from './publication.js';
import { ReadyAnswers } from './ready-answers.js';
import { tallyOf } from './tally.js';
import type { Wish } from './wish.js';

type Headers = Readonly<Record<string, string>>;

/** Use case of reading a published view over HTTP: what is asked, and what the headers say. */
@Injectable()
export class PublicDataService {
  /** Of the page that was given last to what was asked. */
  private readonly links = new WeakMap<
    Wish['request'],
    { readonly cursor: string | undefined; readonly headers: Headers }
  >();

  constructor(
    private readonly reader: PublicReader,
    private readonly streams: PageStreams,
    private readonly ready: ReadyAnswers,
  ) {}

  /** @throws Problem as strangers may read it */
  async data(wish: Wish, visit: Admitted, request: AppRequest): Promise<Answer> {
    const reading = await this.reader.read(wish, holds(request.headers['if-none-match']));
    const headers = { etag: `W/"${reading.etag}"`, 'cache-control': cacheControl(wish.visit, reading.graceSeconds) };
    const { page, isCached, traces } = reading;
    if (traces) this.ready.note(request, visit, traces);
    Object.assign(tallyOf(request), { isCached, rows: page?.rows ?? 0, bytes: page?.body.length ?? 0 });
    if (!page) return new Answer(undefined, { status: 304, headers });
    return new Answer(page.body, {
      headers: {
        ...headers,
        'content-type': MEDIA_TYPES[wish.format],
        ...ageOf(reading),
        ...this.linkOf(wish, page),
      },
      ...(isCached ? {} : workOf(wish, page)),
    });
  }

  /** @throws Problem `rate_limited`, and as strangers may read it */
  async stream(visit: Visit, query: PublicStreamQuery, request: AppRequest): Promise<Answer> {
    tallyOf(request).isStream = true;
    const { 'last-event-id': last } = request.headers;
    // Whoever asks for the headers alone would wait for ever.
    const isAsked = request.method !== 'HEAD';
    const stream = isAsked
      ? await this.streams.follow(visit, query, request, typeof last === 'string' ? last.slice(0, 100) : '')
      : undefined;
    return new Answer(stream ?? '', {
      headers: {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        // Proxies that collect answers before they pass them on.
        'x-accel-buffering': 'no',
      },
    });
  }

  private linkOf(wish: Wish, page: WrittenPage): Headers {
    const last = this.links.get(wish.request);
    if (last && last.cursor === page.nextCursor) return last.headers;
    const headers = linkTo(wish, page);
    this.links.set(wish.request, { cursor: page.nextCursor, headers });
    return headers;
  }

  /** The document of what this reader may ask. @throws Problem `view_broken` */
  async openApi(visit: Visit): Promise<Answer> {
    const body = openApiOf(visit, await this.reader.columnsOf(visit));
    return new Answer(body, { headers: { 'cache-control': cacheControl(visit) } });
  }
}

/**
 * What was read with a key is nobody else's; what everybody may read may be kept by caches on the way (RFC 9111). 0 seconds is not "do not keep" but "ask
 * whether it is still true", which costs little. With a grace (RFC 5861) caches may do as we do: give out what they have, and ask behind it.
 */
function cacheControl({ publication: { auth, cacheSeconds } }: Visit, graceSeconds = 0): string {
  const whose = auth === 'public' ? 'public' : 'private';
  if (graceSeconds > 0) return `${whose}, max-age=${cacheSeconds}, stale-while-revalidate=${graceSeconds}`;
  return cacheSeconds === 0 ? `${whose}, no-cache` : `${whose}, max-age=${cacheSeconds}, must-revalidate`;
}

/** An answer from memory that may be old by now says how old, and one that is older than it may be, that its source fails (RFC 7234, 5.5). What is traced is exact whenever it was read. */
function ageOf({ page, isCached, isExact, isStale = false }: Reading): Headers {
  if (isStale && page) return { age: ageInSeconds(page), warning: '111 - "Revalidation Failed"' };
  if (!page || !isCached || isExact) return {};
  return { age: ageInSeconds(page) };
}

const ageInSeconds = ({ at }: WrittenPage): string => String(Math.max(0, Math.floor((Date.now() - at) / 1_000)));

const workOf = ({ visit }: Wish, { databaseMs, slowPlan: plan, rows }: WrittenPage): DatabaseWork => ({
  databaseMs,
  ...(plan === undefined
    ? {}
    : { queryFacts: () => ({ kind: 'read', plan, rows, workspaceId: visit.publication.reader.workspaceId }) }),
});

/** The next page, in every form (RFC 8288), besides what the guard has told. */
function linkTo({ visit, query }: Wish, { nextCursor }: WrittenPage): Headers {
  if (nextCursor === undefined) return {};
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries<string | number | undefined>({ ...query, cursor: nextCursor }))
    if (value !== undefined) parameters.set(name, String(value));
  const { path, succession } = visit.publication;
  const next = `<${path}/data?${parameters.toString()}>; rel="next"`;
  return { link: succession ? `${next}, ${successorLink(succession)}` : next };
}

/** Whether `If-None-Match` names an entity tag, or any there is (`*`), without what makes it weak: the comparison is the weak one (RFC 9110, section 13.1.2). */
const holds =
  (header: string | undefined) =>
  (tag: string): boolean => {
    if (header === undefined) return false;
    // As we gave it out: there is nothing to take apart.
    if (header === `W/"${tag}"` || header.trim() === '*') return true;
    const tags = header.slice(0, 8_000).matchAll(/(?:W\/)?"([\x21\x23-\x7e]*)"/g);
    return [...tags].some(([, each]) => each === tag);
  };
