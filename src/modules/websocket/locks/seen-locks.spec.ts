import { describe, expect, it } from '@jest/globals';
import { newId } from '../../../common/index.js';
import type { ChannelAccess } from '../channel-access.js';
import type { Connection } from '../connection.js';
import { Connections } from '../connections.js';
import type { CellLockEvent } from '../messages/index.js';
import { keyOf, type Cell, type Claim } from './lock-board.js';
import type { SeenCells } from './seen-cells.js';
import { SeenLocks } from './seen-locks.js';

const tableId = newId();
const channel = `table:${tableId}`;
const cellOf = (rowId: string): Cell => ({ channel, rowId, columnKey: 'name' });

/** A table of which everybody sees a part, and a database that answers when it is told to. */
function world() {
  const held = new Map<string, Claim>();
  const asked: { readonly sight: string; answer: () => void; fail: () => void }[] = [];
  const connections = new Connections();
  const access = {
    askAsSeen: async <T>(
      { sight }: { sight: string },
      _: string,
      ask: (table: object, sight: string) => Promise<T>,
    ): Promise<T> => {
      await new Promise<void>((resolve, reject) => {
        asked.push({ sight, answer: resolve, fail: () => reject(new Error('away')) });
      });
      return ask({}, sight);
    },
  };
  const cells = { seen: (_: object, named: readonly Cell[]) => Promise.resolve(new Set(named)) };
  const locks = new SeenLocks(connections, access as unknown as ChannelAccess, cells as unknown as SeenCells);
  locks.attach({
    at: (cell) => held.get(keyOf(cell)),
    in: () => [...held.values()],
    any: () => held.size > 0,
    isOf: () => false,
  });
  const follower = (sight: string) => {
    const heard: string[] = [];
    const connection = {
      closed: false,
      subscriptions: new Map([[channel, { kind: 'table', channel, joined: true, sight }]]),
      caller: () => ({ sight }),
      socket: {
        emit: (_: string, { cell, locked }: CellLockEvent) =>
          heard.push(`${cell.rowId} ${locked ? 'locked' : 'unlocked'}`),
      },
    } as unknown as Connection;
    connections.add(connection);
    return { heard, connection };
  };
  const set = (rowId: string, isLocked: boolean): void => {
    const cell = cellOf(rowId);
    if (isLocked) held.set(keyOf(cell), { ...cell, holder: newId(), userId: newId(), name: 'Ada', since: 1 });
    else held.delete(keyOf(cell));
    locks.changed(cell);
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** Questions that wait, once all that can run has run. */
  const next = async () => {
    await settled();
    const [one] = asked.splice(0, 1);
    if (!one) throw new Error('nothing is asked');
    return one;
  };
  const answer = async (): Promise<void> => {
    (await next()).answer();
    await settled();
  };
  return { locks, asked, follower, set, next, answer };
}

describe('locks that are told to who sees part of a table', () => {
  it('are one question for all that changed while the one before was asked', async () => {
    const { asked, follower, set, next, answer } = world();
    const { heard } = follower('own');
    set('a', true);
    const first = await next();
    for (let i = 0; i < 1_000; i++) {
      set('b', i % 2 === 0);
      set(`c${i % 10}`, true);
    }
    first.answer();
    const second = await next();
    expect(heard).toEqual(['a locked']);
    set('d', true);
    second.answer();
    await answer();
    expect(heard.slice(1)).toEqual([...Array.from({ length: 10 }, (_, i) => `c${i} locked`), 'd locked']);
    expect(asked).toHaveLength(0);
  });

  it('are listed to a newcomer behind one turn that waits at most', async () => {
    const { locks, follower, set, next, answer } = world();
    follower('own');
    const { connection } = follower('own');
    set('a', true);
    const first = await next();
    for (let i = 0; i < 1_000; i++) set(`${i % 3}`, true);
    const listed = locks.at(connection, channel, 100);
    first.answer();
    await answer();
    await answer();
    expect((await listed).map(({ rowId }) => rowId)).toEqual(['a', '0', '1', '2']);
  });

  it('are told to others where it cannot be asked for some', async () => {
    const { follower, set, next, answer } = world();
    const [some, others] = [follower('own'), follower('region')];
    set('a', true);
    (await next()).fail();
    await answer();
    expect([some.heard, others.heard]).toEqual([[], ['a locked']]);
  });

  it('remember nothing of who has gone meanwhile', async () => {
    const { locks, follower, set, next, answer } = world();
    const { connection } = follower('own');
    set('a', true);
    await answer();
    locks.forget(connection);
    const listed = locks.at(connection, channel, 100);
    const question = await next();
    connection.closed = true;
    question.answer();
    await listed;
    expect(Reflect.get(locks, 'told')).toEqual(new Map());
  });
});
