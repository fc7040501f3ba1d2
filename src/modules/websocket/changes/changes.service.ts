import { Injectable } from '@nestjs/common';
import { notFound, Problem, type Access, type AppRequest, type Id } from '../../../common/index.js';
import { ChangeLog, MiniDbLookup, type Change } from '../../../engines/index.js';
import { TokenService } from '../../auth/index.js';
import { ChannelAccess, type FollowedTable } from '../channel-access.js';
import { bySeq, seenChanges, wholeEvent } from '../feed/index.js';
import { tableChannel } from '../messages/index.js';
import { MAX_CHANGES, type ChangesDto, type ListChangesQuery } from './changes.dto.js';
import { ChangeWaits } from './change-waits.js';

/** An answer is not made longer when it has reached this size, as JSON texts of the rows. */
const ENOUGH_BYTES = 4 * 1024 * 1024;
/** Numbers that are read first; then twice as many each time, as long as they are small. */
const FIRST_STEP = 8;
const SMALL_BYTES = 256 * 1024;

/** Use case of reading the change log. */
@Injectable()
export class ChangesService {
  constructor(
    private readonly log: ChangeLog,
    private readonly lookup: MiniDbLookup,
    private readonly channels: ChannelAccess,
    private readonly tokens: TokenService,
    private readonly waits: ChangeWaits,
  ) {}

  /**
   * What was changed behind `after`; waits for something when there is nothing. Whoever waits is asked for again each second whether he may
   * still read.
   * @throws Problem `changes_gone`, `not_found`, `unauthenticated`
   */
  async list(
    access: Access,
    tableId: Id,
    { after, limit, wait }: ListChangesQuery,
    request: AppRequest,
  ): Promise<ChangesDto> {
    let table = await this.channels.tableNow(access, tableId);
    const { schema } = table;
    const until = performance.now() + wait * 1000;
    for (;;) {
      const span = await this.log.span(schema, tableId);
      if (!span) throw notFound('table');
      const { epoch, seq, oldest } = span;
      if (after + 1 < oldest || after > seq)
        throw new Problem('changes_gone', { extra: { meta: { epoch, seq, oldest } } });
      const data = seq > after ? await this.events(table, epoch, after, Math.min(limit, MAX_CHANGES)) : [];
      const now = data.length > 0 ? await this.channels.tableNow(access, tableId) : table;
      // Rules have become others since: what was read is what somebody sees under the old ones.
      if (now.sight !== table.sight) {
        table = now;
        continue;
      }
      const left = until - performance.now();
      if (data.length > 0 || left <= 0 || this.waits.isOver(request)) return { data, meta: { epoch, seq, oldest } };
      await this.waits.next(tableId, request, left);
      table = await this.stillAllowed(access, tableId, request);
    }
  }

  private async stillAllowed(access: Access, tableId: Id, { headers }: AppRequest): Promise<FollowedTable> {
    await this.tokens.verify((headers.authorization ?? '').replace(/^Bearer +/i, ''));
    return this.channels.tableNow(access, tableId);
  }

  private async events(table: FollowedTable, epoch: string, after: number, limit: number): Promise<ChangesDto['data']> {
    const { schema, id: tableId, sight, asSeen } = table;
    const data: ChangesDto['data'] = [];
    let bytes = 0;
    for (let step = FIRST_STEP; data.length < limit && bytes < ENOUGH_BYTES;) {
      const asked = Math.min(step, limit - data.length);
      const changes = await this.log.read(schema, tableId, after + data.length, asked);
      const told =
        sight === undefined
          ? changes
          : await seenChanges(await asSeen(), changes, (...asked) => this.lookup.seenRows(...asked));
      const numbers = bySeq(told);
      data.push(...numbers.map((each) => wholeEvent(tableChannel(tableId), epoch, each)));
      if (numbers.length < asked) break;
      const size = sizeOf(changes);
      bytes += size;
      step = size < SMALL_BYTES ? step * 2 : Math.max(1, Math.floor(step / 4));
    }
    return data;
  }
}

const sizeOf = (changes: readonly Change[]): number =>
  changes.reduce((sum, { after }) => sum + (after === null ? 0 : JSON.stringify(after).length), 0);
