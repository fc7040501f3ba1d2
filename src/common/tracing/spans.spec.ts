import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { must } from '../assert.js';
import { Problem } from '../errors/index.js';
import {
  asker,
  beginSpan,
  inSharedSpan,
  inSpan,
  inTrace,
  isTracing,
  noteInSpan,
  outsideOfSpans,
  traceHeaders,
  traceIds,
  traceWith,
} from './spans.js';

const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });

const made = (): ReadableSpan[] => exporter.getFinishedSpans();
const named = (name: string): ReadableSpan =>
  must(
    made().find((span) => span.name === name),
    name,
  );
const parentOf = (name: string): string | undefined => named(name).parentSpanContext?.spanId;
const idOf = (name: string): string => named(name).spanContext().spanId;
const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => context.disable());
afterEach(() => {
  traceWith(undefined);
  exporter.reset();
});

describe('where nothing is traced', () => {
  it('the work is all that is done', async () => {
    const attributes = (): never => {
      throw new Error('nobody looks');
    };
    const work = () => {
      noteInSpan(attributes);
      return traceHeaders();
    };
    expect([inSpan('a', {}, work), inTrace('b', {}, work), inSharedSpan([asker()], 'c', {}, work)]).toEqual([
      {},
      {},
      {},
    ]);
    const promise = Promise.resolve(1);
    expect(inSpan('a', {}, () => promise)).toBe(promise);
    beginSpan('d', {})();
    expect([isTracing(), traceIds(), made()]).toEqual([false, {}, []]);
    await promise;
  });
});

describe('spans', () => {
  const start = (): void => traceWith(provider.getTracer('test'));

  it('are children of the one that is open, across what is waited for, and none where none is', async () => {
    start();
    expect(inSpan('alone', {}, () => 1)).toBe(1);
    await inTrace('all', { a: 1 }, async () => {
      await later();
      await inSpan('stage', {}, async () => {
        await later();
        inSpan('part', {}, () => noteInSpan(() => ({ b: 2 })));
      });
      expect(traceIds()).toEqual({ trace_id: expect.stringMatching(/^\w{32}$/), span_id: expect.any(String) });
    });
    expect(made().map(({ name }) => name)).toEqual(['part', 'stage', 'all']);
    expect([parentOf('part'), parentOf('stage'), parentOf('all')]).toEqual([idOf('stage'), idOf('all'), undefined]);
    expect([named('all').attributes, named('part').attributes]).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it('are none behind the end of the one above, for what goes on by itself', async () => {
    start();
    let rest: Promise<void> | undefined;
    inTrace('request', {}, () => {
      rest = later().then(() => inSpan('straggler', {}, () => undefined));
      outsideOfSpans(() => inSpan('listener', {}, () => undefined));
      inTrace('background', {}, () => undefined);
    });
    await rest;
    expect(made().map(({ name }) => name)).toEqual(['background', 'request']);
    expect(named('background').spanContext().traceId).not.toBe(named('request').spanContext().traceId);
  });

  it('of what several asked for belong to the first, and lead to the others', async () => {
    start();
    const askers: ReturnType<typeof asker>[] = [];
    let shared: Promise<void> | undefined;
    const ask = (name: string) =>
      inTrace(name, {}, async () => {
        askers.push(asker());
        shared ??= later().then(() => inSharedSpan(askers, 'shared', {}, () => inSpan('within', {}, () => undefined)));
        await shared;
      });
    await Promise.all([ask('one'), ask('two'), ask('three')]);
    expect([parentOf('shared'), parentOf('within')]).toEqual([idOf('one'), idOf('shared')]);
    expect(named('shared').links.map(({ context: of }) => of.spanId)).toEqual([idOf('two'), idOf('three')]);
  });

  it('say the kind of an error, and nothing of its text; a refusal is none of ours', async () => {
    start();
    const failing = (error: Error) => () => Promise.reject(error);
    const refusal = new Problem('not_found', { detail: 'Hush 4711' });
    const down = new Problem('source_unreachable', { detail: 'Hush 4711' });
    const database = Object.assign(new Error('invalid input: "Hush 4711"'), { code: '22P02' });
    for (const [name, error] of Object.entries({ refusal, down, database }))
      await expect(inTrace(name, {}, failing(error))).rejects.toBe(error);
    expect(() =>
      inTrace('thrown', {}, () => {
        throw new TypeError('Hush 4711');
      }),
    ).toThrow(TypeError);
    const told = ['refusal', 'down', 'database', 'thrown'].map((name) => [
      named(name).attributes['error.type'],
      named(name).status.code,
    ]);
    expect(told).toEqual([
      ['not_found', SpanStatusCode.UNSET],
      ['source_unreachable', SpanStatusCode.ERROR],
      ['22P02', SpanStatusCode.ERROR],
      ['TypeError', SpanStatusCode.ERROR],
    ]);
    expect(JSON.stringify(made().map(({ attributes, events, status }) => [attributes, events, status]))).not.toContain(
      'Hush',
    );
  });

  it('of what is taken bit by bit end with it', () => {
    start();
    const end = inTrace('request', {}, () => beginSpan('stream', {}));
    expect(made().map(({ name }) => name)).toEqual(['request']);
    end();
    expect(parentOf('stream')).toBe(idOf('request'));
  });

  it('tell whom we call where they are, and nothing that others told us', () => {
    start();
    const headers = inTrace('call', {}, traceHeaders);
    expect(headers).toEqual({ traceparent: `00-${named('call').spanContext().traceId}-${idOf('call')}-01` });
    expect(trace.getActiveSpan()).toBeUndefined();
  });
});
