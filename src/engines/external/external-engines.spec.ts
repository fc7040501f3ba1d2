import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { newId, Problem } from '../../common/index.js';
import type { AppConfig, ExternalSettings } from '../../config/index.js';
import { Circuit, FAILURES } from './circuit.js';
import type { ConnectionTarget, ExternalEngine } from './external-engine.js';
import { ExternalEngines } from './external-engines.js';

const caught = async (work: () => unknown): Promise<Problem> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('should have failed');
};

const unreachable = new Problem('source_unreachable');

const target = (): ConnectionTarget => ({
  id: newId(),
  holder: newId(),
  engine: 'postgresql',
  host: 'db.example',
  port: 5432,
  database: 'd',
  username: 'u',
  password: 'p',
  tls: { mode: 'disable' },
  access: 'read-only',
});

const registries: ExternalEngines[] = [];
afterEach(async () => {
  for (const registry of registries.splice(0)) await registry.onApplicationShutdown();
});

/** A registry whose engines do what `answer` does, and tell when they are opened and closed. */
function registry(answer: (host: string) => Promise<unknown>, over: Partial<ExternalSettings> = {}) {
  const log: string[] = [];
  const external = { allowedNetworks: [], idleMs: 60_000, maxOpen: 10, ...over };
  const engines = new ExternalEngines({ external } as unknown as AppConfig, {
    postgresql: ({ host }) => {
      log.push(`open ${host}`);
      return {
        capabilities: { joins: true, jsonPaths: true, timeZones: true },
        probe: () => answer(host),
        close: () => {
          log.push(`close ${host}`);
          return Promise.resolve();
        },
      } as unknown as ExternalEngine;
    },
  });
  registries.push(engines);
  return { engines, log };
}

const fine = () => Promise.resolve({ serverVersion: '1' });

describe('the engines of external databases', () => {
  it('are one for each version of a connection; a former one ends when its calls are done', async () => {
    let finish: () => void = () => undefined;
    const { engines, log } = registry((host) =>
      host === 'old.example' ? new Promise((done) => (finish = () => done({ serverVersion: '1' }))) : fine(),
    );
    const old = { ...target(), host: 'old.example' };
    const first = engines.engineFor(old, 1);
    expect(engines.engineFor(old, 1)).toBe(first);
    const pending = first.probe();
    const next = engines.engineFor({ ...old, host: 'new.example' }, 2);
    await next.probe();
    expect(log).toEqual(['open old.example', 'open new.example']);
    finish();
    await expect(pending).resolves.toEqual({ serverVersion: '1' });
    await delay(20);
    expect(log).toEqual(['open old.example', 'open new.example', 'close old.example']);
    expect((await caught(() => first.probe())).code).toBe('source_changed');
  });

  it('are closed when nobody uses them, and opened again when somebody does', async () => {
    const { engines, log } = registry(fine, { idleMs: 10 });
    const engine = engines.engineFor(target(), 1);
    await engine.probe();
    await delay(60);
    await engine.probe();
    expect(log).toEqual(['open db.example', 'close db.example', 'open db.example']);
  });

  it('make room for others when they are too many, unless all are busy', async () => {
    const finish: (() => void)[] = [];
    const { engines, log } = registry(
      (host) => (host === 'slow' ? new Promise<void>((done) => finish.push(done)) : fine()),
      { maxOpen: 2 },
    );
    await engines.engineFor({ ...target(), host: 'a' }, 1).probe();
    const slow = engines.engineFor({ ...target(), host: 'slow' }, 1).probe();
    const slower = engines.engineFor({ ...target(), host: 'slow' }, 1).probe();
    expect(log).toEqual(['open a', 'open slow', 'close a', 'open slow']);
    expect((await caught(() => engines.engineFor(target(), 1).probe())).code).toBe('source_busy');
    for (const done of finish) done();
    await Promise.all([slow, slower]);
  });

  it('are never all taken by one person, however many slow databases there are', async () => {
    const finish: (() => void)[] = [];
    const { engines, log } = registry((host) =>
      host === 'slow' ? new Promise<void>((done) => finish.push(done)) : fine(),
    );
    const slow = () => ({ ...target(), host: 'slow', holder: 'greedy' });
    const outcomes = Array.from({ length: 30 }, () =>
      engines
        .engineFor(slow(), 1)
        .probe()
        .then(
          () => 'answered',
          (error: unknown) => (error as Problem).code,
        ),
    );
    expect(log).toHaveLength(6);
    await expect(engines.engineFor(target(), 1).probe()).resolves.toEqual({ serverVersion: '1' });
    await expect(engines.engineFor(target(), 1).probe()).resolves.toEqual({ serverVersion: '1' });
    for (const done of finish) done();
    const answered = (await Promise.all(outcomes)).filter((outcome) => outcome === 'answered');
    expect(answered).toHaveLength(6);
    // What the greedy one has open and does not use makes room for more of the same.
    await engines.engineFor({ ...slow(), host: 'quick' }, 1).probe();
    expect(log.slice(-2)).toEqual(['close slow', 'open quick']);
  });

  it('can be tried out by others while somebody tries out many', async () => {
    const finish: (() => void)[] = [];
    const { engines } = registry((host) => (host === 'slow' ? new Promise<void>((done) => finish.push(done)) : fine()));
    const tries = Array.from({ length: 30 }, () =>
      engines.probe({ ...target(), host: 'slow', holder: 'greedy' }).then(
        () => 'answered',
        (error: unknown) => (error as Problem).code,
      ),
    );
    await expect(engines.probe(target())).resolves.toEqual({ serverVersion: '1' });
    for (const done of finish) done();
    expect((await Promise.all(tries)).filter((outcome) => outcome === 'source_busy')).toHaveLength(19);
  });

  it('refuse at once while a database cannot be reached, and try again behind a pause', async () => {
    let calls = 0;
    const { engines } = registry(() => {
      calls++;
      return Promise.reject(unreachable);
    });
    const engine = engines.engineFor(target(), 1);
    for (let n = 0; n < FAILURES + 5; n++) await caught(() => engine.probe());
    expect(calls).toBe(FAILURES);
    const refusal = await caught(() => engine.probe());
    expect([refusal.code, refusal.headers]).toEqual(['source_unreachable', { 'Retry-After': '1' }]);
    await delay(1_050);
    await caught(() => engine.probe());
    expect(calls).toBe(FAILURES + 1);
  });

  it('of which one cannot be reached leave the others alone', async () => {
    const { engines } = registry((host) => (host === 'down' ? Promise.reject(unreachable) : fine()));
    const down = engines.engineFor({ ...target(), host: 'down' }, 1);
    for (let n = 0; n < 5; n++) await caught(() => down.probe());
    await expect(engines.engineFor(target(), 1).probe()).resolves.toEqual({ serverVersion: '1' });
  });

  it('end all when the server stops', async () => {
    const { engines, log } = registry(fine);
    await engines.engineFor({ ...target(), host: 'a' }, 1).probe();
    await engines.engineFor({ ...target(), host: 'b' }, 1).probe();
    await engines.onApplicationShutdown();
    expect(log).toEqual(['open a', 'open b', 'close a', 'close b']);
  });

  it('leave nothing behind of a trial', async () => {
    const { engines, log } = registry((host) => (host === 'down' ? Promise.reject(unreachable) : fine()));
    await expect(engines.probe(target())).resolves.toEqual({ serverVersion: '1' });
    await caught(() => engines.probe({ ...target(), host: 'down' }));
    expect(log).toEqual(['open db.example', 'close db.example', 'open down', 'close down']);
  });

  it('are not made for kinds that there are none for', async () => {
    const { engines } = registry(fine);
    expect((await caught(() => engines.probe({ ...target(), engine: 'mongodb' }))).code).toBe('not_implemented');
  });
});

describe('the circuit of a database', () => {
  it('lets one caller try for all, doubles its pause up to a minute, and closes with the first success', async () => {
    let now = 0;
    const circuit = new Circuit(() => now);
    const fail = () => {
      circuit.admit();
      circuit.report('unreachable');
    };
    for (let n = 0; n < FAILURES; n++) fail();
    const pauses: number[] = [];
    for (let n = 0; n < 8; n++) {
      const refusal = await caught(() => circuit.admit());
      const seconds = Number(refusal.headers?.['Retry-After']);
      pauses.push(seconds);
      now += seconds * 1_000;
      circuit.admit();
      await caught(() => circuit.admit());
      circuit.report('unreachable');
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    now += 60_000;
    circuit.admit();
    circuit.report('reached');
    for (let n = 0; n < FAILURES - 1; n++) fail();
    circuit.admit();
  });

  it('is not kept broken by a trial that nobody waited for', async () => {
    let now = 0;
    const circuit = new Circuit(() => now);
    for (let n = 0; n < FAILURES; n++) circuit.report('unreachable');
    now += 1_000;
    circuit.admit();
    circuit.report('unknown');
    circuit.admit();
    await caught(() => circuit.admit());
  });
});
