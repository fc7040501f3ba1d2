import { Inject, Injectable } from '@nestjs/common';
import { JsonText, resolving, shaping, type Access, type Id } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { MiniDbEngine } from '../../../engines/index.js';
import { CursorCodec, resolveGroups, type GroupsAsked } from '../../../query/index.js';
import { Fence, UsageCounter } from '../../tables/index.js';
import { readScope } from '../read-scope.js';
import { filterContext } from './filter-context.js';
import { pageJson, pageFacts } from './rows-reader.service.js';

/** Groups of rows with their aggregates, read as rows are: request → resolve → plan → engine. */
@Injectable()
export class GroupsReader {
  private readonly cursors: CursorCodec;

  constructor(
    private readonly fence: Fence,
    private readonly engine: MiniDbEngine,
    private readonly usage: UsageCounter,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /** One page of groups. */
  list(access: Access, tableId: Id, asked: GroupsAsked): Promise<JsonText> {
    return this.fence.run(access, tableId, async ({ tableSchema }) => {
      const { timeZone = access.timeZone } = asked;
      const context = { ...filterContext(access), zone: timeZone };
      const { plan, query } = resolving(() =>
        resolveGroups({ ...asked, timeZone }, tableSchema, readScope(access, tableSchema), this.cursors, context),
      );
      const startedAt = performance.now();
      const page = await this.engine.readGroups(plan);
      const databaseMs = performance.now() - startedAt;
      // An index can find the rows; their groups are put in order after they were made.
      this.usage.count({ from: plan.from, where: plan.where, orderBy: [] }, databaseMs);
      const next = page.next && this.cursors.seal(query, page.next);
      const text = shaping(() => pageJson(page, plan.limit, tableSchema.schemaVersion, { next }));
      return new JsonText(text, { databaseMs, queryFacts: pageFacts(plan, page) });
    });
  }
}
