import { Injectable } from '@nestjs/common';
import type { Access, Id, Revertible } from '../../../common/index.js';
import { WebhooksService } from './webhooks.service.js';

/**
 * How changes of webhooks are taken back: not of the address, of which the log has but the origin. One that was made is paused, and one that was
 * removed is so for good, since nobody has its secret.
 */
@Injectable()
export class RevertibleWebhooks implements Revertible {
  readonly permission = 'webhooks:manage';
  readonly ways = { 'webhook.created': { set: { state: 'paused' } } };

  constructor(private readonly webhooks: WebhooksService) {}

  fields(): readonly string[] {
    return ['name', 'events', 'tables', 'state'];
  }

  update(access: Access, id: Id, { state, ...fields }: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.webhooks.update(access, id, {
      ...fields,
      ...(state === undefined ? {} : { active: state === 'active' }),
    });
  }
}
