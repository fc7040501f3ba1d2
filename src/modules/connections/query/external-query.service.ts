import { Inject, Injectable } from '@nestjs/common';
import { JsonText, resolving, type Access, type Id } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import type { SourcePage } from '../../../engines/index.js';
import {
  asksForGroups,
  CursorCodec,
  resolveSource,
  resolveSourceGroups,
  resolveSourceRead,
  skipPosition,
  type FilterContext,
  planShape,
  type SourceGroups,
  type SourceRead,
} from '../../../query/index.js';
import { ExternalObjectsReader, type ExternalObjects } from './external-objects.js';
import { groupsAsked, rowsAsked, sourceAsked } from './query-request.js';

/** Questions to external databases: request → resolve → plan → engine, as with tables of ours. */
@Injectable()
export class ExternalQuery {
  private readonly cursors: CursorCodec;

  constructor(
    private readonly reader: ExternalObjectsReader,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /** One page of rows, or of groups. @throws Problem what resolving and the database throw */
  run(access: Access, connectionId: Id, body: unknown, signal: AbortSignal): Promise<JsonText> {
    const isForGroups = asksForGroups(body);
    return this.reader.with(access.workspaceId, connectionId, (objects) =>
      isForGroups
        ? this.groups(access, connectionId, objects, body, signal)
        : this.rows(access, connectionId, objects, body, signal),
    );
  }

  private async rows(
    access: Access,
    connectionId: Id,
    { engine, objects }: ExternalObjects,
    body: unknown,
    signal: AbortSignal,
  ): Promise<JsonText> {
    const request = rowsAsked(body);
    const { plan, query } = resolving(() => {
      const source = resolveSource(sourceAsked(body), objects);
      return resolveSourceRead(request, source, engine.capabilities, this.cursors, contextOf(access));
    });
    const begin = performance.now();
    const page = await engine.read(plan, signal);
    return answer(connectionId, page, plan, this.nextOf(plan, page, query), performance.now() - begin);
  }

  private async groups(
    access: Access,
    connectionId: Id,
    { engine, objects }: ExternalObjects,
    body: unknown,
    signal: AbortSignal,
  ): Promise<JsonText> {
    const { timeZone = access.timeZone, ...asked } = groupsAsked(body);
    const context = { ...contextOf(access), zone: timeZone };
    const { plan, query } = resolving(() => {
      const source = resolveSource(sourceAsked(body), objects);
      return resolveSourceGroups({ ...asked, timeZone }, source, engine.capabilities, this.cursors, context);
    });
    const begin = performance.now();
    const page = await engine.readGroups(plan, signal);
    const next = page.next && this.cursors.seal(query, page.next);
    return answer(connectionId, page, plan, next, performance.now() - begin);
  }

  private nextOf(plan: SourceRead, { next }: SourcePage, query: string): string | undefined {
    if (next === undefined) return undefined;
    return this.cursors.seal(query, plan.skip === undefined ? next : skipPosition(plan));
  }
}

/** Nobody of ours is in the rows of others, so `$me` means nothing there. */
const contextOf = ({ timeZone }: Access): FilterContext => ({ now: new Date(), zone: timeZone });

function answer(
  connectionId: Id,
  { data, rows, count }: SourcePage,
  plan: SourceRead | SourceGroups,
  next: string | undefined,
  databaseMs: number,
): JsonText {
  const source = { id: connectionId, ms: Math.round(databaseMs * 10) / 10, rows, truncated: false };
  const page = JSON.stringify({ limit: plan.limit, ...(next === undefined ? {} : { nextCursor: next }) });
  const counted = count ? `,"count":${JSON.stringify(count)}` : '';
  const meta = JSON.stringify({ sources: [source] });
  const text = ['{"data":[', data, `],"page":${page}${counted},"meta":${meta}}`];
  return new JsonText(text, { databaseMs, queryFacts: () => ({ kind: 'read', plan: planShape(plan), rows }) });
}
