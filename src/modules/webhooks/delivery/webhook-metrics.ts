import { Injectable } from '@nestjs/common';
import { Metrics, type Observe } from '../../../common/index.js';
import type { Outcome } from './post.js';

const BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What webhooks do on this node, and how the installation's stand as it saw last. */
@Injectable()
export class WebhookMetrics {
  private readonly observe: Observe;
  private running = 0;
  private standing = { failing: 0, behind: 0 };

  constructor(metrics: Metrics) {
    this.observe = metrics.histogram(
      {
        name: 'live_tables_webhook_attempt_seconds',
        help: 'Attempts to deliver a webhook, by what came of them.',
        labels: ['outcome'],
      },
      BUCKETS,
    );
    metrics.gauge(
      { name: 'live_tables_webhooks_delivering', help: 'Webhooks that this node delivers now.' },
      () => this.running,
    );
    metrics.gauge(
      { name: 'live_tables_webhooks_failing', help: 'Webhooks whose last attempt failed, over all nodes.' },
      () => this.standing.failing,
    );
    metrics.gauge(
      {
        name: 'live_tables_webhooks_behind',
        help: 'Changes that the webhook furthest behind has not told of, over all nodes.',
      },
      () => this.standing.behind,
    );
  }

  sent({ ok, error, ms }: Outcome): void {
    this.observe(ms / 1_000, ok ? 'delivered' : (error ?? 'refused'));
  }

  delivering(count: number): void {
    this.running = count;
  }

  stand(standing: { readonly failing: number; readonly behind: number }): void {
    this.standing = standing;
  }
}
