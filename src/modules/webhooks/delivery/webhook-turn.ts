import { Injectable } from '@nestjs/common';
import { ChangeLog, type FollowLimits } from '../../../engines/index.js';
import { bySeq, type ResetReason } from '../../websocket/index.js';
import { UNREADABLE, type DisabledReason, type WebhookDeliveryEntity } from '../settings/webhook.entity.js';
import { messageOf, resetMessage, type WebhookMessage } from './message.js';
import { WebhookSender } from './sender.js';
import { waitAfter } from './wait-after.js';
import { WebhookQueue, type Job, type Position } from './webhook-queue.js';

/** Numbers of one table before it is another table's turn. */
const READ_SEQS = 10;
/** A change that is larger is told without its data. */
export const LIMITS: FollowLimits = { bytes: 256 * 1024, rows: 1_500 };
/** After so long other webhooks get their turn. */
const TURN_MS = 5_000;
/** A webhook that was never taken for so long, and in so many attempts, is given up. */
const GIVE_UP_MS = 3 * 86_400_000;
const GIVE_UP_ATTEMPTS = 10;
/** The status by which a receiver says that it wants no more. */
const GONE = 410;

/** How a turn ended: there may be more to tell, there is nothing to be done until something changes, or this node cannot do it and others may. */
export type TurnEnd = 'more' | 'rest' | 'left';
/** Whether a message was taken; otherwise the turn is over, or left to others. */
type Told = 'taken' | 'over' | 'left';
/** Of one step within. */
type Step = 'nothing' | 'done' | Exclude<Told, 'taken'>;

/** One turn of one webhook: what it has not told of yet, one message after the other, in the order of each table's log. */
@Injectable()
export class WebhookTurn {
  constructor(
    private readonly queue: WebhookQueue,
    private readonly log: ChangeLog,
    private readonly sender: WebhookSender,
  ) {}

  /** @throws Interrupted when `stop` ended an attempt; nobody knows what the receiver made of it, so it is told again */
  async run(job: Job, stop: AbortSignal): Promise<TurnEnd> {
    try {
      if (!(await this.queue.mayRun(job))) {
        await this.queue.disable(job, 'rights_lost');
        return 'rest';
      }
      return await this.round(job, stop);
    } finally {
      await this.queue.release(job);
    }
  }

  private async round(job: Job, stop: AbortSignal): Promise<TurnEnd> {
    const until = performance.now() + TURN_MS;
    for (;;) {
      let isIdle = true;
      for (const nth of job.positions.keys()) {
        const step = await this.step(job, nth, stop);
        if (step === 'left') return 'left';
        if (step === 'over' || stop.aborted) return 'rest';
        if (step === 'done') isIdle = false;
        if (performance.now() > until) return 'more';
      }
      if (isIdle) return 'rest';
    }
  }

  /** Tells some numbers of one table. */
  private async step(job: Job, nth: number, stop: AbortSignal): Promise<Step> {
    const position = job.positions[nth];
    const span = position && (await this.log.span(position.schema, position.tableId));
    if (!position || !span) return 'nothing';
    const reason = brokenOff(position, span);
    if (reason) return this.reset(job, nth, { ...span, reason }, stop);
    const { schema, tableId, epoch } = position;
    const changes = await this.log.follow(schema, tableId, position.seq, READ_SEQS, LIMITS);
    let [at, saved] = [position, position];
    for (const number of bySeq(changes)) {
      const message = messageOf(job.webhook, tableId, epoch, number);
      at = { ...at, seq: number[0]?.seq ?? at.seq };
      if (!message) continue;
      const told = await this.told(job, message, at, stop);
      if (told !== 'taken') return told;
      saved = at;
      job.positions[nth] = at;
    }
    if (at !== saved) await this.queue.moved(job, at);
    job.positions[nth] = at;
    return at === position ? 'nothing' : 'done';
  }

  private async reset(
    job: Job,
    nth: number,
    to: { readonly tableId: string; readonly epoch: string; readonly seq: number; readonly reason: ResetReason },
    stop: AbortSignal,
  ): Promise<Step> {
    const position = job.positions[nth];
    if (!position) return 'nothing';
    const { epoch, seq, tableId } = to;
    const after = { ...position, epoch, seq };
    const told = await this.told(job, resetMessage(job.webhook, tableId, to), after, stop);
    if (told !== 'taken') return told;
    job.positions[nth] = after;
    return 'done';
  }

  private async told(job: Job, message: WebhookMessage, after: Position, stop: AbortSignal): Promise<Told> {
    if (!(await this.queue.prolong(job))) return 'over';
    const { kept, retryAfterSeconds } = await this.sender.send(job.webhook, message, { manual: false, stop });
    if (kept.ok) {
      await this.queue.delivered(job, kept, after);
      return 'taken';
    }
    const { attempts, failingSince } = job.webhook;
    const isGivenUp =
      failingSince !== null && Date.now() - failingSince.getTime() > GIVE_UP_MS && attempts + 1 >= GIVE_UP_ATTEMPTS;
    if (kept.status === GONE || isGivenUp) {
      await this.queue.record(kept);
      await this.queue.disable(job, reasonOf(kept));
    } else await this.queue.failed(job, kept, waitAfter(attempts + 1, retryAfterSeconds));
    return kept.error === UNREADABLE ? 'left' : 'over';
  }
}

/** Why nothing is sent any more. A secret that cannot be read is no reason to give up at once: another node may have the key. */
function reasonOf({ status, error }: WebhookDeliveryEntity): DisabledReason {
  if (status === GONE) return 'gone';
  return error === UNREADABLE ? UNREADABLE : 'failing';
}

/** Why the log does not go on from a position, in the words of the live channel. */
function brokenOff(
  { epoch, seq }: Position,
  span: { readonly epoch: string; readonly seq: number; readonly oldest: number },
): ResetReason | undefined {
  if (epoch !== span.epoch) return 'epoch_changed';
  if (seq > span.seq) return 'ahead';
  return seq + 1 < span.oldest ? 'changes_gone' : undefined;
}
