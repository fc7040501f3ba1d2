import { Inject, Injectable } from '@nestjs/common';
import { JsonText, resolving, shaping, type Access, type Id } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { MiniDbEngine, rowsIn } from '../../../engines/index.js';
import {
  EVERY_ROW,
  CursorCodec,
  groupedColumns,
  resolveGroups,
  type AskedOfTable,
  type GroupPlan,
  type GroupsAsked,
  type TableSchema,
} from '../../../query/index.js';
import { Fence, UsageCounter } from '../../tables/index.js';
import { filterContext } from './filter-context.js';
import { PastTables } from './past-tables.service.js';
import { pageJson, pageFacts } from './rows-reader.service.js';

/** Groups of rows with their aggregates, read as rows are: request → resolve → plan → engine. */
@Injectable()
export class GroupsReader {
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

  /** One page of groups. */
  list(access: Access, tableId: Id, asked: GroupsAsked): Promise<JsonText> {
    const { timeZone = access.timeZone, asOf } = asked;
    return this.fence.run(access, tableId, async (meta) => {
      const context = { ...filterContext(access), zone: timeZone };
      const resolve = (request: GroupsAsked, table: TableSchema) =>
        resolveGroups({ ...request, timeZone }, table, EVERY_ROW, this.cursors, context);
      const past =
        asOf && (await this.past.asked(meta, asOf, (now) => askedOfGroups(resolve(withoutCursor(asked), now).plan)));
      const { plan, query } = resolving(() =>
        past ? resolve({ ...asked, asOf: { seq: past.seq } }, past.table) : resolve(asked, meta.tableSchema),
      );
      const startedAt = performance.now();
      const page = await this.engine.readGroups(plan);
      const databaseMs = performance.now() - startedAt;
      // An index can find the rows; their groups are put in order after they were made.
      if (!past) this.usage.count({ from: plan.from, where: plan.where, orderBy: [] }, databaseMs);
      const next = page.next && this.cursors.seal(query, page.next, 'after', plan.clock);
      const text = shaping(() => pageJson(page, plan.limit, plan.from.schemaVersion, { next }));
      return new JsonText(text, { databaseMs, queryFacts: pageFacts(plan, () => rowsIn(page.data)) });
    });
  }
}

/** The rows that are found, and what groups and aggregates are made of. */
const askedOfGroups = (plan: GroupPlan): AskedOfTable => ({
  where: plan.where,
  orderBy: [],
  named: groupedColumns(plan),
});

function withoutCursor(asked: GroupsAsked): GroupsAsked {
  const question = { ...asked };
  Reflect.deleteProperty(question, 'cursor');
  return question;
}
