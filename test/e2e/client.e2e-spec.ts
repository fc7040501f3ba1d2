import { beforeAll, describe, expect, it } from '@jest/globals';
import { ApiError, SignedOutError, type LiveChange, type LiveTables } from '../../client/src/index.js';
import { startApp, waitFor, world, type TestApp, type World } from '../harness/index.js';
import { liveClient } from '../support/live-client.js';

type Deal = { name: string; amount: string | null; qty: number | null; notes: string | null };

let app: TestApp;
let at: World;
let ada: LiveTables;
beforeAll(async () => {
  app = await startApp();
  at = await world(app.base);
  ada = await liveClient(at.owner, app.base, { clientId: 'ada' });
});

const deals = (client = ada) => client.table<Deal>(at.table.id);
const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as ApiError | undefined,
  );

describe('rows through the client', () => {
  it('are made, read, changed, deleted, restored, page by page', async () => {
    const made = await deals().create({ name: 'Acme', qty: 3 });
    expect(made).toMatchObject({ version: 1, fields: { name: 'Acme', qty: 3, amount: null } });
    expect(await deals().update(made.id, { qty: { $inc: 2 } })).toMatchObject({ version: 2, fields: { qty: 5 } });
    expect(await deals().get(made.id)).toMatchObject({ version: 2 });
    await deals().delete(made.id, { ifMatch: 2 });
    expect(await refusalOf(deals().get(made.id))).toMatchObject({ status: 404, code: 'not_found' });
    expect(await deals().restore(made.id)).toMatchObject({ version: 4, fields: { name: 'Acme' } });
    const ops = Array.from({ length: 7 }, (_, n) => ({ op: 'create', fields: { name: `n${n}`, qty: n } }) as const);
    expect(await deals().bulk(ops)).toMatchObject({ summary: { ok: 7 } });
    const names = [];
    const filter = { field: 'qty', op: 'gte', value: 2 };
    const sort = [{ field: 'qty', dir: 'desc' }, { field: 'name' }] as const;
    for await (const { fields } of deals().list({ filter, sort, fields: ['name'], pageSize: 2 })) names.push(fields);
    expect(names).toEqual(['n6', 'Acme', 'n5', 'n4', 'n3', 'n2'].map((name) => ({ name })));
  });

  it('take back and do again what this client did, and nobody else', async () => {
    const other = await liveClient(at.owner, app.base, { clientId: 'other' });
    const { id } = await deals().create({ name: 'undone' });
    await deals().update(id, { notes: 'mine' });
    await deals(other).update(id, { name: 'theirs' });
    await deals().undo();
    expect((await deals().get(id)).fields).toMatchObject({ name: 'theirs', notes: null });
    await deals().redo();
    expect((await deals().get(id)).fields).toMatchObject({ name: 'theirs', notes: 'mine' });
  });

  it('are refused with the code and the place of what is wrong', async () => {
    const refusal = await refusalOf(deals().create({ name: 'x', qty: 'many' as unknown as number }));
    expect(refusal).toBeInstanceOf(ApiError);
    expect(refusal).toMatchObject({ status: 422, code: 'validation_failed', pointer: '/fields/qty' });
    expect(
      await refusalOf(
        deals()
          .list({ filter: { field: 'nope', op: 'eq', value: 1 } })
          .next(),
      ),
    ).toMatchObject({
      status: 422,
      pointer: '/filter/field',
    });
  });
});

describe('two editors of one row', () => {
  it('change two cells with merge, and lose nothing', async () => {
    const { id, version } = await deals().create({ name: 'both', qty: 1 });
    await deals().update(id, { qty: 2 }, { baseVersion: version, onConflict: 'merge' });
    const merged = await deals().update(id, { notes: 'n' }, { baseVersion: version, onConflict: 'merge' });
    expect(merged.fields).toMatchObject({ qty: 2, notes: 'n' });
  });

  it('change one cell with merge: the second learns which, and what is there now', async () => {
    const { id, version } = await deals().create({ name: 'one', qty: 1 });
    await deals().update(id, { qty: 2 }, { baseVersion: version, onConflict: 'merge' });
    const refusal = await refusalOf(deals().update(id, { qty: 3 }, { baseVersion: version, onConflict: 'merge' }));
    expect(refusal).toMatchObject({ status: 409, code: 'merge_conflict', pointer: '/fields/qty' });
    expect(refusal?.current).toMatchObject({ version: 2, fields: { qty: 2 } });
  });

  it('with If-Match: the second learns what is there now', async () => {
    const { id, version } = await deals().create({ name: 'match', qty: 1 });
    await deals().update(id, { qty: 2 }, { ifMatch: version });
    const refusal = await refusalOf(deals().update(id, { notes: 'n' }, { ifMatch: version }));
    expect(refusal).toMatchObject({ status: 412 });
    expect(refusal?.current).toMatchObject({ version: 2, fields: { qty: 2, notes: null } });
  });

  it('with neither: the last one wins, and the first learns it live', async () => {
    const { id } = await deals().create({ name: 'neither', qty: 1 });
    const copy = ada.liveTable<Deal>(at.table.id);
    await copy.until();
    const seen: LiveChange[] = [];
    copy.on('change', (change) => seen.push(change));
    const bob = await liveClient(at.owner, app.base, { clientId: 'bob' });
    await deals().update(id, { qty: 2 });
    await deals(bob).update(id, { qty: 3 });
    await waitFor(() => copy.rows.get(id)?.version === 3);
    expect(copy.rows.get(id)?.fields.qty).toBe(3);
    expect(seen).toMatchObject([
      { kind: 'rows', updated: [id], actor: { clientId: 'ada' } },
      { kind: 'rows', updated: [id], actor: { clientId: 'bob' } },
    ]);
    copy.dispose();
  });
});

describe('the session of a client', () => {
  /** Renewals that were asked for. */
  function counting() {
    let renewals = 0;
    const fetch = (url: string, init: RequestInit) => {
      if (url.endsWith('/auth/refresh')) renewals++;
      return globalThis.fetch(url, init);
    };
    return { fetch, count: () => renewals };
  }

  it('is renewed once for all who wait, and what was kept goes on elsewhere', async () => {
    const { fetch, count } = counting();
    const client = await liveClient(at.owner, app.base, { fetch });
    const kept = client.session.current;
    if (!kept) throw new Error('not signed in');
    client.session.resume({ ...kept, expiresAt: Date.now() - 1 });
    await Promise.all(Array.from({ length: 20 }, () => client.call('GET /auth/me', {})));
    expect(count()).toBe(1);
    expect(client.session.current).not.toMatchObject({ refreshToken: kept.refreshToken });
  });

  it('is renewed when the server refuses the token', async () => {
    const { fetch, count } = counting();
    const client = await liveClient(at.owner, app.base, { fetch });
    const kept = client.session.current;
    if (!kept) throw new Error('not signed in');
    client.session.resume({ ...kept, accessToken: `${kept.accessToken}x` });
    expect(await client.call('GET /auth/me', {})).toMatchObject({ id: at.owner.user.id });
    expect(count()).toBe(1);
  });

  it('ends with sign-out, here and on the server, and ends what is live', async () => {
    const client = await liveClient(at.owner, app.base);
    const copy = client.liveTable(at.table.id);
    await copy.until();
    const refreshToken = client.session.current?.refreshToken;
    const ended = new Promise((resolve) => copy.on('ended', resolve));
    await client.session.logout();
    expect(await ended).toBeInstanceOf(SignedOutError);
    await expect(client.call('GET /auth/me', {})).rejects.toBeInstanceOf(SignedOutError);
    const again = await fetch(`${app.base}/api/v1/auth/refresh`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refreshToken }),
    });
    expect(again.status).toBe(401);
  });
});
