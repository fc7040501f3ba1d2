/** People, tables, views, a database of somebody else, webhooks and a published view: all that the load works on, made through the client. */
import { LiveTables } from '../../client/dist/index.js';

const PASSWORD = 'a long sentence of the soak';
const ROWS = 2_000;
const LARGE_ROWS = 20_000;

const SELECT = { choices: [{ label: 'Open' }, { label: 'Won' }, { label: 'Lost' }] };
const DEALS = [
  { name: 'Name', type: 'text', required: true },
  { name: 'Qty', type: 'integer' },
  { name: 'Amount', type: 'decimal', options: { scale: 2 } },
  { name: 'Status', type: 'single_select', options: SELECT },
  { name: 'Notes', type: 'long_text' },
];
const PLAIN = [
  { name: 'Name', type: 'text', required: true },
  { name: 'Qty', type: 'integer' },
];

/** @returns what the load needs, as plain data */
export async function makeWorld({ bases, receiver, external, people = 4 }) {
  const at = (nr) => bases[nr % bases.length];
  const owner = new LiveTables({ baseUrl: at(0) });
  const accounts = Array.from({ length: people + 1 }, (_, nr) => ({
    email: `soak${nr}@example.com`,
    password: PASSWORD,
  }));
  await owner.session.register({ ...accounts[0], name: 'Owner' });
  const { call } = owner;
  const { id: workspaceId } = await call('POST /workspaces', { body: { name: 'Soak' } });
  for (const [nr, account] of accounts.slice(1).entries()) {
    await new LiveTables({ baseUrl: at(nr) }).session.register({ ...account, name: `Person ${nr}` });
    await call('POST /workspaces/{workspaceId}/members', {
      path: { workspaceId },
      body: { email: account.email, role: 'admin' },
    });
  }
  const base = await call('POST /workspaces/{workspaceId}/bases', { path: { workspaceId }, body: { name: 'Soak' } });
  const table = (name, columns) =>
    call('POST /bases/{baseId}/tables', { path: { baseId: base.id }, body: { name, columns } });
  const companies = await table('Companies', PLAIN);
  const deals = await table('Deals', [
    ...DEALS,
    { name: 'Company', type: 'link', options: { tableId: companies.id, inverseName: 'Deals' } },
  ]);
  const imported = await table('Imported', PLAIN);
  const large = await table('Large', PLAIN);
  await fill(owner, companies.id, 100, (nr) => ({ name: `Company ${nr}`, qty: nr }));
  const ids = await fill(owner, deals.id, ROWS, (nr) => dealOf(nr));
  await fill(owner, large.id, LARGE_ROWS, (nr) => ({ name: `A row to be exported ${nr}`, qty: nr }));
  const connection = await call('POST /workspaces/{workspaceId}/connections', {
    path: { workspaceId },
    body: { name: 'Shop', engine: 'postgresql', host: '127.0.0.1', tls: { mode: 'disable' }, ...external.access },
  });
  const views = await makeViews(call, workspaceId, {
    deals,
    companies,
    connection: connection.id,
    object: external.object,
  });
  const published = await call('POST /views/{viewId}/api', {
    path: { viewId: views.rows },
    body: { auth: 'public', filterable: ['qty'], sortable: ['qty'], rateLimit: { limit: 1_000_000, windowSeconds: 1 } },
  });
  for (const name of receiver.names)
    await call('POST /workspaces/{workspaceId}/webhooks', {
      path: { workspaceId },
      body: { name, url: `${receiver.base}/${name}`, tables: [deals.id] },
    });
  owner.close();
  return {
    bases,
    accounts,
    workspaceId,
    baseId: base.id,
    deals: deals.id,
    companies: companies.id,
    imported: imported.id,
    large: large.id,
    ids,
    connection: connection.id,
    object: external.object,
    views,
    slug: published.slug,
    hookUrl: `${receiver.base}/passing`,
  };
}

export const dealOf = (nr) => ({
  name: `Customer ${nr}`,
  qty: (nr * 7_919) % 1_000,
  amount: `${(nr * 31) % 10_000}.25`,
  status: ['open', 'won', 'lost'][nr % 3],
  notes: 'They asked for an offer with delivery in spring.',
});

async function fill(client, tableId, count, fieldsOf) {
  const ids = [];
  for (let from = 0; from < count; from += 1_000) {
    const ops = Array.from({ length: Math.min(1_000, count - from) }, (_, nr) => ({
      op: 'create',
      fields: fieldsOf(from + nr),
    }));
    const { results } = await client.table(tableId).bulk(ops);
    ids.push(...results.map(({ row }) => row.id));
  }
  return ids;
}

/** Views of each tier: rows of one table, tables joined, groups, rows of another database looked up, and two databases joined. */
async function makeViews(call, workspaceId, { deals, companies, connection, object }) {
  const make = async (name, definition) => {
    const { id } = await call('POST /workspaces/{workspaceId}/views', {
      path: { workspaceId },
      body: { name, definition },
    });
    return id;
  };
  const source = { table: deals.id };
  const shop = { connection, object };
  return {
    rows: await make('Rows', { source, columns: ['name', 'qty', 'amount', 'status'], sort: [{ field: 'qty' }] }),
    joined: await make('Joined', {
      source,
      as: 'd',
      joins: [{ type: 'left', as: 'c', source: { table: companies.id }, on: [{ left: 'd.qty', right: 'c.qty' }] }],
      columns: ['d.name', 'd.qty', { field: 'c.name', as: 'company' }],
    }),
    grouped: await make('Grouped', {
      source,
      groupBy: [{ field: 'status' }],
      aggregates: [
        { as: 'n', fn: 'count' },
        { as: 'total', fn: 'sum', field: 'amount' },
      ],
    }),
    lookup: await make('Lookup', {
      source,
      as: 'd',
      joins: [{ type: 'left', as: 'o', source: shop, on: [{ left: 'd.qty', right: 'o.id' }] }],
      columns: ['d.name', 'd.qty', { field: 'o.name', as: 'customer' }],
    }),
    engine: await make('Engine', {
      source,
      as: 'd',
      joins: [{ type: 'inner', as: 'o', source: shop, on: [{ left: 'd.qty', right: 'o.id' }] }],
      sort: [{ field: 'o.name', dir: 'desc' }],
      columns: ['d.name', 'd.qty', { field: 'o.name', as: 'customer' }],
    }),
  };
}
