import { describe, expect, it } from '@jest/globals';
import type { AppRequest } from '../http.js';
import { createLogger } from './logger.js';
import { slowQueryLog } from './slow-query-log.js';

function setUp(thresholdMs: number) {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger(
    { level: 'info', readable: false },
    { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  let [at, described] = [0, 0];
  const log = slowQueryLog(logger, thresholdMs, () => at);
  const answered = (databaseMs: number | undefined, isTold = true): void => {
    const queryFacts = () => ({ kind: 'read', plan: `deals sort id ${(described += 1)}`, rows: 3 });
    const request = {
      id: 'r1',
      method: 'GET',
      routeOptions: { url: '/tables/:tableId/rows' },
      access: { workspaceId: 'w1' },
    };
    log({ ...request, databaseMs, ...(isTold ? { queryFacts } : {}) } as unknown as AppRequest);
  };
  return { lines, answered, pass: (ms: number) => (at += ms), described: () => described };
}

describe('the line of a slow query', () => {
  it('says what was asked for, where and for whom, and how long it took', () => {
    const { lines, answered } = setUp(100);
    answered(123.456);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      ...{ level: 'warn', msg: 'Slow query', requestId: 'r1', route: '/tables/:tableId/rows' },
      ...{ workspaceId: 'w1', kind: 'read', plan: 'deals sort id 1', rows: 3, databaseMs: 123.5 },
    });
  });

  it('is written for nothing else, and no shape is made for it', () => {
    const { lines, answered, described } = setUp(100);
    answered(99.9);
    answered(undefined);
    answered(500, false);
    const off = setUp(0);
    off.answered(10_000);
    expect([lines, off.lines, described(), off.described()]).toEqual([[], [], 0, 0]);
  });

  it('is one of sixty in a minute; the next says how many were left out', () => {
    const { lines, answered, pass } = setUp(100);
    for (let n = 0; n < 75; n++) answered(200);
    expect(lines).toHaveLength(60);
    pass(60_000);
    answered(200);
    answered(200);
    expect(lines).toHaveLength(62);
    expect(lines.slice(60).map(({ leftOut }) => leftOut)).toEqual([15, undefined]);
  });
});
