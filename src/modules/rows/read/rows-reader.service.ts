import { Inject, Injectable } from '@nestjs/common';
import { JsonText, notFound, type Access, type Id } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { MiniDbEngine, type PageText } from '../../../engines/index.js';
import {
  CursorCodec,
  isBackward,
  resolveFields,
  resolveRead,
  type Position,
  type ReadPlan,
  type ReadRequest,
  type Way,
} from '../../../query/index.js';
import { Fence, UsageCounter } from '../../tables/index.js';
import { filterContext } from './filter-context.js';
import { readScope } from '../read-scope.js';

/** Use cases of reading: request → resolve → plan → engine. */
@Injectable()
export class RowsReader {
  private readonly cursors: CursorCodec;

  constructor(
    private readonly fence: Fence,
    private readonly engine: MiniDbEngine,
    private readonly usage: UsageCounter,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /** One page; the rows go through as the text that PostgreSQL made. */
  list(access: Access, tableId: Id, request: ReadRequest): Promise<JsonText> {
    return this.fence.run(access, tableId, async ({ tableSchema }) => {
      const { plan, query } = resolveRead(
        request,
        tableSchema,
        readScope(access, tableSchema),
        this.cursors,
        filterContext(access),
      );
      const startedAt = performance.now();
      const page = await this.engine.read(plan);
      const databaseMs = performance.now() - startedAt;
      this.usage.count(plan, databaseMs);
      return new JsonText(pageJson(page, plan.limit, tableSchema.schemaVersion, this.cursorsOf(plan, page, query)), {
        databaseMs,
      });
    });
  }

  /** A page that is empty by now leads back to where it was asked from: to the row there, should it be there, and what lies beyond. */
  private cursorsOf({ after, way = 'after' }: ReadPlan, { data, next, prev }: PageText, query: string): Cursors {
    const seal = (position: Position | undefined, to: Way): string | undefined =>
      position && this.cursors.seal(query, position, to);
    const isEmpty = data === '';
    return {
      next: isEmpty && isBackward(way) ? seal(after, 'from') : seal(next, 'after'),
      prev: isEmpty && !isBackward(way) ? seal(after, 'upTo') : seal(prev, 'before'),
    };
  }

  /** @throws Problem `not_found` */
  get(access: Access, tableId: Id, rowId: Id): Promise<JsonText> {
    return this.fence.run(access, tableId, async ({ tableSchema }) => {
      const startedAt = performance.now();
      const row = await this.engine.readOne(
        tableSchema,
        resolveFields(undefined, tableSchema),
        readScope(access, tableSchema).where,
        rowId,
      );
      if (!row) throw notFound('row');
      return new JsonText(row.json, {
        headers: { etag: `"${row.version}"` },
        databaseMs: performance.now() - startedAt,
      });
    });
  }
}

interface Cursors {
  readonly next: string | undefined;
  readonly prev?: string | undefined;
}

/** The answer with a page of rows, or of groups, in pieces. */
export function pageJson(page: PageText, limit: number, schemaVersion: number, cursors: Cursors): readonly string[] {
  const next = cursors.next === undefined ? '' : `,"nextCursor":"${cursors.next}"`;
  const prev = cursors.prev === undefined ? '' : `,"prevCursor":"${cursors.prev}"`;
  const count = page.count ? `,"count":${JSON.stringify(page.count)}` : '';
  const meta = JSON.stringify({ schemaVersion, ...page.stream });
  return ['{"data":[', page.data, `],"page":{"limit":${limit}${next}${prev}}${count},"meta":${meta}}`];
}
