import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ConnectionsModule } from '../connections/index.js';
import { IdempotencyModule } from '../idempotency/index.js';
import { TablesModule } from '../tables/index.js';
import { ResourceRegistry, WorkspacesModule } from '../workspaces/index.js';
import { DeliveriesController } from './deliveries/deliveries.controller.js';
import { DeliveriesService } from './deliveries/deliveries.service.js';
import { WebhookSender } from './delivery/sender.js';
import { WebhookMetrics } from './delivery/webhook-metrics.js';
import { WebhookQueue } from './delivery/webhook-queue.js';
import { WebhookTurn } from './delivery/webhook-turn.js';
import { WebhookWorker } from './delivery/webhook-worker.js';
import { RevertibleWebhooks } from './settings/revertible-webhooks.js';
import { SealedSecrets } from './settings/webhook-secrets.js';
import { WebhookDeliveryEntity, WebhookEntity, WebhookPositionEntity } from './settings/webhook.entity.js';
import { WebhooksController } from './settings/webhooks.controller.js';
import { WebhooksService } from './settings/webhooks.service.js';

/** Addresses that are told of changes, from the change log. */
@Module({
  imports: [
    ...[WorkspacesModule, ConnectionsModule, TablesModule, IdempotencyModule],
    TypeOrmModule.forFeature([WebhookEntity, WebhookPositionEntity, WebhookDeliveryEntity]),
  ],
  controllers: [WebhooksController, DeliveriesController],
  providers: [
    ...[WebhooksService, RevertibleWebhooks, SealedSecrets, DeliveriesService],
    ...[WebhookWorker, WebhookTurn, WebhookQueue, WebhookSender, WebhookMetrics],
  ],
  exports: [RevertibleWebhooks],
})
export class WebhooksModule {
  constructor(registry: ResourceRegistry, webhooks: WebhooksService) {
    registry.register('webhookId', (id) => webhooks.workspaceOf(id));
  }
}
