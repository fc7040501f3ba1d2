import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { databases, sql, tcpProxy, type TcpProxy, type TestDatabases } from '../harness/index.js';
import { node, type Node } from './store.js';

let pair: TestDatabases;
let network: TcpProxy;
let one: Node;
beforeAll(async () => {
  pair = await databases();
  network = await tcpProxy(pair.mini);
  one = await node({ ...pair, mini: { ...pair.mini, host: network.host, port: network.port } });
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const backend = async (): Promise<string | null> =>
  must((await one.database.query({ text: 'select pg_backend_pid()', values: [] }))[0]?.[0], 'a pid');

describe('a connection of the mini-DB', () => {
  it('is kept when the server refuses a statement, with what it has prepared', async () => {
    const before = await backend();
    await expect(one.database.query({ text: 'select 1 / $1::int', values: [0] })).rejects.toThrow('division by zero');
    expect(await backend()).toBe(before);
  });

  it('is kept when a transaction fails', async () => {
    const before = await backend();
    const failing = one.database.transaction((session) => session.query({ text: 'select 1 / 0', values: [] }));
    await expect(failing).rejects.toThrow('division by zero');
    expect(await backend()).toBe(before);
  });

  it('is replaced when the server ends it', async () => {
    const before = await backend();
    const end = one.database.query({ text: 'select pg_terminate_backend(pg_backend_pid())', values: [] });
    await expect(end).rejects.toThrow();
    expect(await backend()).not.toBe(before);
  });

  // Regression: its end is an event, too, and one that nobody heard ended the process. Jest fails a test in which that occurs.
  it('may break under a statement', async () => {
    const slow = one.database.query({ text: 'select pg_sleep(5)', values: [] });
    const broken = expect(slow).rejects.toThrow();
    await pause(200);
    await network.cut();
    await broken;
    await network.mend();
    expect(await backend()).toEqual(expect.any(String));
  });

  it('may end between two statements of a transaction', async () => {
    const broken = one.database.transaction(async (session) => {
      const pid = must((await session.query({ text: 'select pg_backend_pid()', values: [] }))[0]?.[0], 'a pid');
      await sql(pair.main, 'select pg_terminate_backend($1)', [pid]);
      // Its end arrives while nobody waits for an answer.
      await pause(200);
      await session.query({ text: 'select 1', values: [] });
    });
    await expect(broken).rejects.toThrow();
    expect(await backend()).toEqual(expect.any(String));
  });
});
