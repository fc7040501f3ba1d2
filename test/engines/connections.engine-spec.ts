import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { node, type Node } from './store.js';

let one: Node;
beforeAll(async () => {
  one = await node();
});

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
});
