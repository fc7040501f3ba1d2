import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { grouped, mayDo, newId, ROLES, type Id } from '../../../common/index.js';
import { AuditedTransaction, systemActor, type AuditedManager } from '../../../database/main/index.js';
import { webhookAudit, webhookChanged } from '../settings/describe-webhook.js';
import { WebhookDeliveryEntity, WebhookEntity, type DisabledReason } from '../settings/webhook.entity.js';

/** Longer than one attempt may take; whoever delivers says before each that he is still there. */
const LEASE_SECONDS = 20;

/** How far a webhook has told of a table, and where its log is. */
export interface Position {
  readonly tableId: Id;
  /** In the mini-DB. */
  readonly schema: string;
  readonly epoch: string;
  readonly seq: number;
}

/** A webhook that is to be looked after. */
export interface Watched {
  readonly id: Id;
  /** Whether it may be sent to now: it does not wait after a failure. */
  readonly isDue: boolean;
  readonly attempts: number;
  readonly positions: readonly Position[];
}

/** A webhook that this node, and no other, delivers for a while. */
export interface Job {
  readonly webhook: WebhookEntity;
  readonly lease: Id;
  /** Moved on as it is delivered. */
  readonly positions: Position[];
}

/** Conditions for a webhook `w` to be delivered: it is switched on and its workspace is there; the person that it runs as may manage webhooks. */
const IS_RUNNING = `w.state = 'active' and exists (select from workspaces s where s.id = w.workspace_id and s.deleted_at is null)`;
/** Not from memory: a role that was taken away, and an account that was suspended, stop the next attempt. */
const IS_RIGHTFUL = `exists (select from workspace_members m join users u on u.id = m.user_id and u.status = 'active'
  where m.workspace_id = w.workspace_id and m.user_id = w.runs_as and m.role = any(array['${ROLES.filter((role) => mayDo(role, 'webhooks:manage')).join("','")}']))`;

interface PositionRow {
  readonly webhookId: Id;
  readonly tableId: Id;
  readonly schema: string;
  readonly epoch: string;
  readonly seq: string;
}

/** How far webhooks have come, between the nodes that deliver them: each is delivered by one node at a time. */
@Injectable()
export class WebhookQueue {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** All webhooks that are switched on, with where they stand. */
  watched(): Promise<readonly Watched[]> {
    return this.transaction.withoutAudit(async (manager) => {
      const found = await manager.query<Omit<Watched, 'positions'>[]>(
        `select w.id, w.attempts, w.next_at <= now() as "isDue" from webhooks w where ${IS_RUNNING}`,
      );
      const positions = grouped(await positionsOf(manager, IS_RUNNING), ({ webhookId }) => webhookId);
      return found.map((each) => ({ ...each, positions: (positions.get(each.id) ?? []).map(toPosition) }));
    });
  }

  /** Takes a webhook, unless another node has it, or it is to wait. Nobody else sends anything until it is released, or the lease ends. */
  async claim(id: Id): Promise<Job | undefined> {
    const lease = newId();
    const taken = await this.write(
      `update webhooks w set leased_by = $2, lease_until = now() + make_interval(secs => $3)
       where w.id = $1 and ${IS_RUNNING} and w.next_at <= now() and (w.lease_until is null or w.lease_until < now())
       returning w.id`,
      [id, lease, LEASE_SECONDS],
    );
    if (taken.length === 0) return undefined;
    const webhook = await this.dataSource.manager.findOneBy(WebhookEntity, { id, leasedBy: lease });
    if (!webhook) return undefined;
    const positions = await this.transaction.withoutAudit((manager) => positionsOf(manager, 'w.id = $1', [id]));
    return { webhook, lease, positions: positions.map(toPosition) };
  }

  /** Whether the person that it runs as may still manage webhooks: not from memory. */
  async mayRun({ webhook }: Job): Promise<boolean> {
    return this.transaction.withoutAudit(async (manager) => {
      const text = `select w.id from webhooks w where w.id = $1 and ${IS_RIGHTFUL}`;
      return (await manager.query<unknown[]>(text, [webhook.id])).length > 0;
    });
  }

  /** Keeps it for one more attempt. False: it is not ours any more, or is not to be delivered, or is another by now. */
  async prolong({ webhook, lease }: Job): Promise<boolean> {
    const kept = await this.write(
      `update webhooks w set lease_until = now() + make_interval(secs => $3)
       where w.id = $1 and w.leased_by = $2 and w.updated_at = $4 and ${IS_RUNNING} and ${IS_RIGHTFUL} returning w.id`,
      [webhook.id, lease, LEASE_SECONDS, webhook.updatedAt],
    );
    return kept.length > 0;
  }

  /** What lies before this number is done. Nothing when the webhook is not ours any more. */
  async moved({ webhook, lease }: Job, { tableId, epoch, seq }: Position): Promise<void> {
    await this.write(
      `update webhook_positions p set epoch = $3, seq = $4 where p.webhook_id = $1 and p.table_id = $2
       and exists (select from webhooks w where w.id = p.webhook_id and w.leased_by = $5) returning p.webhook_id as id`,
      [webhook.id, tableId, epoch, seq, lease],
    );
  }

  /** An attempt that was taken, and with it where the webhook stands then. */
  async delivered(job: Job, attempt: WebhookDeliveryEntity, { tableId, epoch, seq }: Position): Promise<void> {
    const { webhook, lease } = job;
    await this.transaction.withoutAudit(async (manager) => {
      await keep(manager, attempt);
      await manager.query(
        `update webhook_positions p set epoch = $3, seq = $4 where p.webhook_id = $1 and p.table_id = $2
         and exists (select from webhooks w where w.id = p.webhook_id and w.leased_by = $5)`,
        [webhook.id, tableId, epoch, seq, lease],
      );
      if (webhook.attempts > 0)
        await manager.query('update webhooks set attempts = 0, failing_since = null where id = $1 and leased_by = $2', [
          webhook.id,
          lease,
        ]);
    });
    webhook.attempts = 0;
    webhook.failingSince = null;
  }

  /** An attempt in vain: the webhook is released, and waits for so many seconds. */
  async failed({ webhook, lease }: Job, attempt: WebhookDeliveryEntity, waitSeconds: number): Promise<void> {
    await this.transaction.withoutAudit(async (manager) => {
      await keep(manager, attempt);
      await manager.query(
        `update webhooks set attempts = attempts + 1, failing_since = coalesce(failing_since, now()),
           next_at = now() + make_interval(secs => $3), leased_by = null, lease_until = null
         where id = $1 and leased_by = $2`,
        [webhook.id, lease, waitSeconds],
      );
    });
  }

  /** An attempt that moves nothing on. False: the webhook is gone. */
  record(attempt: WebhookDeliveryEntity): Promise<boolean> {
    return this.transaction.withoutAudit((manager) => keep(manager, attempt));
  }

  async release({ webhook, lease }: Job): Promise<void> {
    await this.write(
      'update webhooks w set leased_by = null, lease_until = null where w.id = $1 and w.leased_by = $2 returning w.id',
      [webhook.id, lease],
    );
  }

  /** Gives a webhook up, until somebody switches it on again. What it has not told of waits for that. */
  async disable({ webhook: { id }, lease }: Job, reason: DisabledReason): Promise<void> {
    await this.transaction
      .run(systemActor('webhooks'), async (manager) => {
        const found = await manager.findOne(WebhookEntity, {
          where: { id, leasedBy: lease, state: 'active' },
          lock: { mode: 'pessimistic_write' },
        });
        if (!found) throw new Outrun();
        const rest = { state: 'disabled', disabledReason: reason, leasedBy: null, leaseUntil: null } as const;
        await manager.update(WebhookEntity, { id }, { ...rest, updatedAt: new Date() });
        return {
          result: undefined,
          audit: [webhookAudit(found, 'webhook.disabled', { after: { state: 'disabled', reason } })],
          events: [webhookChanged(found)],
        };
      })
      .catch((error: unknown) => {
        if (!(error instanceof Outrun)) throw error;
      });
  }

  /** Forgets attempts that are old, or behind so many newer ones of their webhook. */
  async forget({ days, newest }: { readonly days: number; readonly newest: number }): Promise<void> {
    await this.write(
      `delete from webhook_deliveries where at < now() - make_interval(days => $1) or id in (
         select id from (select id, row_number() over (partition by webhook_id order by id desc) as n from webhook_deliveries) as d
         where n > $2) returning id`,
      [days, newest],
    );
  }

  private write(text: string, values: readonly unknown[]): Promise<{ readonly id: Id }[]> {
    return this.transaction.withoutAudit(async (manager) => {
      const [rows] = await manager.query<[{ readonly id: Id }[], number]>(text, [...values]);
      return rows;
    });
  }
}

/** Unless the webhook was removed while its receiver thought; then nothing is left to tell of. */
async function keep(manager: AuditedManager, attempt: WebhookDeliveryEntity): Promise<boolean> {
  const there = await manager.query<unknown[]>('select from webhooks where id = $1 for key share', [attempt.webhookId]);
  if (there.length > 0) await manager.insert(WebhookDeliveryEntity, attempt);
  return there.length > 0;
}

/** It is not ours any more: whoever changed it has the last word. */
class Outrun extends Error {}

const positionsOf = (manager: AuditedManager, where: string, values: readonly unknown[] = []): Promise<PositionRow[]> =>
  manager.query<PositionRow[]>(
    `select p.webhook_id as "webhookId", p.table_id as "tableId", b.schema_name as schema, p.epoch, p.seq
     from webhook_positions p join webhooks w on w.id = p.webhook_id join tables t on t.id = p.table_id join bases b on b.id = t.base_id
     where ${where} order by p.webhook_id, p.table_id`,
    [...values],
  );

const toPosition = ({ tableId, schema, epoch, seq }: PositionRow): Position => ({
  ...{ tableId, schema, epoch },
  seq: Number(seq),
});
