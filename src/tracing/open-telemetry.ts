import { hostname } from 'node:os';
import { Logger } from '@nestjs/common';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { TRACER, traceWith } from '../common/tracing/index.js';
import type { TracingSettings } from '../config/index.js';
import { samplerOf } from './sampler.js';
import { SeldomToldExporter } from './seldom-told-exporter.js';
import type { Tracing } from './tracing.js';

/** Spans that wait to be sent; what comes on top of them is left out, so that a collector that hangs costs some megabytes and nothing else. */
const MAX_WAITING = 4_096;
const BATCH = { maxQueueSize: MAX_WAITING, maxExportBatchSize: 512, scheduledDelayMillis: 2_000 };
/** For one batch, with all that is tried again. */
const EXPORT_MS = 10_000;

/** OpenTelemetry's SDK as this product uses it: spans of our own, in batches, over HTTP. */
export class OpenTelemetry implements Tracing {
  private readonly provider: TracerProvider;

  constructor(settings: TracingSettings, version: string) {
    const logger = new Logger('Traces');
    const { url, headers, serviceName } = settings;
    const sender = new OTLPTraceExporter({ url, headers, timeoutMillis: EXPORT_MS });
    const exporter = new SeldomToldExporter(sender, (fields) => logger.warn(fields));
    this.provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': serviceName,
        'service.version': version,
        'host.name': hostname(),
        'process.pid': process.pid,
      }),
      sampler: samplerOf(settings),
      spanLimits: { attributeValueLengthLimit: 1_024, linkCountLimit: 64 },
      spanProcessors: [new BatchSpanProcessor({ exporter, ...BATCH, exportTimeoutMillis: EXPORT_MS + 1_000 })],
    });
    // What is wrong with sending is told by the exporter, and everything else would be told for each batch.
    setGlobalErrorHandler((error) => logger.debug(error));
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(this.provider);
    traceWith(trace.getTracer(TRACER, version));
  }

  async stop(withinMs: number): Promise<void> {
    const sent = this.provider.shutdown().catch(() => undefined);
    const late = new Promise<void>((resolve) => {
      setTimeout(resolve, withinMs).unref();
    });
    await Promise.race([sent, late]);
  }
}
