import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThan, Repository } from 'typeorm';
import { idOfCursor, idPage, newId, notFound, Problem, type Access, type Id } from '../../../common/index.js';
import { actorOf, AuditedTransaction } from '../../../database/main/index.js';
import { ChangeLog } from '../../../engines/index.js';
import { TableCatalog } from '../../tables/index.js';
import { messageOf, testMessage, type WebhookMessage } from '../delivery/message.js';
import { Interrupted } from '../delivery/post.js';
import { WebhookSender } from '../delivery/sender.js';
import { WebhookQueue } from '../delivery/webhook-queue.js';
import { LIMITS } from '../delivery/webhook-turn.js';
import { webhookAudit } from '../settings/describe-webhook.js';
import { WebhookDeliveryEntity, type WebhookEntity } from '../settings/webhook.entity.js';
import { WebhooksService } from '../settings/webhooks.service.js';
import type { DeliveriesQuery, DeliveryDto, DeliveryListDto } from './delivery.dto.js';

/** Attempts that people on one node wait for at once; each may take as long as a receiver likes, up to the time limit. */
const MAX_AT_ONCE = 50;

/** Use cases of deliveries: what came of them, and sending by hand. */
@Injectable()
export class DeliveriesService implements OnModuleDestroy {
  private sending = 0;
  private readonly stop = new AbortController();

  constructor(
    @InjectRepository(WebhookDeliveryEntity) private readonly deliveries: Repository<WebhookDeliveryEntity>,
    private readonly webhooks: WebhooksService,
    private readonly tables: TableCatalog,
    private readonly log: ChangeLog,
    private readonly sender: WebhookSender,
    private readonly queue: WebhookQueue,
    private readonly transaction: AuditedTransaction,
  ) {}

  onModuleDestroy(): void {
    this.stop.abort();
  }

  /** Newest first. @throws Problem `not_found`, `cursor_invalid` */
  async list(access: Access, webhookId: Id, { limit, cursor, outcome }: DeliveriesQuery): Promise<DeliveryListDto> {
    await this.webhooks.find(access, webhookId);
    const found = await this.deliveries.find({
      where: {
        webhookId,
        ...(outcome === undefined ? {} : { ok: outcome === 'delivered' }),
        ...(cursor === undefined ? {} : { id: LessThan(idOfCursor(cursor)) }),
      },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return idPage(found.map(toDeliveryDto), limit);
  }

  /** Sends a message that tells of nothing. @throws Problem `not_found`, `overloaded`, `source_unreachable` */
  async test(access: Access, webhookId: Id): Promise<DeliveryDto> {
    const webhook = await this.webhooks.find(access, webhookId);
    return this.send(access, webhook, testMessage(webhook, newId()), 'webhook.tested');
  }

  /**
   * Sends again what an attempt was about, under its id and as the log has it now; moves nothing on.
   * @throws Problem `not_found`, `changes_gone`, `overloaded`
   */
  async redeliver(access: Access, webhookId: Id, id: Id): Promise<DeliveryDto> {
    const webhook = await this.webhooks.find(access, webhookId);
    const delivery = await this.deliveries.findOneBy({ id, webhookId });
    if (!delivery) throw notFound('delivery');
    return this.send(access, webhook, await this.again(webhook, delivery), 'webhook.redelivered');
  }

  private async again(webhook: WebhookEntity, delivery: WebhookDeliveryEntity): Promise<WebhookMessage> {
    const { tableId, epoch, seq: number, type } = delivery;
    if (tableId === null || epoch === null || number === null || type === 'reset')
      throw new Problem('not_found', { detail: 'Only what tells of a change can be sent again.' });
    const seq = Number(number);
    const { schema } = await this.tables.find(tableId);
    const span = await this.log.span(schema, tableId);
    if (!span) throw notFound('table');
    if (span.epoch !== epoch || seq < span.oldest || seq > span.seq) throw new Problem('changes_gone');
    const changes = await this.log.follow(schema, tableId, seq - 1, 1, LIMITS);
    const message = messageOf(webhook, tableId, epoch, changes);
    if (!message) throw new Problem('not_found', { detail: 'This webhook is not told of such changes any more.' });
    return message;
  }

  private async send(
    access: Access,
    webhook: WebhookEntity,
    message: WebhookMessage,
    action: string,
  ): Promise<DeliveryDto> {
    const { kept } = await this.inTurn(() =>
      this.sender.send(webhook, message, { manual: true, stop: this.stop.signal }),
    );
    if (!(await this.queue.record(kept))) throw notFound('webhook');
    const told = toDeliveryDto(kept);
    await this.transaction.run(actorOf(access), () => {
      const { messageId, type, outcome, status, error } = told;
      const after = { messageId, type, outcome, status, error };
      return Promise.resolve({ result: undefined, audit: [webhookAudit(webhook, action, { after })], events: [] });
    });
    return told;
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.sending >= MAX_AT_ONCE)
      throw new Problem('overloaded', { detail: 'Too many webhooks are being tried; repeat in a moment.' });
    this.sending++;
    try {
      return await work();
    } catch (error) {
      if (error instanceof Interrupted) throw new Problem('overloaded', { detail: 'The server is stopping.' });
      throw error;
    } finally {
      this.sending--;
    }
  }
}

function toDeliveryDto(delivery: WebhookDeliveryEntity): DeliveryDto {
  const { id, messageId, type, tableId, seq, manual, attempt, ok, status, error, excerpt, ms, at } = delivery;
  return {
    ...{ id, messageId, type, tableId, seq: seq === null ? null : Number(seq), manual, attempt },
    outcome: ok ? 'delivered' : 'failed',
    ...{ status, error, response: excerpt, ms, at: at.toISOString() },
  };
}
