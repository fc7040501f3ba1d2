import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ChangeLog, StreamHead } from '../../../engines/index.js';
import type { TableRef } from '../../../query/index.js';
import { Heads } from './heads.js';

const table = (id: string, schema = 'base'): TableRef => ({ id, schema });
const turns = async (count = 3): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A log that says what it is asked, and answers when it is told to: with where it stood when the question came. */
function logged(): {
  readonly heads: Heads;
  readonly asked: readonly string[];
  readonly write: () => void;
  readonly answer: (error?: Error) => Promise<void>;
} {
  let seq = 1;
  const asked: string[] = [];
  const waiting: ((error?: Error) => void)[] = [];
  const read = (schema: string, ids: readonly string[]): Promise<StreamHead[]> => {
    asked.push(`${schema}: ${ids.join()}`);
    const found = ids.map((tableId) => ({ tableId, epoch: 'e', seq, schemaVersion: 1 }));
    return new Promise((resolve, reject) => waiting.push((error) => (error ? reject(error) : resolve(found))));
  };
  return {
    heads: new Heads({ heads: read } as unknown as ChangeLog),
    asked,
    write: () => {
      seq++;
    },
    answer: async (error) => {
      await turns();
      waiting.shift()?.(error);
      await turns();
    },
  };
}

/** Milliseconds; a question takes none unless it is told to. */
let clock = 0;
beforeAll(() => void jest.spyOn(performance, 'now').mockImplementation(() => clock));
afterAll(() => void jest.restoreAllMocks());

describe('where the logs of published tables stand', () => {
  it('is one question for all who came before it is asked', async () => {
    const { heads, asked, answer } = logged();
    const found = Promise.all([heads.of([table('a')]), heads.of([table('a')]), heads.of([table('b'), table('a')])]);
    await answer();
    expect(await found).toEqual(['a e 1 1', 'a e 1 1', 'b e 1 1;a e 1 1']);
    expect(asked).toEqual(['base: a,b']);
  });

  it('is never told by a question that was under way already, for that may not see what the asker knows of', async () => {
    const { heads, asked, write, answer } = logged();
    const early = heads.of([table('a')]);
    await turns();
    expect(asked).toHaveLength(1);
    write();
    const late = [heads.of([table('a')]), heads.of([table('a')])];
    await turns();
    // They wait for the first to end, and then share the second.
    expect(asked).toHaveLength(1);
    await answer();
    expect(await early).toBe('a e 1 1');
    await answer();
    expect(await Promise.all(late)).toEqual(['a e 2 1', 'a e 2 1']);
    expect(asked).toHaveLength(2);
  });

  it('is asked anew after a question that failed, for those who wait as well', async () => {
    const { heads, answer } = logged();
    const first = heads.of([table('a')]).catch((error: unknown) => error);
    await turns();
    const second = heads.of([table('a')]);
    await answer(new Error('gone'));
    await answer();
    expect([await first, await second]).toEqual([new Error('gone'), 'a e 1 1']);
  });

  it('is asked of each base by itself, and tells what has no log', async () => {
    const { heads, asked, answer } = logged();
    const found = heads.of([table('a', 'one'), table('b', 'other'), table('c', 'one')]);
    await answer();
    await answer();
    expect([await found, [...asked].sort()]).toEqual(['a e 1 1;b e 1 1;c e 1 1', ['one: a,c', 'other: b']]);
    const none = new Heads({ heads: () => Promise.resolve([]) } as unknown as ChangeLog);
    expect(await none.of([table('a')])).toBe('a -');
  });

  it('is one question for those who come turn by turn while others gather, and begins when a turn brings nobody', async () => {
    const { heads, asked, answer } = logged();
    const found = [heads.of([table('a')]), heads.of([table('a')])];
    await turns(1);
    found.push(heads.of([table('b')]));
    await turns(1);
    expect(asked).toEqual([]);
    await answer();
    expect(await Promise.all(found)).toEqual(['a e 1 1', 'a e 1 1', 'b e 1 1']);
    expect(asked).toEqual(['base: a,b']);
  });

  it('is asked beside a question that takes long, in as many as four at once', async () => {
    const { heads, asked, answer } = logged();
    const found: Promise<string>[] = [];
    for (let n = 1; n <= 6; n++) {
      found.push(heads.of([table(`t${n}`)]));
      await turns();
      clock += 5;
      expect(asked).toHaveLength(Math.min(n, 4));
    }
    for (let n = 0; n < 5; n++) await answer();
    expect((await Promise.all(found)).map((text) => text.split(' ')[0])).toEqual(['t1', 't2', 't3', 't4', 't5', 't6']);
    expect(asked).toEqual(['base: t1', 'base: t2', 'base: t3', 'base: t4', 'base: t5,t6']);
  });
});
