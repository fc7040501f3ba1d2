import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import type { SAMPLERS } from '../config/index.js';
import { samplerOf } from './sampler.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const under = (traceFlags: TraceFlags) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: 'b7ad6b7169203331', traceFlags, isRemote: true });

/** Whether a trace is kept: that begins here, whose caller keeps his, whose caller does not. */
const kept = (sampler: (typeof SAMPLERS)[number], ratio: number) =>
  [ROOT_CONTEXT, under(TraceFlags.SAMPLED), under(TraceFlags.NONE)].map(
    (context) =>
      samplerOf({ sampler, ratio }).shouldSample(context, traceId, 'a', SpanKind.SERVER, {}, []).decision ===
      SamplingDecision.RECORD_AND_SAMPLED,
  );

describe('which traces are kept', () => {
  it.each([
    ['always_on', 0, [true, true, true]],
    ['always_off', 1, [false, false, false]],
    ['traceidratio', 0, [false, false, false]],
    ['traceidratio', 1, [true, true, true]],
    ['parentbased_always_on', 0, [true, true, false]],
    ['parentbased_always_off', 1, [false, true, false]],
    ['parentbased_traceidratio', 0, [false, true, false]],
    ['parentbased_traceidratio', 1, [true, true, false]],
  ] as const)('with %s and a ratio of %d', (sampler, ratio, expected) => {
    expect(kept(sampler, ratio)).toEqual(expected);
  });
});
