import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Socket } from 'socket.io-client';
import {
  expectStatus,
  member,
  signup,
  sleep,
  socket,
  startApp,
  waitFor,
  world,
  type Person,
  type ProblemBody,
  type Row,
  type TestSocket,
  type World,
} from '../harness/index.js';

jest.setTimeout(60_000);

interface Update {
  readonly channel: string;
  readonly epoch: string;
  readonly seq: number;
  readonly prev: number;
  readonly schemaVersion: number;
  readonly at: string;
  readonly changeSet: string;
  readonly actor: { readonly id: string; readonly name: string; readonly clientId?: string };
  readonly source: string;
  readonly created: readonly Row[];
  readonly updated: readonly Pick<Row, 'id' | 'version' | 'fields'>[];
  readonly deleted: readonly Pick<Row, 'id' | 'version'>[];
  readonly invalidated?: true;
  readonly rowIds?: readonly string[];
}
interface Joined {
  readonly ok: boolean;
  readonly mode: 'live' | 'replay' | 'reset';
  readonly epoch: string;
  readonly seq: number;
  readonly schemaVersion: number;
  readonly reason?: string;
  readonly error?: ProblemBody;
}

const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown as string;
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown as string;

describe('live updates', () => {
  let base = '';
  let at: World;
  let channel = '';
  let ada: Person;

  beforeAll(async () => {
    ({ base } = await startApp());
  });

  const fresh = async () => {
    at = await world(base);
    channel = `table:${at.table.id}`;
    ada = at.owner;
  };
  const open = (person: Person) => socket(base, person.accessToken);
  const create = async (person: Person, name: string) =>
    expectStatus(await person.post<Row>(`/tables/${at.table.id}/rows`, { fields: { name } }), 201);
  const follow = async (person: Person, from?: object): Promise<{ tab: TestSocket; joined: Joined }> => {
    const tab = await open(person);
    return { tab, joined: await tab.ask<Joined>('subscribe', { channel, ...(from ? { from } : {}) }) };
  };
  const updates = (tab: TestSocket, count: number) =>
    waitFor(() => {
      const seen = tab.payloads<Update>('data:update');
      return seen.length >= count ? seen : undefined;
    });

  describe('two people edit one table', () => {
    it('shows each what the other does: rows made, changed, deleted, and by whom', async () => {
      await fresh();
      const bob = await member(at, 'editor');
      const [mine, theirs] = [await follow(ada), await follow(bob)];
      expect(mine.joined).toEqual({
        ok: true,
        channel,
        mode: 'live',
        epoch: UUID,
        seq: 0,
        schemaVersion: at.table.schemaVersion,
      });

      const row = await create(ada, 'Acme');
      expectStatus(
        await bob.patch(`/tables/${at.table.id}/rows/${row.id}`, { fields: { qty: 5 } }, { 'x-client-id': 'tab-7' }),
        200,
      );
      expectStatus(await ada.del(`/tables/${at.table.id}/rows/${row.id}`), 204);

      for (const { tab, joined } of [mine, theirs]) {
        const [made, changed, gone] = await updates(tab, 3);
        expect(made).toEqual({
          channel,
          epoch: joined.epoch,
          seq: 1,
          prev: 0,
          schemaVersion: at.table.schemaVersion,
          at: TIME,
          changeSet: UUID,
          actor: { id: ada.user.id, name: ada.user.name },
          source: 'api',
          created: [row],
          updated: [],
          deleted: [],
        });
        expect(changed).toMatchObject({
          seq: 2,
          prev: 1,
          actor: { id: bob.user.id, clientId: 'tab-7' },
          created: [],
          updated: [{ id: row.id, version: 2, fields: { qty: 5 } }],
        });
        expect(changed?.updated[0]).toEqual({ id: row.id, version: 2, fields: { qty: 5 } });
        expect(gone).toMatchObject({
          seq: 3,
          prev: 2,
          created: [],
          updated: [],
          deleted: [{ id: row.id, version: 3 }],
        });
      }
    });

    it('tells of a write within a quarter of a second', async () => {
      await fresh();
      const { tab } = await follow(ada);
      const times: number[] = [];
      for (let seq = 1; seq <= 7; seq++) {
        const started = Date.now();
        await create(ada, `quick ${seq}`);
        const event = await tab.until(({ payload }) => (payload as Update).seq === seq);
        times.push(event.at - started);
      }
      // Not the slowest: the machine that runs the tests may be busy.
      expect(times.sort((a, b) => a - b)[4]).toBeLessThan(250);
    });

    it('makes one event of one bulk call', async () => {
      await fresh();
      const { tab } = await follow(ada);
      const ops = Array.from({ length: 5 }, (_, i) => ({ op: 'create', fields: { name: `row ${i}` } }));
      expectStatus(await ada.post(`/tables/${at.table.id}/rows/bulk`, { mode: 'atomic', ops }), 200);
      const [event] = await updates(tab, 1);
      expect(event?.created.map(({ fields }) => fields.name)).toEqual(ops.map(({ fields }) => fields.name));
    });

    it('leaves the data out of a change that is too large, and names the rows', async () => {
      await fresh();
      const { tab } = await follow(ada);
      const bulk = (count: number, notes = '') =>
        ada.post(`/tables/${at.table.id}/rows/bulk`, {
          mode: 'atomic',
          ops: Array.from({ length: count }, (_, i) => ({ op: 'create', fields: { name: `row ${i}`, notes } })),
        });
      expectStatus(await bulk(201), 200);
      expectStatus(await bulk(100, 'x'.repeat(1_000)), 200);
      expectStatus(await bulk(100), 200);
      const [many, large, fits] = await updates(tab, 3);
      expect(many).toMatchObject({ seq: 1, prev: 0, invalidated: true });
      expect(many?.rowIds).toHaveLength(201);
      expect(many).not.toHaveProperty('created');
      expect(large).toMatchObject({ seq: 2, prev: 1, invalidated: true });
      expect(large?.rowIds).toHaveLength(100);
      expect(fits?.created).toHaveLength(100);
    });

    it('announces a new column in the same numbering', async () => {
      await fresh();
      const { tab } = await follow(ada);
      expectStatus(await ada.post(`/tables/${at.table.id}/columns`, { name: 'Extra', type: 'text' }), 201);
      const { payload } = await tab.until(({ name }) => name === 'schema:update');
      expect(payload).toEqual({
        channel,
        epoch: UUID,
        seq: 1,
        prev: 0,
        schemaVersion: at.table.schemaVersion + 1,
        at: TIME,
        actor: { id: ada.user.id, name: ada.user.name },
        change: { 'column.created': expect.objectContaining({ key: 'extra', type: 'text', default: null }) as unknown },
      });
      await create(ada, 'after');
      expect((await updates(tab, 1))[0]).toMatchObject({ seq: 2, prev: 1, schemaVersion: at.table.schemaVersion + 1 });
    });

    it('sends nothing more after unsubscribe', async () => {
      await fresh();
      const [{ tab }, other] = [await follow(ada), await follow(ada)];
      expect(await tab.ask('unsubscribe', { channel })).toEqual({ ok: true, channel });
      expect(await tab.ask('unsubscribe', { channel })).toEqual({ ok: true, channel });
      await create(ada, 'unheard');
      await updates(other.tab, 1);
      expect(tab.payloads('data:update')).toEqual([]);
    });
  });

  it('obeys the messages of a socket in the order in which they came', async () => {
    await fresh();
    const [tab, other] = [await open(ada), await follow(ada)];
    const ask = (name: string) => tab.ask<Joined>(name, { channel });
    const answers = await Promise.all([ask('subscribe'), ask('subscribe'), ask('unsubscribe')]);
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, true]);
    await create(ada, 'after');
    await updates(other.tab, 1);
    await sleep(50);
    expect(tab.events).toEqual([]);
  });

  describe('a client that was away', () => {
    it('gets exactly what it missed, in order, and then what is new', async () => {
      await fresh();
      const before = await follow(ada);
      for (let i = 1; i <= 3; i++) await create(ada, `seen ${i}`);
      await updates(before.tab, 3);
      before.tab.close();
      for (let i = 4; i <= 8; i++) await create(ada, `missed ${i}`);

      const { tab, joined } = await follow(ada, { epoch: before.joined.epoch, seq: 3 });
      expect(joined).toMatchObject({ ok: true, mode: 'replay', seq: 8, epoch: before.joined.epoch });
      await create(ada, 'new 9');
      const seen = await updates(tab, 6);
      expect(seen.map(({ seq, prev }) => [prev, seq])).toEqual([3, 4, 5, 6, 7, 8].map((prev) => [prev, prev + 1]));
      expect(seen.map(({ created }) => created[0]?.fields.name)).toEqual(
        [4, 5, 6, 7, 8].map((i) => `missed ${i}`).concat('new 9'),
      );
    });

    it('goes on from the meta of the change log', async () => {
      await fresh();
      await create(ada, 'in the log');
      type Log = { readonly meta: { readonly epoch: string; readonly seq: number; readonly oldest: number } };
      const { meta } = expectStatus(await ada.get<Log>(`/tables/${at.table.id}/changes?after=0`), 200);
      expect(meta).toMatchObject({ seq: 1, oldest: 1 });
      await create(ada, 'after it');
      const { tab, joined } = await follow(ada, meta);
      expect(joined).toMatchObject({ mode: 'replay', seq: 2 });
      expect((await updates(tab, 1))[0]?.created[0]?.fields.name).toBe('after it');
    });

    it('goes on from the meta of a page that it read', async () => {
      await fresh();
      await create(ada, 'on the page');
      const { meta } = expectStatus(
        await ada.get<{ meta: { epoch: string; seq: number } }>(`/tables/${at.table.id}/rows`),
        200,
      );
      await create(ada, 'after the page');
      expect(meta).toHaveProperty('schemaVersion');
      const { tab, joined } = await follow(ada, meta);
      expect(joined).toMatchObject({ mode: 'replay', seq: 2 });
      expect((await updates(tab, 1))[0]?.created[0]?.fields.name).toBe('after the page');
    });

    it('is told live when it missed nothing', async () => {
      await fresh();
      const { joined: start } = await follow(ada);
      await create(ada, 'one');
      const { joined } = await follow(ada, { epoch: start.epoch, seq: 1 });
      expect(joined).toMatchObject({ mode: 'live', seq: 1 });
    });

    it('is told to read again when its numbers are of another epoch, ahead, or too far behind', async () => {
      await fresh();
      const { joined: start } = await follow(ada);
      await create(ada, 'one');
      const from = async (epoch: string, seq: number) => (await follow(ada, { epoch, seq })).joined;
      expect(await from('01900000-0000-7000-8000-000000000000', 0)).toEqual({
        ok: true,
        channel,
        mode: 'reset',
        reason: 'epoch_changed',
        epoch: start.epoch,
        seq: 1,
        schemaVersion: at.table.schemaVersion,
      });
      expect(await from(start.epoch, 99)).toMatchObject({ mode: 'reset', reason: 'ahead', seq: 1 });
      const { tab } = await follow(ada, { epoch: start.epoch, seq: 99 });
      await create(ada, 'two');
      await sleep(200);
      expect(tab.payloads('data:update')).toEqual([]);
    });

    it('may subscribe again on the same socket to begin again elsewhere', async () => {
      await fresh();
      const { tab, joined } = await follow(ada);
      await create(ada, 'one');
      await updates(tab, 1);
      expect(await tab.ask('subscribe', { channel, from: { epoch: joined.epoch, seq: 0 } })).toMatchObject({
        mode: 'replay',
        seq: 1,
      });
      await create(ada, 'two');
      expect((await updates(tab, 3)).map(({ seq }) => seq)).toEqual([1, 1, 2]);
      await sleep(100);
      expect(tab.payloads('data:update')).toHaveLength(3);
    });
  });

  describe('who may listen', () => {
    const refusal = async (token?: string) => {
      const error = await socket(base, token).then(
        () => undefined,
        (problem: unknown) => problem as Error & { data: ProblemBody },
      );
      return error?.data;
    };

    it('refuses a connection without a valid token', async () => {
      await fresh();
      expect(await refusal()).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(await refusal('nonsense')).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(await refusal(`${ada.accessToken}x`)).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(await refusal('x'.repeat(5_000))).toMatchObject({ status: 401 });
      const { socket: raw } = await open(ada); // and the server is well
      expect(raw.connected).toBe(true);
    });

    it('answers a stranger and a table that does not exist with the same 404', async () => {
      await fresh();
      const stranger = await open(await signup(base));
      const ask = async (name: string) => (await stranger.ask<Joined>('subscribe', { channel: name })).error;
      const foreign = await ask(channel);
      const missing = await ask('table:01900000-0000-7000-8000-000000000000');
      const nonsense = await ask('table:nonsense');
      expect(foreign).toMatchObject({ status: 404, code: 'not_found', requestId: UUID });
      for (const other of [missing, nonsense])
        expect({ ...other, requestId: '' }).toEqual({ ...foreign, requestId: '' });
      await create(ada, 'secret');
      await sleep(100);
      expect(stranger.events).toEqual([]);
    });

    it('lets a viewer listen', async () => {
      await fresh();
      const { joined } = await follow(await member(at, 'viewer'));
      expect(joined).toMatchObject({ ok: true, mode: 'live' });
    });

    it('closes the sockets of a session that logs out, and of no other', async () => {
      await fresh();
      const [mine, other] = [await open(ada), await open(await signup(base))];
      expectStatus(await ada.post('/auth/logout'), 204);
      await waitFor(() => !mine.socket.connected, 1_000);
      expect(mine.events.at(-1)).toMatchObject({
        name: 'control',
        payload: { type: 'revoked', error: { code: 'unauthenticated' } },
      });
      expect(other.socket.connected).toBe(true);
      expect(await refusal(ada.accessToken)).toMatchObject({ status: 401 });
    });

    it('ends the subscriptions of somebody who is removed from the workspace, and keeps his socket', async () => {
      await fresh();
      const bob = await member(at, 'editor');
      const { tab } = await follow(bob);
      const members = expectStatus(
        await ada.get<{ data: { id: string; user: { id: string } }[] }>(`/workspaces/${at.workspace.id}/members`),
        200,
      ).data;
      const membership = members.find(({ user }) => user.id === bob.user.id);
      expectStatus(await ada.del(`/workspaces/${at.workspace.id}/members/${membership?.id}`), 204);
      await tab.until(({ name }) => name === 'control', 1_000);
      expect(tab.payloads('control')).toEqual([{ type: 'revoked', channel }]);
      await create(ada, 'not for bob');
      await sleep(100);
      expect(tab.payloads('data:update')).toEqual([]);
      expect(tab.socket.connected).toBe(true);
      expect(await tab.ask('subscribe', { channel })).toMatchObject({ ok: false, error: { status: 404 } });
    });

    it.each(['table', 'base'] as const)('ends the subscriptions to a table when its %s is deleted', async (what) => {
      await fresh();
      const { tab } = await follow(ada);
      expectStatus(await ada.del(what === 'table' ? `/tables/${at.table.id}` : `/bases/${at.base.id}`), 204);
      await tab.until(({ name }) => name === 'control', 2_000);
      expect(tab.payloads('control')).toEqual([{ type: 'revoked', channel }]);
      expect(await tab.ask('subscribe', { channel })).toMatchObject({ ok: false, error: { status: 404 } });
    });

    it('takes a fresh token of the same person, and of nobody else', async () => {
      await fresh();
      const tab = await open(ada);
      const { accessToken } = expectStatus(
        await ada.post<{ accessToken: string }>('/auth/refresh', { refreshToken: ada.refreshToken }),
        200,
      );
      expect(await tab.ask('auth', { token: accessToken })).toEqual({ ok: true, expiresAt: TIME });
      expect(await tab.ask('auth', { token: 'nonsense' })).toMatchObject({ ok: false, error: { status: 401 } });
      const stranger = await signup(base);
      expect(await tab.ask('auth', { token: stranger.accessToken })).toMatchObject({
        ok: false,
        error: { status: 403 },
      });
      expect(tab.socket.connected).toBe(true);
    });
  });

  describe('bad input', () => {
    let tab: TestSocket;
    beforeAll(async () => {
      await fresh();
      tab = await open(ada);
    });

    it.each<[string, unknown]>([
      ['nothing', null],
      ['a text', 'table'],
      ['a number', 7],
      ['an array', [{ channel: 'table:x' }]],
      ['an empty object', {}],
      ['a channel that is no text', { channel: 5 }],
      ['an empty channel', { channel: '' }],
      ['a huge channel', { channel: 'table:' + 'x'.repeat(10_000) }],
      ['a channel of no known kind', { channel: 'people:1' }],
      ['a channel without a kind', { channel: 'x' }],
      ['an unknown property', { channel: 'table:x', color: 'red' }],
      ['__proto__', JSON.parse('{"channel":"table:x","__proto__":{"admin":true}}')],
      ['a position that is no object', { channel: 'table:x', from: 5 }],
      ['a position as an array', { channel: 'table:x', from: [{ epoch: 'e', seq: 1 }] }],
      ['a position without a number', { channel: 'table:x', from: { epoch: 'e' } }],
      ['a negative number', { channel: 'table:x', from: { epoch: 'e', seq: -1 } }],
      ['a broken number', { channel: 'table:x', from: { epoch: 'e', seq: 1.5 } }],
      ['a number beyond 2^53', { channel: 'table:x', from: { epoch: 'e', seq: 2 ** 53 } }],
      ['an epoch that is no text', { channel: 'table:x', from: { epoch: {}, seq: 1 } }],
      [
        'a version of the structure that is no number',
        { channel: 'table:x', from: { epoch: 'e', seq: 1, schemaVersion: '2' } },
      ],
      ['an oldest number that is none', { channel: 'table:x', from: { epoch: 'e', seq: 1, oldest: 'x' } }],
      ['an unknown property of the position', { channel: 'table:x', from: { epoch: 'e', seq: 1, x: 1 } }],
      ['bytes', { channel: Buffer.from('table:x') }],
    ])('answers %s with a 422', async (_what, message) => {
      expect(await tab.ask('subscribe', message)).toMatchObject({
        ok: false,
        error: { status: 422, type: expect.stringContaining('https://') },
      });
    });

    it('answers an unknown message, several arguments and none', async () => {
      const ask = (name: string, ...args: unknown[]) =>
        tab.socket.timeout(2_000).emitWithAck(name, ...args) as Promise<unknown>;
      expect(await ask('dance', {})).toMatchObject({ ok: false, error: { status: 404 } });
      expect(await ask('__proto__', {})).toMatchObject({ ok: false, error: { status: 404 } });
      expect(await ask('error', {})).toMatchObject({ ok: false, error: { status: 404 } });
      expect(await ask('subscribe')).toMatchObject({ ok: false, error: { status: 422 } });
      expect(await ask('subscribe', { channel }, { channel })).toMatchObject({ ok: false, error: { status: 422 } });
      expect(await ask('unsubscribe', {})).toMatchObject({ ok: false, error: { status: 422 } });
      expect(await ask('auth', { token: 5 })).toMatchObject({ ok: false, error: { status: 422 } });
    });

    it('lives through messages without an acknowledgement', async () => {
      for (const name of ['subscribe', 'unsubscribe', 'auth', 'error', 'dance']) tab.socket.emit(name, { x: 1 });
      tab.socket.emit('subscribe');
      expect(await tab.ask('subscribe', { channel })).toMatchObject({ ok: true });
    });

    it('closes a connection that sends more than 64 KiB, and nothing else', async () => {
      const loud = await open(ada);
      loud.socket.emit('subscribe', { channel: 'x'.repeat(100_000) });
      await waitFor(() => !loud.socket.connected);
      expect(tab.socket.connected).toBe(true);
    });

    it('stops a socket at 200 subscriptions', async () => {
      const greedy = await open(ada);
      const ids = [at.table.id];
      for (let i = 1; i < 200; i++) {
        const made = await ada.post<{ id: string }>(`/bases/${at.base.id}/tables`, { name: `T${i}`, columns: [] });
        ids.push(expectStatus(made, 201).id);
      }
      const follow = (id: string) => greedy.ask<Joined>('subscribe', { channel: `table:${id}` });
      const answers = await Promise.all(ids.map(follow));
      expect(answers.filter(({ ok }) => ok)).toHaveLength(200);
      const other = expectStatus(
        await ada.post<{ id: string }>(`/workspaces/${at.workspace.id}/bases`, { name: 'Second' }),
        201,
      );
      const oneMore = expectStatus(
        await ada.post<{ id: string }>(`/bases/${other.id}/tables`, { name: 'T', columns: [] }),
        201,
      );
      expect((await follow(oneMore.id)).error).toMatchObject({ status: 422, code: 'limit_reached' });
      expect(await follow(at.table.id)).toMatchObject({ ok: true });
    });

    it('stops a workspace at what its sockets may follow together, and no other workspace', async () => {
      const { base } = await startApp({ env: { LIVE_MAX_PER_WORKSPACE: '3' } });
      const [full, other] = [await world(base), await world(base)];
      const channels = [`table:${full.table.id}`, `workspace:${full.workspace.id}`];
      const tabs = await Promise.all([0, 1].map(() => socket(base, full.owner.accessToken)));
      const [first, second] = tabs as [TestSocket, TestSocket];
      const follow = (tab: TestSocket, channel: string) => tab.ask<Joined>('subscribe', { channel });
      for (const channel of channels) expect(await follow(first, channel)).toMatchObject({ ok: true });
      const [table = '', workspace = ''] = channels;
      expect(await follow(second, table)).toMatchObject({ ok: true });
      const refused = { ok: false, error: { status: 422, code: 'limit_reached' } };
      expect(await follow(second, workspace)).toMatchObject(refused);
      // To begin again is to follow no more than before.
      expect(await follow(second, table)).toMatchObject({ ok: true });
      const elsewhere = await socket(base, other.owner.accessToken);
      expect(await follow(elsewhere, `table:${other.table.id}`)).toMatchObject({ ok: true });
      await first.ask('unsubscribe', { channel: table });
      expect(await follow(second, workspace)).toMatchObject({ ok: true });
      expect(await follow(first, table)).toMatchObject(refused);
      second.close();
      await waitFor(async () => (await follow(first, table)).ok);
    });
  });
});

describe('browsers', () => {
  it('refuses a handshake from an origin that is not allowed, on both transports', async () => {
    const { base } = await startApp({ env: { CORS_ORIGIN: 'https://app.example.org' } });
    const ada = await signup(base);
    const connect = (origin: string, transport: 'websocket' | 'polling'): Promise<Socket> =>
      socket(base, ada.accessToken, { transports: [transport], extraHeaders: { origin } }).then(
        ({ socket: raw }) => raw,
      );
    for (const transport of ['websocket', 'polling'] as const) {
      expect((await connect('https://app.example.org', transport)).connected).toBe(true);
      await expect(connect('https://evil.example.org', transport)).rejects.toThrow();
    }
  });

  it('lets in a page of the server itself, and of the name that a proxy in front of it was called by', async () => {
    const { base } = await startApp({ env: { CORS_ORIGIN: 'https://app.example.org' } });
    const behind = await startApp({ env: { CORS_ORIGIN: '', TRUST_PROXY: '1', NODE_ENV: 'test' } });
    const own = { origin: base };
    const forwarded = { origin: 'https://tables.example.org', 'x-forwarded-host': 'tables.example.org' };
    const connect = async (to: string, transport: 'websocket' | 'polling', extraHeaders: Record<string, string>) => {
      const { accessToken } = await signup(to);
      return (await socket(to, accessToken, { transports: [transport], extraHeaders })).socket.connected;
    };
    for (const transport of ['websocket', 'polling'] as const) {
      expect(await connect(base, transport, own)).toBe(true);
      expect(await connect(behind.base, transport, forwarded)).toBe(true);
      await expect(connect(base, transport, forwarded)).rejects.toThrow();
    }
  });
});

describe('an ending', () => {
  it('of the token ends the socket', async () => {
    const { base } = await startApp({ env: { JWT_ACCESS_TOKEN_EXPIRATION: '5s' } });
    const ada = await signup(base);
    const tab = await socket(base, ada.accessToken);
    await waitFor(() => !tab.socket.connected, 6_500);
    expect(tab.events.at(-1)).toMatchObject({
      name: 'control',
      payload: { type: 'revoked', error: { code: 'token_expired' } },
    });
  });

  it('of the server lets the client come back by itself', async () => {
    const server = await startApp();
    const ada = await signup(server.base);
    const tab = await socket(server.base, ada.accessToken, { reconnection: true, reconnectionDelay: 50 });
    const reason = new Promise((resolve) => tab.socket.once('disconnect', resolve));
    await server.close();
    expect(await reason).not.toBe('io server disconnect');
    expect(tab.socket.active).toBe(true);
  });
});
