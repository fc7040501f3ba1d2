import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { MAX_LIMIT, Problem, type Access, type Id } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import type { SourcePage } from '../../../engines/index.js';
import {
  CursorCodec,
  MAX_SKIP,
  resolveSource,
  resolveSourceRead,
  type ObjectColumn,
  type SourceRead,
} from '../../../query/index.js';
import { ConnectionCatalog } from '../connection-catalog.js';
import { ExternalObjectsReader, type ExternalObjects } from './external-objects.js';
import { rowsAsked, sourceAsked } from './query-request.js';

/** What an answer names a column, and what it holds. */
export type RowsColumn = Pick<ObjectColumn, 'key' | 'type' | 'options'>;

/** All rows that a question asks for. */
export interface RowsOfSource {
  readonly columns: readonly RowsColumn[];
  /** JSON texts `{"fields":{…}}` with commas between, a page at a time; the next is read when it is asked for. */
  readonly pages: AsyncGenerator<string, void>;
}

/** Times that a page is asked for again while others use all sessions. */
const MOST_BUSY = 6;
/** The first wait, milliseconds; each is twice the one before. */
const BUSY_MS = 500;

/** External rows for whoever wants all of them and not a page. */
@Injectable()
export class ExternalRows {
  private readonly cursors: CursorCodec;

  constructor(
    private readonly reader: ExternalObjectsReader,
    private readonly catalog: ConnectionCatalog,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /** The columns of the answer; the database is not asked for a row. @throws Problem what resolving throws; `not_found` */
  columnsOf(access: Access, connectionId: Id, query: unknown): Promise<readonly RowsColumn[]> {
    return this.reader.with(access.workspaceId, connectionId, (objects) =>
      Promise.resolve(this.planOf(access, objects, query).select),
    );
  }

  /**
   * The first page has been read when this resolves. Pages are read by key, each for itself: a row that is changed meanwhile is read as
   * it was before or as it is after. A failure ends the pages with a Problem.
   */
  async read(access: Access, connectionId: Id, query: unknown, signal: AbortSignal): Promise<RowsOfSource> {
    const { version } = await this.catalog.find(access.workspaceId, connectionId);
    return this.reader.with(access.workspaceId, connectionId, async (objects) => {
      const plan = this.planOf(access, objects, query);
      const ask = this.asking(access.workspaceId, connectionId, version, signal);
      const first = await fitting(plan, ask);
      return { columns: plan.select, pages: pagesFrom(first, ask) };
    });
  }

  /** All rows of a plan, in pages of up to its limit; as {@link read} gives them. */
  async *pages(workspaceId: Id, connectionId: Id, plan: SourceRead, signal: AbortSignal): AsyncGenerator<string, void> {
    const { version } = await this.catalog.find(workspaceId, connectionId);
    const ask = this.asking(workspaceId, connectionId, version, signal);
    yield* pagesFrom(await fitting(plan, ask), ask);
  }

  /** Asks the database that the connection led to at first, and no other. */
  private asking(workspaceId: Id, connectionId: Id, version: number, signal: AbortSignal): Ask {
    return async (plan) => {
      signal.throwIfAborted();
      const { version: now } = await this.catalog.find(workspaceId, connectionId);
      // It may lead to another database by now.
      if (now !== version)
        throw new Problem('source_changed', { detail: 'The connection was changed while it was read.' });
      const engine = await this.catalog.engineOf(workspaceId, connectionId);
      return patiently(() => engine.read(plan, signal), signal);
    };
  }

  private planOf({ timeZone }: Access, { engine, objects }: ExternalObjects, query: unknown): SourceRead {
    const request = { ...rowsAsked(query), limit: MAX_LIMIT };
    const source = resolveSource(sourceAsked(query), objects);
    const context = { now: new Date(), zone: timeZone };
    return resolveSourceRead(request, source, engine.capabilities, this.cursors, context).plan;
  }
}

type Ask = (plan: SourceRead) => Promise<SourcePage>;

/** A page, and the plan that it was read by. */
interface ReadPage {
  readonly plan: SourceRead;
  readonly page: SourcePage;
}

async function* pagesFrom(first: ReadPage, ask: Ask): AsyncGenerator<string, void> {
  for (let read: ReadPage | undefined = first; read;) {
    if (read.page.rows > 0) yield read.page.data;
    const next = planBehind(read);
    read = next && (await fitting(next, ask));
  }
}

/** Undefined: that was the last page. @throws Problem `not_supported_by_source` too many rows without a key */
function planBehind({ plan, page: { next, rows } }: ReadPage): SourceRead | undefined {
  if (!next) return undefined;
  if (plan.skip === undefined) return { ...plan, after: next };
  const skip = plan.skip + rows;
  if (skip <= MAX_SKIP) return { ...plan, skip };
  throw new Problem('not_supported_by_source', {
    detail: `The rows have no key, so pages are found by counting; that ends after ${MAX_SKIP} rows. Filter for fewer.`,
  });
}

/** Half as many rows again and again, until they are not too large for one answer; pages behind are no larger. */
async function fitting(plan: SourceRead, ask: Ask): Promise<ReadPage> {
  for (let { limit } = plan; ; limit = Math.ceil(limit / 2))
    try {
      const fit = { ...plan, limit };
      return { plan: fit, page: await ask(fit) };
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'answer_too_large' || limit === 1) throw error;
    }
}

/** Whoever reads for long gives way to those who read a page. */
async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'source_busy' || tries === MOST_BUSY) throw error;
      await delay(BUSY_MS * 2 ** (tries - 1), undefined, { signal });
    }
}
