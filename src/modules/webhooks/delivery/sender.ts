import { Inject, Injectable, Logger } from '@nestjs/common';
import {
  inSpan,
  inTrace,
  newId,
  noteInSpan,
  Problem,
  SpanKind,
  traceHeaders,
  type Attributes,
} from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { ExternalEngines } from '../../../engines/index.js';
import { SealedSecrets, secretsAt, SECRET_PREFIX } from '../settings/webhook-secrets.js';
import { targetOfUrl, type WebhookTarget } from '../settings/webhook-url.js';
import { UNREADABLE, type WebhookDeliveryEntity, type WebhookEntity } from '../settings/webhook.entity.js';
import type { WebhookMessage } from './message.js';
import { post, type Outcome } from './post.js';
import { signedHeaders } from './sign.js';
import { WebhookMetrics } from './webhook-metrics.js';

/** An attempt, as it is kept, and what the receiver asked for. */
export interface Attempt {
  readonly kept: WebhookDeliveryEntity;
  readonly retryAfterSeconds?: number;
}

/** How an attempt is made: because somebody asks for it or not, and until when. */
export interface SendManner {
  readonly manual: boolean;
  readonly stop: AbortSignal;
}

/** Signs messages and sends them. */
@Injectable()
export class WebhookSender {
  private readonly logger = new Logger('Webhooks');

  constructor(
    private readonly secrets: SealedSecrets,
    private readonly engines: ExternalEngines,
    private readonly metrics: WebhookMetrics,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /**
   * One attempt, which is not stored here.
   * @throws Interrupted when `stop` ended it
   */
  send(webhook: WebhookEntity, message: WebhookMessage, manner: SendManner): Promise<Attempt> {
    // Of an attempt that somebody asks for, his request is told; all others are the beginning.
    const traced = manner.manual ? inSpan : inTrace;
    return traced(
      'webhook.deliver',
      spanOf(webhook, message),
      () => this.sent(webhook, message, manner),
      SpanKind.CLIENT,
    );
  }

  private async sent(webhook: WebhookEntity, message: WebhookMessage, { manual, stop }: SendManner): Promise<Attempt> {
    const secrets = await this.secrets.open(webhook);
    const at = new Date();
    if (!secrets) {
      this.logger.warn({
        msg: 'The secret of a webhook cannot be decrypted: it was encrypted under none of the keys that this node has',
        webhook: webhook.id,
      });
      return { kept: keptAttempt(webhook, message, SECRET_UNREADABLE, at, manual) };
    }
    const inForce = secretsAt(secrets, at);
    const headers = {
      'content-type': 'application/json',
      'user-agent': `${this.config.name}/${this.config.version}`,
      ...signedHeaders(message.id, at, message.body, inForce),
      ...traceHeaders(),
    };
    const outcome = await this.posted(webhook, headers, message.body, stop);
    this.metrics.sent(outcome);
    noteInSpan(() => ({
      ...(outcome.status === null ? {} : { 'http.response.status_code': outcome.status }),
      ...(outcome.ok ? {} : { 'error.type': outcome.error ?? String(outcome.status) }),
    }));
    const { retryAfterSeconds } = outcome;
    return {
      kept: keptAttempt(webhook, message, withoutSecrets(outcome, inForce), at, manual),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
  }

  private async posted(
    { url }: WebhookEntity,
    headers: Readonly<Record<string, string>>,
    body: string,
    stop: AbortSignal,
  ): Promise<Outcome> {
    let target: WebhookTarget;
    try {
      target = targetOfUrl(url, this.config.webhooks.mayBePlain);
    } catch (error) {
      // What a former setting let through is not sent any more.
      if (error instanceof Problem) return NOT_ALLOWED;
      throw error;
    }
    return post(target, headers, body, this.engines.outbound, stop);
  }
}

/** Where it goes to is not told: addresses of webhooks hold keys. */
const spanOf = ({ id, attempts }: WebhookEntity, { type, of }: WebhookMessage): Attributes => ({
  ...{ 'http.request.method': 'POST', 'live_tables.webhook_id': id, 'live_tables.message': type },
  ...{ 'live_tables.attempt': attempts + 1 },
  ...(of ? { 'live_tables.table_id': of.tableId, 'live_tables.seq': of.seq } : {}),
});

const SECRET_UNREADABLE: Outcome = { ok: false, status: null, error: UNREADABLE, excerpt: '', ms: 0 };
const NOT_ALLOWED: Outcome = { ok: false, status: null, error: 'host_not_allowed', excerpt: '', ms: 0 };

const keptAttempt = (
  webhook: WebhookEntity,
  { id, type, of }: WebhookMessage,
  { ok, status, error, excerpt, ms }: Outcome,
  at: Date,
  manual: boolean,
): WebhookDeliveryEntity => ({
  ...{ id: newId(), webhookId: webhook.id, messageId: id, type, manual, ok, status, error, excerpt, ms, at },
  attempt: manual ? 1 : webhook.attempts + 1,
  tableId: of?.tableId ?? null,
  epoch: of?.epoch ?? null,
  seq: of ? String(of.seq) : null,
});

/** What receivers say of secrets, also of other webhooks', of former ones, and of half a one at the end, is told to nobody. */
const withoutSecrets = (outcome: Outcome, secrets: readonly string[]): Outcome => ({
  ...outcome,
  excerpt: secrets.reduce(
    (text, secret) => text.replaceAll(secret.slice(SECRET_PREFIX.length), '[secret]'),
    outcome.excerpt.replaceAll(ANY_SECRET, '[secret]'),
  ),
});

const ANY_SECRET = new RegExp(`${SECRET_PREFIX}[A-Za-z0-9+/]+=*`, 'g');
