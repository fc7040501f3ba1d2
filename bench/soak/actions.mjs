/** What the load does, each with how often in a hundred and which refusals are right answers to it. Everything else that comes is a flaw. */
import { LiveTables } from '../../client/dist/index.js';
import { connect, LEAVE, pause } from './sockets.mjs';
import { dealOf } from './world.mjs';

const CONFLICTS = ['schema_busy', 'schema_changed', 'table_locked'];

/** @param at `{world, random, owner, person(), base(), token()}`: who acts and where */
export const ACTIONS = {
  page: [20, async ({ world, random, person }) => {
    await person().table(world.deals).page({
      filter: { and: [{ field: 'qty', op: 'lte', value: random.int(1, 999) }, { field: 'status', op: 'in', value: ['open', 'won'] }] },
      sort: [{ field: 'qty', dir: 'desc' }],
      pageSize: 100,
    });
  }],
  'one row': [6, async ({ world, random, person }) => {
    await person().table(world.deals).get(random.pick(world.ids));
  }],
  update: [16, async ({ world, random, person }) => {
    await person().table(world.deals).update(random.pick(world.ids), { qty: random.int(0, 999), notes: `Note ${random.int(1, 1e6)}` });
  }],
  'update under a version': [3, async ({ world, random, person }) => {
    const table = person().table(world.deals);
    const { id, version } = await table.get(random.pick(world.ids));
    await table.update(id, { qty: { $inc: 1 } }, { ifMatch: version, idempotencyKey: crypto.randomUUID() });
  }, ['version_mismatch']],
  'link': [2, async ({ world, random, person }) => {
    const [company] = (await person().table(world.companies).page({ pageSize: 1, filter: { field: 'qty', op: 'eq', value: random.int(0, 99) } })).data;
    await person().table(world.deals).update(random.pick(world.ids), { company: [company.id] });
  }],
  'create and delete': [6, async ({ world, random, person }) => {
    const table = person().table(world.deals);
    const { id } = await table.create(dealOf(random.int(1, 1e6)));
    if (random.next() < 0.2) await Promise.all([table.update(id, { qty: 1 }), table.update(id, { status: 'lost' })]);
    await table.delete(id);
  }],
  bulk: [2, async ({ world, random, person }) => {
    const from = random.int(0, world.ids.length - 51);
    const ops = world.ids.slice(from, from + 50).map((id) => ({ op: 'update', id, fields: { amount: `${random.int(1, 9_999)}.50` } }));
    await person().table(world.deals).bulk(ops, { mode: random.pick(['atomic', 'partial']) });
  }],
  'groups, search, history, changes': [4, async ({ world, random, person }) => {
    const { call } = person();
    const path = { tableId: world.deals };
    await call('POST /tables/{tableId}/rows/query', { path, body: { groupBy: [{ field: 'status' }], aggregates: [{ as: 'n', fn: 'count' }] } });
    await person().table(world.deals).page({ search: `Customer ${random.int(1, 999)}`, pageSize: 10 });
    await call('GET /tables/{tableId}/history', { path, query: { limit: 10 } });
    await call('GET /tables/{tableId}/changes', { path, query: { after: 1, limit: 10 } });
    await call('GET /workspaces/{workspaceId}/audit-logs', { path: { workspaceId: world.workspaceId }, query: { limit: 10 } });
  }],
  import: [1, async ({ world, random, fetched }) => {
    const lines = Array.from({ length: 200 }, () => `Thing ${random.int(1, 1_000)},${random.int(1, 1e6)}`);
    const unique = [...new Map(lines.map((line) => [line.split(',')[0], line])).values()];
    const prefer = random.next() < 0.5 ? { prefer: 'respond-async' } : {};
    await fetched('POST', `/api/v1/tables/${world.imported}/import?mode=upsert&matchOn=name`, {
      headers: { 'content-type': 'text/csv', ...prefer }, body: ['name,qty', ...unique].join('\n'),
    });
  }],
  'import broken off': [0.5, async ({ world, fetched }) => {
    const control = new AbortController();
    const body = new ReadableStream({
      async pull(controller) {
        controller.enqueue(new TextEncoder().encode('Broken,1\n'.repeat(1_000)));
        await pause(20);
      },
      start: (controller) => controller.enqueue(new TextEncoder().encode('name,qty\n')),
    });
    setTimeout(() => control.abort(), 150);
    await fetched('POST', `/api/v1/tables/${world.imported}/import`, {
      headers: { 'content-type': 'text/csv' }, body, duplex: 'half', signal: control.signal,
    });
  }],
  'export broken off': [1, async ({ world, base, token }) => {
    const control = new AbortController();
    const answer = await fetch(`${base()}/api/v1/tables/${world.large}/export?format=csv`, {
      headers: { authorization: `Bearer ${await token()}` }, signal: control.signal,
    });
    await answer.body.getReader().read();
    control.abort();
    if (answer.status !== 200) throw new Error(`an export was answered with ${answer.status}`);
  }],
  export: [0.2, async ({ world, fetched }) => {
    await fetched('GET', `/api/v1/tables/${world.large}/export?format=ndjson&filter=qty.lte.5000`);
  }],
  structure: [0.5, async ({ world, random, owner }) => {
    const { call } = owner;
    const name = `Passing ${random.int(1, 1e9)}`;
    const columns = [{ name: 'Name', type: 'text' }, { name: 'Number', type: 'text' }];
    const { id: tableId } = await call('POST /bases/{baseId}/tables', { path: { baseId: world.baseId }, body: { name, columns } });
    await owner.table(tableId).bulk(Array.from({ length: 20 }, (_, nr) => ({ op: 'create', fields: { name: `Row ${nr}`, number: String(nr) } })));
    const column = await call('POST /tables/{tableId}/columns', { path: { tableId }, body: { name: 'More', type: 'integer', default: 1 } });
    const { columns: now } = await owner.table(tableId).describe();
    const path = { tableId, columnId: now.find(({ key }) => key === 'number').id };
    const body = { to: { type: 'integer' }, onError: 'abort' };
    const { confirmToken } = await call('POST /tables/{tableId}/columns/{columnId}/convert', { path, body: { ...body, dryRun: true } });
    await call('POST /tables/{tableId}/columns/{columnId}/convert', { path, body: { ...body, confirmToken } });
    await call('DELETE /tables/{tableId}/columns/{columnId}', { path: { tableId, columnId: column.id } });
    await call('DELETE /tables/{tableId}', { path: { tableId } });
  }, CONFLICTS],
  'a followed table is renamed': [0.1, async ({ world, random, owner }) => {
    await owner.call('PATCH /tables/{tableId}', { path: { tableId: world.deals }, body: { name: `Deals ${random.int(1, 1e6)}` } });
  }, CONFLICTS],
  view: [6, async ({ world, random, person }) => {
    const viewId = world.views[random.pick(['rows', 'joined', 'grouped'])];
    await person().call('GET /views/{viewId}/data', { path: { viewId }, query: { limit: 50 } });
  }],
  'view with a lookup in another database': [2, async ({ world, person }) => {
    await person().call('GET /views/{viewId}/data', { path: { viewId: world.views.lookup }, query: { limit: 50 } });
  }],
  'view joined in the join engine': [0.3, async ({ world, person }) => {
    await person().call('GET /views/{viewId}/data', { path: { viewId: world.views.engine }, query: { limit: 50 } });
  }],
  'another database': [3, async ({ world, random, person }) => {
    await person().call('POST /connections/{connectionId}/query', {
      path: { connectionId: world.connection },
      body: { from: world.object, filter: { field: 'id', op: 'lte', value: random.int(1, 1_000) }, page: { limit: 50 } },
    });
  }],
  'a passing view, published': [0.3, async ({ world, random, owner, base }) => {
    const { call } = owner;
    const body = { name: `Passing ${random.int(1, 1e9)}`, definition: { source: { table: world.deals }, columns: ['name', 'qty'] } };
    const { id: viewId } = await call('POST /workspaces/{workspaceId}/views', { path: { workspaceId: world.workspaceId }, body });
    const { slug } = await call('POST /views/{viewId}/api', { path: { viewId }, body: { auth: 'key' } });
    const { key } = await call('POST /views/{viewId}/api/keys', { path: { viewId }, body: { name: 'Key' } });
    const answer = await fetch(`${base()}/public/views/${slug}/data`, { headers: { 'x-api-key': key } });
    await answer.text();
    await call('DELETE /views/{viewId}/api', { path: { viewId } });
    await call('DELETE /views/{viewId}', { path: { viewId } });
    if (answer.status !== 200) throw new Error(`a published view was answered with ${answer.status}`);
  }],
  'published view': [14, async ({ world, random, base, etags }) => {
    const url = `${base()}/public/views/${world.slug}/data?filter=qty.lte.${random.int(1, 20) * 50}&limit=50`;
    const headers = etags.has(url) ? { 'if-none-match': etags.get(url) } : {};
    const answer = await fetch(url, { headers });
    await answer.text();
    if (![200, 304].includes(answer.status)) throw new Error(`a published view was answered with ${answer.status}`);
    etags.set(url, answer.headers.get('etag'));
  }],
  'stream of a published view': [1, async ({ world, random, base }) => {
    const control = new AbortController();
    const answer = await fetch(`${base()}/public/views/${world.slug}/stream?limit=20`, { signal: control.signal });
    if (answer.status !== 200) throw new Error(`a stream was answered with ${answer.status}`);
    setTimeout(() => control.abort(), random.int(200, 6_000));
    try {
      for await (const chunk of answer.body) if (random.next() < 0.05 && chunk) break;
    } catch (error) {
      if (!control.signal.aborted) throw error;
    }
    control.abort();
  }],
  'sign in and out': [1, async ({ world, random, base }) => {
    const client = new LiveTables({ baseUrl: base() });
    await client.session.login(random.pick(world.accounts));
    await client.session.renew();
    await client.call('GET /auth/me', {});
    if (random.next() < 0.8) await client.session.logout();
  }],
  'wrong password': [0.3, async ({ world, random, base }) => {
    const { email } = random.pick(world.accounts);
    await new LiveTables({ baseUrl: base() }).session.login({ email, password: 'not the sentence of the soak' });
  }, ['invalid_credentials', 'rate_limited']],
  'a passing webhook': [0.3, async ({ world, owner }) => {
    const path = { workspaceId: world.workspaceId };
    const { id: webhookId } = await owner.call('POST /workspaces/{workspaceId}/webhooks', {
      path, body: { name: 'Passing', url: world.hookUrl, tables: [world.deals, world.imported] },
    });
    await owner.call('POST /workspaces/{workspaceId}/webhooks/{webhookId}/test', { path: { ...path, webhookId } });
    await pause(1_000);
    await owner.call('DELETE /workspaces/{workspaceId}/webhooks/{webhookId}', { path: { ...path, webhookId } });
  }, ['limit_reached']],
  'a passing live table': [1, async ({ world, random, base, sessions }) => {
    const client = new LiveTables({ baseUrl: base() });
    client.session.resume(random.pick(sessions).session.current);
    const live = client.liveTable(world.deals, { most: 100 });
    await live.until();
    await live.presence.set({ mode: 'viewing' });
    await pause(random.int(0, 2_000));
    client.close();
  }],
  'a passing socket': [4, async ({ world, random, base, token }) => {
    const polling = random.next() < 0.3;
    const socket = await connect(base(), await token(), polling ? ['polling'] : ['websocket']);
    const channels = [`table:${world.deals}`, `table:${world.companies}`, `view:${world.views.rows}`, `view:${world.views.grouped}`, `workspace:${world.workspaceId}`, `object:${world.connection}:${world.object}`];
    for (const channel of channels.filter(() => random.next() < 0.5)) {
      await socket.timeout(60_000).emitWithAck('subscribe', { channel });
      await socket.timeout(60_000).emitWithAck('presence', { channel, state: { mode: 'viewing' } });
      if (random.next() < 0.3) await socket.timeout(60_000).emitWithAck('unsubscribe', { channel });
    }
    await pause(random.int(0, 3_000));
    // Long polling that just stops: no request comes any more.
    if (polling && random.next() < 0.7) socket.io.engine.transport.close = () => undefined;
    if (polling || !socket.connected) socket.close();
    else LEAVE[random.pick(['said', 'cut', 'silent'])](socket, random);
  }],
  'a socket without a token': [0.5, async ({ base }) => {
    const refused = await connect(base(), 'no token').then((socket) => socket.close(), (error) => error);
    if (!refused) throw new Error('a socket was let in without a token');
  }],
}; // prettier-ignore
