import { describe, expect, it } from '@jest/globals';
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { SeldomToldExporter, type Untold } from './seldom-told-exporter.js';

const MINUTE_MS = 60_000;
const spans = (count: number): ReadableSpan[] => Array.from({ length: count }, () => ({}) as ReadableSpan);

function setUp(result: ExportResult) {
  const told: Untold[] = [];
  const results: ExportResult[] = [];
  let at = 0;
  const inner = {
    export: (_: ReadableSpan[], done: (result: ExportResult) => void) => done(result),
    shutdown: () => Promise.resolve(),
  };
  const exporter = new SeldomToldExporter(
    inner,
    (untold) => told.push(untold),
    () => at,
  );
  return {
    told,
    results,
    send: (count: number) => exporter.export(spans(count), (each) => results.push(each)),
    pass: (ms: number) => (at += ms),
  };
}

describe('what is told of spans that cannot be sent', () => {
  it('is one line a minute, with all that was lost since the last', () => {
    const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const { told, results, send, pass } = setUp({ code: ExportResultCode.FAILED, error });
    for (let n = 0; n < 5; n++) send(10);
    pass(MINUTE_MS - 1);
    send(10);
    expect(told).toEqual([{ msg: 'Traces cannot be sent', spans: 10, reason: 'ECONNREFUSED' }]);
    pass(1);
    send(3);
    expect(told.slice(1)).toEqual([{ msg: 'Traces cannot be sent', spans: 53, reason: 'ECONNREFUSED' }]);
    expect(results).toHaveLength(7);
  });

  it('is nothing while they are taken', () => {
    const { told, send } = setUp({ code: ExportResultCode.SUCCESS });
    send(10);
    expect(told).toEqual([]);
  });

  it.each([
    ['the status', Object.assign(new Error('Bad: secret'), { code: 401, data: 'secret' }), 'HTTP 401'],
    ['the kind', new RangeError('secret'), 'RangeError'],
    ['that nobody knows', undefined, 'unknown'],
  ])('says of the reason %s, and nothing of what was answered', (_, error, reason) => {
    const { told, send } = setUp({ code: ExportResultCode.FAILED, ...(error ? { error } : {}) });
    send(1);
    expect(told).toEqual([{ msg: 'Traces cannot be sent', spans: 1, reason }]);
  });
});
