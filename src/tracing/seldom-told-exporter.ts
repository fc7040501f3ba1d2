import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

const MINUTE_MS = 60_000;

type Result = Parameters<Parameters<SpanExporter['export']>[1]>[0];

/** What is told of spans that could not be sent. */
export interface Untold {
  readonly msg: string;
  /** Since the last time that it was told. */
  readonly spans: number;
  readonly reason: string;
}

/**
 * Sends through another exporter, and tells of failures once in a minute: a collector that is away is away for every batch.
 *
 * @param now milliseconds, of a clock that never goes back
 */
export class SeldomToldExporter implements SpanExporter {
  private toldAt = -Infinity;
  private lost = 0;

  constructor(
    private readonly inner: SpanExporter,
    private readonly tell: (untold: Untold) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  export(spans: ReadableSpan[], done: (result: Result) => void): void {
    this.inner.export(spans, (result) => {
      if (result.code === ExportResultCode.FAILED) this.failed(spans.length, result.error);
      done(result);
    });
  }

  forceFlush(): Promise<void> {
    return this.inner.forceFlush?.() ?? Promise.resolve();
  }

  shutdown(): Promise<void> {
    return this.inner.shutdown();
  }

  private failed(spans: number, error: Error | undefined): void {
    this.lost += spans;
    const now = this.now();
    if (now - this.toldAt < MINUTE_MS) return;
    this.tell({ msg: 'Traces cannot be sent', spans: this.lost, reason: reasonOf(error) });
    [this.toldAt, this.lost] = [now, 0];
  }
}

/** Nothing of what the collector answered: it may repeat the headers that it was sent. */
function reasonOf(error: (Error & { readonly code?: unknown; readonly cause?: unknown }) | undefined): string {
  if (typeof error?.code === 'number') return `HTTP ${error.code}`;
  return typeof error?.code === 'string' ? error.code : (error?.name ?? 'unknown');
}
