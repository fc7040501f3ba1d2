import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must } from '../../../common/index.js';
import { Gate } from './gate.js';
import type { LiveEvent } from './live-event.js';
import type { Change, LogReader, StreamHead } from './log-reader.js';
import { Feed, MAX_REPLAY_SEQS, READ_SEQS, type Admission, type FeedPosition, type Refusal } from './feed.js';
import { TableSource } from './table-source.js';

const TABLE = '01900000-0000-7000-8000-000000000001';
type Later = <T>(label: string, work: () => T) => Promise<T>;
const atOnce: Later = (_label, work) => Promise.resolve().then(work);

/** A change log in memory. Queries look at it when they run, and their answers arrive later still, as over a network. */
class FakeLog implements LogReader {
  epoch = 'e1';
  seq = 0;
  oldest = 1;
  reads = 0;
  failing = 0;
  size = 10;

  constructor(private readonly later: Later) {}

  commit(): number {
    return ++this.seq;
  }

  /** The base was put back from a backup: other numbers, another epoch. */
  replace(epoch: string, seq: number): void {
    Object.assign(this, { epoch, seq, oldest: 1 });
  }

  heads(): Promise<StreamHead[]> {
    return this.query('heads', () => [{ tableId: TABLE, epoch: this.epoch, seq: this.seq, schemaVersion: 1 }]);
  }

  follow(_schema: string, _table: string, after: number, limit: number): Promise<Change[]> {
    this.reads += 1;
    return this.query('read', () => {
      const changes: Change[] = [];
      for (let seq = Math.max(after + 1, this.oldest); seq <= Math.min(this.seq, after + limit); seq++)
        changes.push(this.change(seq));
      return changes;
    });
  }

  private async query<T>(label: string, work: () => T): Promise<T> {
    const answer = await this.later(`${label} runs`, () => {
      if (this.failing > 0 && this.failing--) throw new Error('connection lost');
      return work();
    });
    return this.later(`${label} answers`, () => answer);
  }

  private change(seq: number): Change {
    return {
      seq,
      ord: 0,
      op: 'update',
      rowId: TABLE,
      version: seq,
      schemaVersion: 1,
      before: {},
      after: { name: 'x'.repeat(this.size) },
      at: '2026-01-01T00:00:00.000Z',
      actor: { id: null, name: 'somebody' },
      source: 'api',
      changeSet: TABLE,
      requestId: 'request',
    };
  }
}

/** A client that checks the promise at every event: each number is the next one. */
class FakeSocket {
  readonly seen: number[] = [];
  joined = false;
  resets = 0;
  last: FeedPosition | undefined;

  receive(event: LiveEvent): void {
    const { epoch, seq, prev } = event.payload;
    expect({ epoch, prev }).toEqual({ epoch: this.last?.epoch, prev: this.last?.seq });
    this.seen.push(seq);
    this.last = { epoch, seq };
  }
}

function world(later: Later = atOnce) {
  const log = new FakeLog(later);
  const sockets = new Set<FakeSocket>();
  const channel = `table:${TABLE}`;
  const feed = new Feed(
    new TableSource(log, { id: TABLE, schema: 'crm' }, channel, () => Promise.resolve()),
    {
      channel,
      broadcast: (events) => {
        for (const socket of sockets) for (const event of events) socket.receive(event);
      },
      reset: () => {
        for (const socket of sockets) {
          socket.joined = false;
          socket.resets += 1;
        }
        sockets.clear();
      },
    },
    new Gate(2),
  );
  const join = async (socket: FakeSocket, from?: FeedPosition): Promise<Admission | Refusal> => {
    let admitted: Admission | undefined;
    const refusal = await feed.join(from, (admission) => {
      admitted = admission;
      socket.last = from ?? { epoch: admission.epoch, seq: admission.seq };
      socket.joined = true;
      sockets.add(socket);
      for (const event of admission.events) socket.receive(event);
      // `seq` of the answer is where the socket now is.
      expect(socket.last).toEqual({ epoch: admission.epoch, seq: admission.seq });
    });
    return admitted ?? must(refusal, 'a subscriber is admitted or refused');
  };
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 200; i++) await Promise.resolve();
  };
  return { log, feed, sockets, join, settle };
}

describe('the live feed of one table', () => {
  it('lets a subscriber without a position in at the head', async () => {
    const { log, join } = world();
    log.seq = 7;
    expect(await join(new FakeSocket())).toMatchObject({ mode: 'live', epoch: 'e1', seq: 7, events: [] });
  });

  it('replays what was missed, in order, before anything newer', async () => {
    const { log, join, feed, settle } = world();
    log.seq = 5;
    const socket = new FakeSocket();
    expect(await join(socket, { epoch: 'e1', seq: 2 })).toMatchObject({ mode: 'replay', seq: 5 });
    feed.hint(log.commit());
    await settle();
    expect(socket.seen).toEqual([3, 4, 5, 6]);
  });

  it('replays only up to the position of the room, which gets the rest', async () => {
    const { log, join, feed, settle } = world();
    log.seq = 5;
    await feed.open();
    log.seq = 8;
    const socket = new FakeSocket();
    expect(await join(socket, { epoch: 'e1', seq: 2 })).toMatchObject({ mode: 'replay', seq: 5 });
    feed.hint(8);
    await settle();
    expect(socket.seen).toEqual([3, 4, 5, 6, 7, 8]);
  });

  it('says live to a subscriber who has missed nothing', async () => {
    const { log, join } = world();
    log.seq = 5;
    expect(await join(new FakeSocket(), { epoch: 'e1', seq: 5 })).toMatchObject({ mode: 'live', seq: 5 });
  });

  it('pulls the log first for a subscriber who knows more than this node', async () => {
    const { log, join, feed } = world();
    await feed.open();
    log.seq = 4;
    expect(await join(new FakeSocket(), { epoch: 'e1', seq: 4 })).toMatchObject({ mode: 'live', seq: 4 });
    expect(await join(new FakeSocket(), { epoch: 'e1', seq: 9 })).toMatchObject({
      mode: 'reset',
      reason: 'ahead',
      seq: 4,
    });
  });

  it('resets a subscriber of another epoch, and knows a new epoch that the client saw first', async () => {
    const { log, join, feed } = world();
    log.seq = 4;
    await feed.open();
    expect(await join(new FakeSocket(), { epoch: 'e0', seq: 4 })).toMatchObject({
      mode: 'reset',
      reason: 'epoch_changed',
      epoch: 'e1',
    });
    log.replace('e2', 2);
    expect(await join(new FakeSocket(), { epoch: 'e2', seq: 1 })).toMatchObject({
      mode: 'replay',
      epoch: 'e2',
      seq: 2,
    });
  });

  it('resets a subscriber whose changes are no longer kept', async () => {
    const { log, join } = world();
    log.seq = 10;
    log.oldest = 5;
    expect(await join(new FakeSocket(), { epoch: 'e1', seq: 3 })).toMatchObject({
      mode: 'reset',
      reason: 'changes_gone',
    });
    expect(await join(new FakeSocket(), { epoch: 'e1', seq: 4 })).toMatchObject({ mode: 'replay', seq: 10 });
  });

  it('resets a subscriber who is too far behind, by number and by size', async () => {
    const { log, join } = world();
    log.seq = MAX_REPLAY_SEQS + 1;
    expect(await join(new FakeSocket(), { epoch: 'e1', seq: 0 })).toMatchObject({ mode: 'reset', reason: 'too_far' });
    expect(await join(new FakeSocket(), { epoch: 'e1', seq: 1 })).toMatchObject({ mode: 'replay' });
    log.size = 20_000;
    expect(await join(new FakeSocket(), { epoch: 'e1', seq: 1 })).toMatchObject({ mode: 'reset', reason: 'too_far' });
  });

  it('resets the room when the epoch changes or the log has a hole', async () => {
    const { log, join, feed, settle } = world();
    const socket = new FakeSocket();
    await join(socket);
    log.replace('e2', 3);
    feed.observe({ epoch: 'e2', seq: 3, schemaVersion: 1 });
    await settle();
    expect(socket).toMatchObject({ joined: false, resets: 1, seen: [] });

    const other = new FakeSocket();
    await join(other);
    log.seq = 9;
    log.oldest = 7;
    feed.hint(9);
    await settle();
    expect(other).toMatchObject({ joined: false, resets: 1, seen: [] });
    expect(await join(new FakeSocket())).toMatchObject({ mode: 'live', seq: 9 });
  });

  it('reads the log once for many hints, and ends after a wrong one', async () => {
    const { log, join, feed, settle } = world();
    await join(new FakeSocket());
    for (let i = 0; i < 20; i++) feed.hint(log.commit());
    await settle();
    expect(log.reads).toBeLessThanOrEqual(2);
    const before = log.reads;
    feed.hint(Number.MAX_SAFE_INTEGER);
    await settle();
    expect(log.reads).toBe(before + 1);
  });

  it('loses nothing when the log cannot be read for a while', async () => {
    const { log, join, feed, settle } = world();
    const socket = new FakeSocket();
    await join(socket);
    log.failing = 2;
    feed.hint(log.commit());
    await settle();
    await expect(join(new FakeSocket(), { epoch: 'e1', seq: 5 })).rejects.toThrow('connection lost');
    feed.hint(log.commit());
    await settle();
    expect(socket.seen).toEqual([1, 2]);
  });

  it('hears a hint in whatever step of a pull it comes', async () => {
    for (let steps = 0; steps < 20; steps++) {
      const { log, feed, join, settle } = world();
      const socket = new FakeSocket();
      await join(socket);
      feed.hint(log.commit());
      for (let i = 0; i < steps; i++) await Promise.resolve();
      feed.hint(log.commit());
      await settle();
      expect(socket.seen).toEqual([1, 2]);
    }
  });

  it('can be opened again after a failure', async () => {
    const { log, feed, join } = world();
    log.failing = 1;
    await expect(feed.open()).rejects.toThrow('connection lost');
    expect(await join(new FakeSocket())).toMatchObject({ mode: 'live' });
  });

  it('has no gap, no repetition and no reordering, however commits, hints, polls, failures and joins interleave', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('commit' as const),
          count: fc.oneof(
            { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) },
            { weight: 1, arbitrary: fc.integer({ min: 1, max: READ_SEQS + 10 }) },
          ),
          hint: fc.boolean(),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('join' as const),
          back: fc.option(fc.integer({ min: -3, max: 30 })),
          foreign: fc.boolean(),
        }),
      },
      { weight: 2, arbitrary: fc.constant({ kind: 'poll' as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'fail' as const }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('replace' as const), seq: fc.integer({ min: 0, max: 100 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('purge' as const), keep: fc.integer({ min: -1, max: 5 }) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 1, maxLength: 40 }), async (scheduler, steps) => {
        const later: Later = (label, work) => scheduler.schedule(Promise.resolve(), label).then(work);
        const { log, feed, join } = world(later);
        const sockets: FakeSocket[] = [];
        const joins: Promise<unknown>[] = [];
        let epochs = 1;
        const act = (todo: (typeof steps)[number]): void => {
          switch (todo.kind) {
            case 'commit':
              for (let i = 0; i < todo.count; i++) log.commit();
              if (todo.hint) feed.hint(log.seq);
              return;
            case 'join': {
              const socket = new FakeSocket();
              sockets.push(socket);
              const from = { epoch: todo.foreign ? 'e0' : log.epoch, seq: Math.max(0, log.seq - (todo.back ?? 0)) };
              joins.push(join(socket, todo.back === null ? undefined : from).catch(() => undefined));
              return;
            }
            case 'poll':
              feed.observe({ epoch: log.epoch, seq: log.seq, schemaVersion: 1 });
              return;
            case 'fail':
              log.failing += 1;
              return;
            case 'replace':
              log.replace(`e${++epochs}`, todo.seq);
              return;
            case 'purge':
              log.oldest = Math.max(log.oldest, log.seq - todo.keep);
          }
        };
        const script = scheduler.scheduleSequence(
          steps.map((todo, i) => ({
            label: `${i} ${todo.kind}`,
            builder: () => Promise.resolve().then(() => act(todo)),
          })),
        );
        await scheduler.waitFor(script.task);
        await scheduler.waitFor(Promise.all(joins));
        // The safety poll comes every second; two are enough whatever was lost.
        log.failing = 0;
        for (let i = 0; i < 3; i++) {
          feed.observe({ epoch: log.epoch, seq: log.seq, schemaVersion: 1 });
          await scheduler.waitFor(join(new FakeSocket(), { epoch: log.epoch, seq: log.seq }));
        }
        for (const socket of sockets.filter(({ joined }) => joined))
          expect(socket.last).toEqual({ epoch: log.epoch, seq: log.seq });
      }),
      { numRuns: 500 },
    );
  });
});
