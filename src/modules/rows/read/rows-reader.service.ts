import { Inject, Injectable } from '@nestjs/common';
import {
  JsonText,
  notFound,
  resolving,
  shaping,
  type Access,
  type Id,
  type JsonPiece,
  type QueryFacts,
} from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { MiniDbEngine, type PageText, type RowsPage } from '../../../engines/index.js';
import {
  EVERY_ROW,
  CursorCodec,
  isBackward,
  planShape,
  resolveFields,
  resolveRead,
  rowShape,
  type AskedOfTable,
  type AsOf,
  type GroupPlan,
  type Position,
  type ReadPlan,
  type ReadRequest,
  type Way,
} from '../../../query/index.js';
import { Fence, UsageCounter } from '../../tables/index.js';
import { filterContext } from './filter-context.js';
import { PastTables } from './past-tables.service.js';

/** Use cases of reading: request → resolve → plan → engine. */
@Injectable()
export class RowsReader {
  private readonly cursors: CursorCodec;

  constructor(
    private readonly fence: Fence,
    private readonly engine: MiniDbEngine,
    private readonly usage: UsageCounter,
    private readonly past: PastTables,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /** One page; the rows go through as the text that PostgreSQL made. */
  list(access: Access, tableId: Id, request: ReadRequest): Promise<JsonText> {
    const { asOf } = request;
    if (asOf) return this.listAsOf(access, tableId, request, asOf);
    return this.fence.run(access, tableId, async ({ tableSchema }) => {
      const { plan, query } = resolving(() =>
        resolveRead(request, tableSchema, EVERY_ROW, this.cursors, filterContext(access)),
      );
      const startedAt = performance.now();
      const page = await this.engine.read(plan);
      const databaseMs = performance.now() - startedAt;
      this.usage.count(plan, databaseMs);
      const text = shaping(() =>
        pageJson(page, plan.limit, tableSchema.schemaVersion, this.cursorsOf(plan, page, query)),
      );
      return new JsonText(text, { databaseMs, queryFacts: pageFacts(plan, () => page.rows) });
    });
  }

  /** The same of the table as it was. What is asked for has to be there now, too: whose columns have gone is not told. */
  private listAsOf(access: Access, tableId: Id, request: ReadRequest, asOf: AsOf): Promise<JsonText> {
    return this.fence.run(access, tableId, async (meta) => {
      const context = filterContext(access);
      const { seq, table, leftOut } = await this.past.asked(meta, asOf, (now) =>
        askedOf(request, resolveRead(withoutPlace(request), now, EVERY_ROW, this.cursors, context).plan),
      );
      const { plan, query } = resolving(() =>
        resolveRead({ ...request, asOf: { seq } }, table, EVERY_ROW, this.cursors, context),
      );
      const startedAt = performance.now();
      const page = await this.engine.read(plan);
      const databaseMs = performance.now() - startedAt;
      const cursors = this.cursorsOf(plan, page, query);
      return new JsonText(pageJson(page, plan.limit, table.schemaVersion, cursors, { leftOut }), {
        databaseMs,
        queryFacts: pageFacts(plan, () => page.rows),
      });
    });
  }

  /** A page that is empty by now leads back to where it was asked from: to the row there, should it be there, and what lies beyond. */
  private cursorsOf({ after, way = 'after', clock }: ReadPlan, { data, next, prev }: RowsPage, query: string): Cursors {
    const seal = (position: Position | undefined, to: Way): string | undefined =>
      position && this.cursors.seal(query, position, to, clock);
    const isEmpty = data === '';
    return {
      next: isEmpty && isBackward(way) ? seal(after, 'from') : seal(next, 'after'),
      prev: isEmpty && !isBackward(way) ? seal(after, 'upTo') : seal(prev, 'before'),
    };
  }

  /** @throws Problem `not_found`; of another moment as {@link PastTables.of} */
  get(access: Access, tableId: Id, rowId: Id, asOf?: AsOf): Promise<JsonText> {
    return this.fence.run(access, tableId, async (meta) => {
      const { tableSchema } = meta;
      const { where } = EVERY_ROW;
      const past = asOf && (await this.past.asked(meta, asOf, () => ({ where, orderBy: [], named: [] })));
      const startedAt = performance.now();
      const row = past
        ? await this.engine.readOneAsOf(past.table, where, rowId, past.seq)
        : await this.engine.readOne(tableSchema, resolveFields(undefined, tableSchema), where, rowId);
      if (!row) throw notFound('row');
      return new JsonText(row.json, {
        headers: past ? {} : { etag: `"${row.version}"` },
        databaseMs: performance.now() - startedAt,
        queryFacts: () => ({ kind: 'read', plan: rowShape(tableSchema), rows: 1 }),
      });
    });
  }
}

/** The question alone: where its page begins, and words, which are looked for in what there is, say nothing of columns. */
export function withoutPlace(request: ReadRequest): ReadRequest {
  const question = { ...request };
  for (const name of ['cursor', 'search'] as const) Reflect.deleteProperty(question, name);
  return question;
}

/** What a plan for rows asks of the table; a choice of columns that was left to us asks for none. */
export const askedOf = ({ fields }: Pick<ReadRequest, 'fields'>, plan: ReadPlan): AskedOfTable => ({
  ...plan,
  named: fields === undefined ? [] : plan.select,
});

interface Cursors {
  readonly next: string | undefined;
  readonly prev?: string | undefined;
}

/** The answer with a page of rows, or of groups, in pieces. */
export function pageJson(
  page: PageText | RowsPage,
  limit: number,
  schemaVersion: number,
  cursors: Cursors,
  more: object = {},
): readonly JsonPiece[] {
  const next = cursors.next === undefined ? '' : `,"nextCursor":"${cursors.next}"`;
  const prev = cursors.prev === undefined ? '' : `,"prevCursor":"${cursors.prev}"`;
  const count = page.count ? `,"count":${JSON.stringify(page.count)}` : '';
  const meta = JSON.stringify({ schemaVersion, ...page.stream, ...more });
  return ['{"data":[', page.data, `],"page":{"limit":${limit}${next}${prev}}${count},"meta":${meta}}`];
}

/** What a page was asked for and came to, for the log of slow queries; made up only when it is told. */
export const pageFacts = (plan: ReadPlan | GroupPlan, rows: () => number) => (): QueryFacts => ({
  kind: 'read',
  plan: planShape(plan),
  rows: rows(),
});
