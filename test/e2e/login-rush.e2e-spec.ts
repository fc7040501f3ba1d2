import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { projectRoot } from '../../src/config/index.js';
import {
  afterThisFile,
  client,
  PASSWORD,
  signup,
  sleep,
  startNode,
  type Person,
  type TestNode,
} from '../harness/index.js';

jest.setTimeout(120_000);

interface Attempt {
  readonly email: string;
  readonly password: string;
}
interface Outcome {
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
  readonly retryAfter?: string;
}

/** Sends the attempts all at once, from another process. */
function rush(
  base: string,
  logins: readonly Attempt[],
): { readonly over: () => boolean; readonly outcomes: Promise<Outcome[]> } {
  const child = spawn(process.execPath, [path.join(projectRoot, 'test/support/login-rush.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  afterThisFile(() => child.kill());
  child.stdin.end(JSON.stringify({ base, logins }));
  let over = false;
  child.once('exit', () => (over = true));
  return { over: () => over, outcomes: text(child.stdout).then((printed) => JSON.parse(printed) as Outcome[]) };
}

describe('a thousand sign-ins at once', () => {
  let node: TestNode;
  let people: Person[];
  const attempts: Attempt[] = [];
  let outcomes: Outcome[];
  const liveMs: number[] = [];
  const requests: number[] = [];

  beforeAll(async () => {
    node = await startNode();
    people = await Promise.all(Array.from({ length: 4 }, () => signup(node.base)));
    for (let n = 0; n < 1_000; n++) {
      const email = people[n % people.length]?.email ?? '';
      // The attempts on known and on unknown addresses take turns, so that both meet the same queue.
      attempts.push(
        n % 2
          ? { email: `${randomUUID()}@example.org`, password: PASSWORD }
          : { email, password: n % 4 ? 'not it at all' : PASSWORD },
      );
    }
    // A server that is under way, not one whose code is compiled in the middle of the rush.
    for (let n = 0; n < 40; n++)
      await client(node.base).post('/auth/login', { email: 'x@example.org', password: PASSWORD });
    const running = rush(node.base, attempts);
    while (!running.over()) {
      const asked = performance.now();
      expect((await client(node.base).get('/health/live')).status).toBe(200);
      liveMs.push(performance.now() - asked);
      if (liveMs.length % 10 === 0) requests.push((await people[0]?.get('/workspaces'))?.status ?? 0);
      await sleep(10);
    }
    outcomes = await running.outcomes;
  });

  it('leave the event loop free: it gives signs of life all the time', () => {
    expect(liveMs.length).toBeGreaterThan(50);
    // Passwords hashed on the event loop would stop it for many seconds; a busy machine lets it wait for one at most.
    expect(Math.max(...liveMs)).toBeLessThan(3_000);
  });

  it('do not keep those who are signed in from their work', () => {
    expect(requests.length).toBeGreaterThan(5);
    expect(new Set(requests)).toEqual(new Set([200]));
  });

  it('are all answered: some signed in, wrong ones refused, those too many told to come back', () => {
    expect(outcomes).toHaveLength(attempts.length);
    const statuses = new Set(outcomes.map(({ status }) => status));
    expect(statuses).toEqual(new Set([200, 401, 503]));
    outcomes.forEach(({ status }, n) => {
      const right = n % 4 === 0;
      expect([right ? 200 : 401, 503]).toContain(status);
    });
  });

  it('are refused alike, whether the address is known or not', () => {
    const refused = (known: boolean) =>
      outcomes.filter(({ status }, n) => status === 503 && (n % 2 === 0) === known).map((each) => JSON.stringify(each));
    expect(refused(true).length).toBeGreaterThan(0);
    expect(refused(false).length).toBeGreaterThan(0);
    expect(new Set([...refused(true), ...refused(false)]).size).toBe(1);
    expect(outcomes.find(({ status }) => status === 503)).toMatchObject({ code: 'overloaded', retryAfter: '5' });
  });

  it('are over when they are over: the next one signs in', async () => {
    const [person] = people;
    const answer = await client(node.base).post('/auth/login', { email: person?.email, password: PASSWORD });
    expect(answer.status).toBe(200);
  });
});
