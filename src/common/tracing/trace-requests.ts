import { context, propagation, ROOT_CONTEXT, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { traitsOf } from '../decorators/index.js';
import type { AppReply, AppRequest } from '../http.js';
import { SpanKind, type Attributes } from './spans.js';

/** Name under which tracers know this code. */
export const TRACER = 'live-tables';

/**
 * A span for each request, from its arrival until its connection is done with it, as the conventions of OpenTelemetry for HTTP servers want it
 * (https://opentelemetry.io/docs/specs/semconv/http/http-spans/); it goes on with the trace of a `traceparent`. Of the address the pattern of the
 * route is told and not the path, in which secrets may stand. What asks whether we are alive is left out.
 */
export function traceRequests(instance: FastifyInstance): void {
  const tracer = trace.getTracer(TRACER);
  instance.addHook('onRequest', (request: AppRequest, reply, done) => {
    const { method, routeOptions } = request;
    if (traitsOf(routeOptions).quiet) {
      done();
      return;
    }
    const route = request.is404 ? undefined : routeOptions.url;
    const span = tracer.startSpan(
      route === undefined ? method : `${method} ${route}`,
      { kind: SpanKind.SERVER, attributes: { 'http.request.method': method, ...(route && { 'http.route': route }) } },
      propagation.extract(ROOT_CONTEXT, request.headers),
    );
    request.trace = trace.setSpan(ROOT_CONTEXT, span);
    // Not `onResponse`, which does not come when the caller has gone.
    reply.raw.once('close', () => endSpan(span, request, reply));
    context.with(request.trace, done);
  });
  // The body has come by events of its connection, outside of the span.
  instance.addHook('preValidation', (request: AppRequest, _, done) => within(request, done));
  instance.addHook('onResponse', (request: AppRequest, _, done) => within(request, done));
}

const within = ({ trace: span }: AppRequest, done: () => void): void => (span ? context.with(span, done) : done());

function endSpan(span: Span, request: AppRequest, reply: AppReply): void {
  const { statusCode, raw } = reply;
  span.setAttributes({
    ...(raw.headersSent ? { 'http.response.status_code': statusCode } : {}),
    'live_tables.request_id': request.id,
    ...of('live_tables.workspace_id', request.access?.workspaceId),
    ...(span.isRecording() ? of('live_tables.plan', request.queryFacts?.().plan) : {}),
    ...(raw.writableFinished ? {} : { 'live_tables.aborted': true }),
  });
  if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', String(statusCode));
  span.end();
}

const of = (name: string, value: string | undefined): Attributes => (value === undefined ? {} : { [name]: value });
