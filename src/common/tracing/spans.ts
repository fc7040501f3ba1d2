import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { isError, Problem } from '../errors/index.js';

export { SpanKind };
export type { Attributes };

/**
 * Spans of OpenTelemetry, for whoever has a stage to show. What stands in them leaves the house: names, ids, numbers and shapes, and never a
 * value of a cell, an address of somebody, a text of an error or a token. Nothing is made, and nothing but this file loaded, until {@link traceWith}.
 */
let tracer: Tracer | undefined;

/** From now on spans are made by this tracer; by none, when it is undefined. One in a process. */
export function traceWith(made: Tracer | undefined): void {
  tracer = made;
}

export const isTracing = (): boolean => tracer !== undefined;

/** Whether somebody looks at what happens here. */
const isWatched = (within: Context = context.active()): boolean => trace.getSpan(within)?.isRecording() === true;

/** Does `work` as a stage of the span that is open here; where there is none, `work` is all that is done. */
export function inSpan<T>(name: string, attributes: Attributes, work: () => T, kind?: SpanKind): T {
  if (!tracer || !isWatched()) return work();
  return tracer.startActiveSpan(name, { attributes, ...(kind === undefined ? {} : { kind }) }, (span) =>
    ended(span, work),
  );
}

/** A stage that ends when the returned function is called: of what is taken bit by bit. */
export function beginSpan(name: string, attributes: Attributes): () => void {
  if (!tracer || !isWatched()) return () => undefined;
  const span = tracer.startSpan(name, { attributes });
  return () => span.end();
}

/** Does `work` as the beginning of a trace of its own, wherever it was begun: what nobody waits for is part of no request. */
export function inTrace<T>(name: string, attributes: Attributes, work: () => T, kind?: SpanKind): T {
  if (!tracer) return work();
  const options = { attributes, root: true, ...(kind === undefined ? {} : { kind }) };
  return tracer.startActiveSpan(name, options, (span) => ended(span, work));
}

/** Does `work` outside of any span: what hears of a request is no part of it. */
export function outsideOfSpans<T>(work: () => T): T {
  return tracer ? context.with(ROOT_CONTEXT, work) : work();
}

/** Adds to the span that is open here; `attributes` are made only when somebody looks. */
export function noteInSpan(attributes: () => Attributes): void {
  if (tracer && isWatched()) trace.getActiveSpan()?.setAttributes(attributes());
}

/** Says of the span that is open here what went wrong in it, where that is answered instead of thrown. */
export function noteFailure(error: unknown): void {
  const span = tracer && trace.getActiveSpan();
  if (span) failSpan(span, error);
}

/** Where somebody asked for something that is done later, together with what others asked for. */
export type Asker = Context | undefined;

/** Who asks now; nobody when nothing is traced. */
export const asker = (): Asker => (tracer && isWatched() ? context.active() : undefined);

/** Does `work` as a stage of the first who asked for it, linked with the spans of the others. */
export function inSharedSpan<T>(askers: readonly Asker[], name: string, attributes: Attributes, work: () => T): T {
  if (!tracer) return work();
  const [first, ...others] = askers.filter((each): each is Context => each !== undefined && isWatched(each));
  if (!first) return context.with(ROOT_CONTEXT, work);
  const links = others.flatMap((each): Link[] => {
    const spanContext = trace.getSpanContext(each);
    return spanContext ? [{ context: spanContext }] : [];
  });
  return tracer.startActiveSpan(name, { attributes, links }, first, (span) => ended(span, work));
}

/** Ids of the span that is open here, as log lines carry them. */
export function traceIds(): { readonly trace_id?: string; readonly span_id?: string } {
  const span = tracer && trace.getActiveSpan()?.spanContext();
  return span ? { trace_id: span.traceId, span_id: span.spanId } : {};
}

/** `traceparent` for whom we call (https://www.w3.org/TR/trace-context/); without `tracestate`, which is what others told us in confidence. */
export function traceHeaders(): { readonly traceparent?: string } {
  const span = tracer && trace.getActiveSpan()?.spanContext();
  if (!span) return {};
  return { traceparent: `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}` };
}

/** Ends the span with what becomes of the work, now or later. */
function ended<T>(span: Span, work: () => T): T {
  try {
    const result = work();
    if (!isPromise(result)) {
      span.end();
      return result;
    }
    // It is T that is a promise, and the same is returned with the end in between.
    return result.then(
      (value) => {
        span.end();
        return value;
      },
      (error: unknown) => {
        failSpan(span, error);
        span.end();
        throw error;
      },
    ) as T;
  } catch (error) {
    failSpan(span, error);
    span.end();
    throw error;
  }
}

/** Not by its class, of which other realms have their own. */
const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/** Says what kind of error it was, and nothing of its text, which may quote values. A refusal is an answer like others. */
function failSpan(span: Span, error: unknown): void {
  span.setAttribute('error.type', kindOf(error));
  if (!(error instanceof Problem) || error.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
}

function kindOf(error: unknown): string {
  if (!isError(error)) return typeof error;
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : error.name;
}
