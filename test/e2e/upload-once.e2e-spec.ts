import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  member,
  startApp,
  world,
  type Answer,
  type Client,
  type Person,
  type ProblemBody,
  type TestApp,
  type World,
} from '../harness/index.js';
import { form, type Attachment } from '../support/attachments.js';

type Told = { readonly data: readonly Attachment[] } & ProblemBody;

let node: TestApp;
let other: TestApp;
let at: World;
beforeAll(async () => {
  const pair = await databases();
  node = await startApp({ databases: pair });
  other = await startApp({ databases: pair, config: { files: node.config.files } });
}, 60_000);

/** A base of its own for each test, so that it can count what is stored. */
const begin = async (): Promise<World> => (at = await world(node.base));
const upload = (by: Client, key: string, body = form('a', 'b')): Promise<Answer<Told>> =>
  by.post<Told>(`/tables/${at.table.id}/attachments`, body, { 'idempotency-key': key });
const elsewhere = ({ accessToken }: Person): Client => client(other.base, accessToken);
const replayed = ({ headers }: Answer<unknown>) => headers.get('idempotency-replayed');
const stored = (): number => {
  const folder = path.join(node.config.files.directory, at.table.physical.schema);
  return existsSync(folder) ? readdirSync(folder).length : 0;
};

describe('an upload with an idempotency key', () => {
  it('that is repeated gets the answer that it got, on any node, and its files are there once', async () => {
    const [{ owner }, key] = [await begin(), randomUUID()];
    const first = await upload(owner, key);
    expect([first.status, replayed(first), first.body.data.length]).toEqual([201, null, 2]);
    for (const by of [owner, elsewhere(owner)]) {
      const again = await upload(by, key);
      expect([again.status, again.text, replayed(again)]).toEqual([201, first.text, 'true']);
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
    }
    expect(stored()).toBe(2);
    for (const { id } of first.body.data)
      expect((await owner.get(`/tables/${at.table.id}/attachments/${id}`)).status).toBe(200);
  });

  it('is another one where content, name, type or number of its files differ: refused, and nothing is left of it', async () => {
    const [{ owner }, key] = [await begin(), randomUUID()];
    expect((await upload(owner, key, form('a'))).status).toBe(201);
    for (const body of [
      form('b'),
      form('a', 'a'),
      form({ content: 'a', name: 'other.txt' }),
      form({ content: 'a', type: 'text/html' }),
    ]) {
      const { status, body: told } = await upload(owner, key, body);
      expect([status, told.code]).toEqual([422, 'idempotency_mismatch']);
    }
    expect(stored()).toBe(1);
  });

  it('is somebody else’s under the same key, and a new one under another', async () => {
    const [{ owner }, key] = [await begin(), randomUUID()];
    const answers = [
      await upload(owner, key),
      await upload(await member(at, 'editor'), key),
      await upload(owner, randomUUID()),
    ];
    expect(answers.map((answer) => [answer.status, replayed(answer)])).toEqual(answers.map(() => [201, null]));
    expect(new Set(answers.flatMap(({ body }) => body.data.map(({ id }) => id))).size).toBe(6);
    expect(stored()).toBe(6);
  });

  it('is done once when it comes many times at once, on two nodes', async () => {
    const [{ owner }, key] = [await begin(), randomUUID()];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => upload(i % 2 ? owner : elsewhere(owner), key)),
    );
    const done = answers.filter(({ status }) => status === 201);
    expect(answers.filter(({ status }) => status !== 201).map(({ body }) => body.code)).toEqual(
      Array.from({ length: answers.length - done.length }, () => 'idempotency_in_progress'),
    );
    expect(new Set(done.map(({ text }) => text)).size).toBe(1);
    expect(done.filter((answer) => replayed(answer) === null)).toHaveLength(1);
    expect(stored()).toBe(2);
  });

  it('is not taken in when the key is none, and can be tried again under it when it failed', async () => {
    const [{ owner }, key] = [await begin(), randomUUID()];
    const { status, body } = await upload(owner, 'x'.repeat(256));
    expect([status, body.errors?.[0]?.code]).toEqual([422, 'idempotency_key_invalid']);
    expect((await upload(owner, key, new FormData())).status).toBeGreaterThanOrEqual(400);
    expect(stored()).toBe(0);
    expect((await upload(owner, key)).status).toBe(201);
  });
});
