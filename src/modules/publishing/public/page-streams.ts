import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { Problem, type AppRequest } from '../../../common/index.js';
import { EventBus } from '../../events/index.js';
import { PageStream } from './page-stream.js';
import { keyOf } from './key-of.js';
import { Publications } from './publications.js';
import { PublicReader } from './public-reader.service.js';
import type { PublicStreamQuery } from './public-data-query.dto.js';
import type { Visit } from './publication.js';
import { tallyOf } from './tally.js';
import { wishOf } from './wish.js';

/** A message that got lost costs no more than this. */
const LOOK_EVERY_MS = 1_000;
/** What leaves no trace has to be read to be seen. */
const READ_EVERY_MS = 5_000;
/** Streams of one key, or of one address where there is no key, of one publication on this node. */
const MAX_EACH = 20;
const MAX_ALL = 2_000;

interface Follower {
  readonly stream: PageStream;
  visit: Visit;
  readonly query: PublicStreamQuery;
  readonly request: AppRequest;
  /** Name of the page that was sent last; empty where something else was told since. */
  last: string;
  /** Whether it was told that there is nothing to show. */
  isBroken: boolean;
  nextAt: number;
  looking: boolean;
}

/**
 * The first page of a published view, sent again whenever it has changed. Each look goes the way of any reader, with the same rights, limits of columns and
 * shared answers; a look at what has not changed costs no question to the rows. Events are whole pages, so none can be missed that matters.
 */
@Injectable()
export class PageStreams implements OnModuleDestroy {
  private readonly logger = new Logger(PageStreams.name);
  private readonly followers = new Set<Follower>();
  private readonly counts = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private hinted = false;

  constructor(
    private readonly publications: Publications,
    private readonly reader: PublicReader,
    bus: EventBus,
  ) {
    bus.on('rows.changed', () => this.lookSoon());
    bus.on('publication.changed', () => this.lookSoon());
  }

  /** @throws Problem `rate_limited`, and what a page is refused with */
  async follow(visit: Visit, query: PublicStreamQuery, request: AppRequest, lastEventId: string): Promise<PageStream> {
    const who = `${visit.publication.viewId} ${visit.key?.id ?? request.ip}`;
    const count = this.counts.get(who) ?? 0;
    if (count >= MAX_EACH || this.followers.size >= MAX_ALL)
      throw new Problem('rate_limited', {
        detail: 'Too many streams are open.',
        headers: { 'retry-after': '10' },
      });
    this.counts.set(who, count + 1);
    const leave = (): void => {
      const left = (this.counts.get(who) ?? 1) - 1;
      if (left > 0) this.counts.set(who, left);
      else this.counts.delete(who);
    };
    try {
      // What is refused is refused before anything is streamed.
      const first = await this.reader.read(wishOf(visit, query, undefined), () => false);
      const follower: Follower = {
        stream: new PageStream(() => {
          this.followers.delete(follower);
          leave();
        }),
        ...{ visit, query, request, last: lastEventId, isBroken: false, nextAt: 0, looking: false },
      };
      if (first.page && first.etag !== lastEventId) this.send(follower, first.etag, first.page);
      this.followers.add(follower);
      this.timer ??= setInterval(() => this.lookAtAll(), LOOK_EVERY_MS).unref();
      return follower.stream;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** They would keep the server from stopping. */
  onModuleDestroy(): void {
    clearInterval(this.timer);
    for (const { stream } of this.followers) stream.end();
  }

  /** Many writes that come at once are one reason to look. */
  private lookSoon(): void {
    if (this.hinted || this.followers.size === 0) return;
    this.hinted = true;
    setTimeout(() => {
      this.hinted = false;
      this.lookAtAll();
    }, 50).unref();
  }

  private lookAtAll(): void {
    for (const follower of this.followers) void this.look(follower);
  }

  private async look(follower: Follower): Promise<void> {
    if (follower.looking || follower.stream.isBehind || follower.stream.destroyed) return;
    follower.looking = true;
    try {
      const visit = await this.stillThere(follower);
      if (!visit) {
        follower.stream.end();
        return;
      }
      if (visit.publication !== follower.visit.publication) follower.visit = visit;
      if (Date.now() < follower.nextAt) return;
      const wish = wishOf(visit, follower.query, undefined);
      const { etag, page, isExact } = await this.reader.read(wish, (tag) => tag === follower.last);
      if (!isExact) follower.nextAt = Date.now() + Math.max(READ_EVERY_MS, visit.publication.cacheSeconds * 1_000);
      if (page) this.send(follower, etag, page);
    } catch (error) {
      // What was asked for may be refused now, as after another publication; what failed is tried again.
      if (error instanceof Problem && error.status < 500 && error.status !== 409) follower.stream.end();
      else this.failed(follower, error);
    } finally {
      follower.looking = false;
    }
  }

  /** Whoever follows what cannot be shown any more would take his last page for how things are. */
  private failed(follower: Follower, error: unknown): void {
    this.logger.debug({ msg: 'A stream could not be looked at', err: error });
    if (follower.isBroken || !(error instanceof Problem) || error.status !== 409) return;
    follower.isBroken = true;
    follower.last = '';
    follower.stream.send('problem', undefined, JSON.stringify(error.body()));
  }

  private send(
    follower: Follower,
    etag: string,
    { body, rows }: { readonly body: Buffer; readonly rows: number },
  ): void {
    follower.last = etag;
    follower.isBroken = false;
    follower.stream.send('data', etag, body.toString('utf8'));
    const tally = tallyOf(follower.request);
    tally.rows += rows;
    tally.bytes += body.length;
  }

  /** The rights are those of now, not those of the beginning. */
  private async stillThere({ visit, request }: Follower): Promise<Visit | undefined> {
    const publication = await this.publications.find(visit.publication.slug, visit.publication.apiVersion);
    if (publication?.viewId !== visit.publication.viewId) return undefined;
    if (publication.auth === 'public') return { publication, scope: publication.scope };
    const key = keyOf(publication, request);
    return key && { publication, key, scope: key.scope };
  }
}
