import { createHmac, hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { keysFor, Metrics, must, Problem, type ErrorCode } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import type { TableRef } from '../../../query/index.js';
import { FrozenViews, type OpenedView, type ShownColumn } from '../../views/index.js';
import { breaches } from '../settings/contract.js';
import { Answers, type WrittenPage } from './answers.js';
import { written } from './formats.js';
import { Heads } from './heads.js';
import type { Publication, Visit } from './publication.js';
import { forStrangers, misfit } from './public-problems.js';
import { flat } from './row-members.js';
import { SharedAnswers } from './shared-answers.js';
import type { Wish } from './wish.js';

/** An answer, or that the reader has it already. */
export interface Reading {
  readonly etag: string;
  /** Undefined: the reader has it. */
  readonly page?: WrittenPage;
  readonly isCached: boolean;
  /** Whether it is known to be as the data is now. */
  readonly isExact: boolean;
  /** What it is of: as long as these logs stand there, it is exact. Of what was in memory only. */
  readonly traces?: Traces;
  /** Whether it is older than it may be, for its source fails. */
  readonly isStale?: boolean;
  /** For how long it may be given out beyond its time while it is made anew, in seconds. */
  readonly graceSeconds?: number;
}

/** Tables, and where their logs stood. */
export interface Traces {
  readonly tables: readonly TableRef[];
  readonly heads: string;
}

/** What changes of may change an answer; the time and other databases too, where it is untraceable. */
interface Sources {
  readonly tables: readonly TableRef[];
  readonly isUntraceable: boolean;
  readonly isExternal: boolean;
}

/** Whether a reader has the answer that an entity tag names. */
type Has = (etag: string) => boolean;

/** A schema that changes while it is read settles within so many tries. */
const TRIES = 3;

/**
 * Answers readers of published views. Where all that can change an answer leaves a number in a log of ours, these numbers are read first, and
 * they name the answer: whoever has it by that name is told so, and whoever has not may get the one that was made for somebody else.
 */
@Injectable()
export class PublicReader {
  private readonly answers = new Answers();
  /** Of what publications are made, by view and version. */
  private readonly sources = new LRUCache<string, Sources>({ max: 10_000 });
  /** What publications were found to fit: that again has to be looked at only when their sources are others. */
  private readonly fits = new WeakMap<Publication, OpenedView>();
  private readonly tagKey: Buffer;
  /** Of what was asked last, where the logs stood then. */
  private readonly tags = new WeakMap<Wish['request'], { readonly heads: string; readonly etag: string }>();

  constructor(
    private readonly views: FrozenViews,
    private readonly heads: Heads,
    private readonly shared: SharedAnswers,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
    metrics: Metrics,
  ) {
    metrics.cache('published_answers', this.answers);
    [this.tagKey] = keysFor('public etag v1', encryptionKeysOf(config));
  }

  /**
   * @param has whether the reader has the answer of an entity tag
   * @throws Problem as strangers may read it
   */
  async read(wish: Wish, has: Has): Promise<Reading> {
    try {
      const sources = await this.sourcesOf(wish.visit.publication);
      return sources.isUntraceable || wish.isTimeBound
        ? await this.readUntraceable(wish, has, sources)
        : await this.readTraced(wish, has, sources);
    } catch (error) {
      throw forStrangers(error);
    }
  }

  /** What the reader sees, as its sources are now. @throws Problem `view_broken` */
  async columnsOf({ publication, scope }: Visit): Promise<readonly ShownColumn[]> {
    try {
      const opened = await this.views.open(publication.reader, publication.frozen);
      mustFit(publication, opened);
      const seen = scope.columns ?? publication.columns.map(({ key }) => key);
      return opened.columns.filter(({ key }) => seen.includes(key));
    } catch (error) {
      throw forStrangers(error);
    }
  }

  private async readTraced(wish: Wish, has: Has, known: Sources): Promise<Reading> {
    let sources = known;
    for (let tries = 0; tries < TRIES; tries++) {
      const heads = await this.heads.of(sources.tables).catch(async (error: unknown) => {
        // A base that was purged has no logs any more: then the view is broken, and says so.
        await this.renewed(wish.visit.publication);
        throw error;
      });
      const etag = this.tagOfHeads(wish, heads);
      const traces = { tables: sources.tables, heads };
      if (has(etag)) return { etag, isCached: true, isExact: true, traces };
      const exact = exactly(wish);
      const kept = this.answers.find(exact, etag);
      if (kept) return { etag, page: kept, isCached: true, isExact: true, traces };
      const now = await this.renewed(wish.visit.publication);
      if (now.isUntraceable) return this.readUntraceable(wish, has, now);
      // What the numbers were read of is not all that the answer is made of now.
      if (!isSame(now, sources)) {
        sources = now;
        continue;
      }
      const page = await this.answers.share(exact, () => this.madeOnce(etag, wish), etag);
      return { etag, page, isCached: page.isFromElsewhere === true, isExact: true };
    }
    throw new Problem('schema_busy', { headers: { 'retry-after': '2' } });
  }

  /** That of another node, or one that the others may have. */
  private async madeOnce(etag: string, wish: Wish): Promise<WrittenPage> {
    const theirs = await this.shared.find(etag);
    if (theirs) return theirs;
    const page = await this.make(wish);
    this.shared.keep(etag, page);
    return page;
  }

  /** Nothing tells whether it has changed: it is read, and kept only as long as it may be old. */
  private async readUntraceable(wish: Wish, has: Has, { isExternal }: Sources): Promise<Reading> {
    const { cacheSeconds, staleWhileRevalidateSeconds } = wish.visit.publication;
    // What is made of our tables and the time alone is as quickly read as told to be old.
    const graceSeconds = isExternal ? staleWhileRevalidateSeconds : 0;
    const kept = cacheSeconds + graceSeconds > 0 ? this.answers.find(wish.variant) : undefined;
    const age = kept ? Date.now() - kept.at : Infinity;
    const isCached = age < (cacheSeconds + graceSeconds) * 1_000;
    if (isCached && age >= cacheSeconds * 1_000) this.renewBehind(wish);
    const anew = isCached && kept ? { page: kept } : await this.readAnew(wish, graceSeconds);
    const { page } = anew;
    const etag = this.tag(wish.variant, must(page.content, 'what is not traced is named by what it says'));
    return { etag, isCached, isExact: false, graceSeconds, ...(has(etag) ? { ...anew, page: undefined } : anew) };
  }

  /** Once for all who are given the last answer meanwhile (RFC 5861); what fails here the next one finds out who waits. */
  private renewBehind(wish: Wish): void {
    this.answers.share(wish.variant, () => this.make(wish, { names: true })).catch(() => undefined);
  }

  /** As its sources are now; as it was last, where they fail and the publication allows that. */
  private async readAnew(
    wish: Wish,
    graceSeconds: number,
  ): Promise<{ readonly page: WrittenPage; readonly isStale?: boolean }> {
    const { cacheSeconds, staleIfErrorSeconds } = wish.visit.publication;
    const last = staleIfErrorSeconds > 0 ? this.answers.find(wish.variant) : undefined;
    const make = (): Promise<WrittenPage> => this.make(wish, { names: true });
    try {
      if (cacheSeconds + graceSeconds > 0) return { page: await this.answers.share(wish.variant, make) };
      const page = await this.answers.next(wish.variant, make);
      if (staleIfErrorSeconds > 0) this.answers.keep(wish.variant, page);
      return { page };
    } catch (error) {
      if (!last || !isFailingSource(error) || Date.now() - last.at > staleIfErrorSeconds * 1_000) throw error;
      return { page: last, isStale: true };
    }
  }

  /** @param names whether the answer needs a name of its own */
  private async make({ visit, request, format }: Wish, { names = false } = {}): Promise<WrittenPage> {
    const { publication, scope } = visit;
    const { reader, frozen } = publication;
    // No caller's: others may wait for the same.
    const { signal } = new AbortController();
    const at = Date.now();
    const { rows, paging, ms, shape } = await this.views.page(reader, frozen, request, scope, signal);
    const { limit, nextCursor } = paging;
    const lines = rows === '' ? [] : rows.split('\n').map((line) => flat(line.replace(/,$/, '')));
    const { columns: seen } = scope;
    const columns = seen ? publication.columns.filter(({ key }) => seen.includes(key)) : publication.columns;
    const next = nextCursor === undefined ? {} : { nextCursor };
    const body = written({ rows: lines, paging: { limit, ...next }, columns }, format);
    if (body.length > this.config.responseLimit)
      throw new Problem('limit_reached', { detail: 'The answer would be too large. Ask for fewer rows (limit).' });
    const content = names
      ? { content: hash('sha256', `${nextCursor === undefined ? '' : '+'}${rows}`, 'base64url') }
      : {};
    // Pages are kept, plans are not.
    const slow = this.config.slowQueryMs > 0 && ms >= this.config.slowQueryMs ? { slowPlan: shape() } : {};
    return { body, rows: lines.length, at, databaseMs: ms, ...slow, ...next, ...content };
  }

  private async sourcesOf(publication: Publication): Promise<Sources> {
    return this.sources.get(nameOf(publication)) ?? (await this.renewed(publication));
  }

  /** Also looks whether the view still keeps what was promised. @throws Problem `view_broken` */
  private async renewed(publication: Publication): Promise<Sources> {
    const opened = await this.views.open(publication.reader, publication.frozen);
    if (this.fits.get(publication) !== opened) mustFit(publication, opened);
    this.fits.set(publication, opened);
    const { tables, isUntraceable, isExternal } = opened;
    const sources = { tables, isUntraceable, isExternal };
    this.sources.set(nameOf(publication), sources);
    return sources;
  }

  private tagOfHeads(wish: Wish, heads: string): string {
    const last = this.tags.get(wish.request);
    if (last?.heads === heads) return last.etag;
    const etag = this.tag(wish.variant, heads);
    this.tags.set(wish.request, { heads, etag });
    return etag;
  }

  /** Tells nothing of what it was made of, and is the same on every node. */
  private tag(...of: readonly (string | Buffer)[]): string {
    const hmac = createHmac('sha256', this.tagKey);
    for (const part of of) hmac.update(`${part.length}:`).update(part);
    return hmac.digest('base64url').slice(0, 22);
  }
}

/** What passes by itself, and says nothing against what was answered before. */
const FAILING: ReadonlySet<ErrorCode> = new Set([
  'source_unreachable',
  'source_failed',
  'source_busy',
  'source_timeout',
]);
const isFailingSource = (error: unknown): boolean => error instanceof Problem && FAILING.has(error.code);

const nameOf = ({ viewId, since, version }: Publication): string => `${viewId} ${since} ${version}`;

/** The name of its exact answers: those that may be old are others. */
const exactly = ({ variant }: Wish): string => `=${variant}`;

const isSame = (a: Sources, b: Sources): boolean =>
  a.tables.length === b.tables.length && a.tables.every(({ id }, i) => id === b.tables[i]?.id);

/** Columns that are kept but have come to show people since are none that was published. */
function mustFit({ columns }: Publication, opened: OpenedView): void {
  const published = new Set(columns.map(({ key }) => key));
  const showsPeople = opened.columns.some((column) => column.showsPeople && published.has(column.key));
  if (showsPeople || breaches(columns, opened.columns).length > 0) throw misfit();
}
