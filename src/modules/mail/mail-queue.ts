import { createHmac, hkdfSync } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { newId, sealerFor, type Id, type Sealer } from '../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../config/index.js';
import { AuditedTransaction, type AuditedManager, type OutboxEvent } from '../../database/main/index.js';
import { QueuedMailEntity } from './queued-mail.entity.js';

/** A mail before it is written: who gets it and what it is about. */
export interface MailRequest {
  /** Name of a registered template. */
  readonly template: string;
  readonly to: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** A mail that this node has taken on itself to send. */
export interface ClaimedMail extends MailRequest {
  readonly id: Id;
  /** How many tries there were, this one included. */
  readonly attempts: number;
}

/** Of one kind, to one address. */
export const MAX_PER_HOUR = 10;

/** Who took a mail has this long to send it; afterwards another node may try. */
const LEASE_SECONDS = 60;

/** Mails between the transaction that ordered them and the server that takes them: a table, so that none is lost with a process. */
@Injectable()
export class MailQueue {
  private readonly sealer: Sealer;
  private readonly countingKey: Buffer;

  constructor(
    private readonly transaction: AuditedTransaction,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.sealer = sealerFor('mail v1', encryptionKeysOf(config));
    this.countingKey = Buffer.from(hkdfSync('sha256', config.encryptionKey, '', 'live-tables mail receivers v1', 32));
  }

  /** Orders a mail within the caller's transaction. The event that it hands back belongs into the transaction's answer. */
  async add(manager: AuditedManager, { template, to, data = {} }: MailRequest): Promise<OutboxEvent> {
    const id = newId();
    const now = new Date();
    const sealed = this.sealer.seal(id, JSON.stringify({ to, data }));
    await manager.insert(QueuedMailEntity, { id, at: now, template, sealed, attempts: 0, nextAt: now });
    return { topic: 'mail.queued', payload: { mailId: id } };
  }

  /** Takes the mail that waits longest, for a minute; nodes that ask at once get different ones. */
  async claim(): Promise<ClaimedMail | undefined> {
    const [rows] = await this.transaction.withoutAudit((manager) =>
      manager.query<[QueuedMailEntity[], number]>(
        `update queued_mails set attempts = attempts + 1, next_at = now() + make_interval(secs => $1)
        where id = (select id from queued_mails where next_at <= now() order by next_at limit 1 for update skip locked)
        returning id, template, sealed, attempts`,
        [LEASE_SECONDS],
      ),
    );
    const [row] = rows;
    if (!row) return undefined;
    const text = this.sealer.open(row.id, row.sealed);
    // Sealed under a key that is gone: nobody can ever send it.
    if (text === undefined) return this.remove(row.id).then(() => this.claim());
    const { to, data } = JSON.parse(text) as Required<Pick<MailRequest, 'to' | 'data'>>;
    return { id: row.id, template: row.template, attempts: row.attempts, to, data };
  }

  /** Counts one mail of this kind to this address; false past {@link MAX_PER_HOUR}: nobody's mailbox can be flooded through us. */
  async mayReceive(to: string, template: string): Promise<boolean> {
    // Keyed: addresses are not to be guessed from it.
    const receiver = createHmac('sha256', this.countingKey).update(`${template} ${to}`).digest();
    const [row] = await this.transaction.withoutAudit((manager) =>
      manager.query<{ readonly mails: number }[]>(
        `insert into mail_receivers as r (receiver, mails, since) values ($1, 1, now())
         on conflict (receiver) do update set
           mails = case when r.since < now() - interval '1 hour' then 1 else r.mails + 1 end,
           since = case when r.since < now() - interval '1 hour' then now() else r.since end
         returning mails`,
        [receiver],
      ),
    );
    return (row?.mails ?? 0) <= MAX_PER_HOUR;
  }

  /** Forgets counts whose hour is over. */
  async sweep(): Promise<void> {
    await this.transaction.withoutAudit((manager) =>
      manager.query(`delete from mail_receivers where since < now() - interval '1 hour'`),
    );
  }

  /** Sent, or given up. */
  async remove(id: Id): Promise<void> {
    await this.transaction.withoutAudit((manager) => manager.delete(QueuedMailEntity, { id }));
  }

  /** To be tried again after this many seconds. */
  async postpone(id: Id, seconds: number): Promise<void> {
    const nextAt = new Date(Date.now() + seconds * 1000);
    await this.transaction.withoutAudit((manager) => manager.update(QueuedMailEntity, { id }, { nextAt }));
  }
}
