/** The table that everything is measured on: made through the API, filled by SQL, and its twin for the floor. */
import { ROLES } from '../dist/database/mini/roles.js';
import { call } from './http-client.mjs';

export const COLUMNS = [
  { name: 'Name', type: 'text', required: true },
  { name: 'Qty', type: 'integer' },
  { name: 'Amount', type: 'decimal', options: { scale: 2 } },
  {
    name: 'Status',
    type: 'single_select',
    options: { choices: [{ label: 'Open' }, { label: 'Won' }, { label: 'Lost' }] },
  },
  { name: 'Active', type: 'boolean' },
  { name: 'Due', type: 'date' },
  { name: 'Seen', type: 'datetime' },
  { name: 'Notes', type: 'long_text' },
];

export const FLOOR_SCHEMA = 'bench_floor';

/** Signs up, makes workspace, base and table. */
export async function makeTable(base) {
  const post = (path, body, token) => call(base, 'POST', `/api/v1${path}`, token, body);
  const person = { email: 'bench@example.com', password: 'a long sentence of the benchmark', name: 'Bench' };
  const { accessToken: token, user } = await post('/auth/register', person);
  const workspace = await post('/workspaces', { name: 'Bench' }, token);
  const { id: baseId } = await post(`/workspaces/${workspace.id}/bases`, { name: 'Bench' }, token);
  const table = await post(`/bases/${baseId}/tables`, { name: 'Deals', columns: COLUMNS }, token);
  return { token, userId: user.id, workspaceId: workspace.id, baseId, table, rows: `/api/v1/tables/${table.id}/rows` };
}

/** Fills the physical table as an operator would, with an index for the sort; then copies it for the floor. */
export async function fill(client, { table, userId }, count) {
  const { schema, table: name } = table.physical;
  const own = `"${schema}"."${name}"`;
  const twin = `${FLOOR_SCHEMA}.deals`;
  await client.query(`set role ${ROLES.owner}`);
  await client.query(
    `insert into ${own} (_id, _version, _created_at, _created_by, _updated_at, _updated_by, name, qty, amount, status, active, due, seen, notes)
     select uuidv7(make_interval(secs => (n - $1::int) / 1000.0)), 1, t.at, $2, t.at, $2, 'Customer ' || n, (n * 7919::bigint) % 100000, ((n * 31::bigint) % 1000000) / 100.0,
       (array['open', 'won', 'lost'])[1 + n % 3], n % 2 = 0, date '2026-01-01' + n % 365, t.at, 'They asked for an offer with delivery in spring, number ' || n
     from generate_series(1, $1::int) n, lateral (select timestamptz '2026-01-01' + n * interval '1 second' as at) t`,
    [count, userId],
  );
  await client.query(`create index on ${own} (qty asc nulls first, _id)`);
  await client.query(`vacuum analyze ${own}`);
  await client.query('reset role');
  await client.query(`create schema ${FLOOR_SCHEMA}`);
  await client.query(`create table ${twin} (like ${own} including all)`);
  await client.query(`insert into ${twin} select * from ${own}`);
  await client.query(`vacuum analyze ${twin}`);
  const ids = await client.query(`select _id from ${own} where qty between 500 and 1500 order by qty limit 10000`);
  return ids.rows.map(({ _id }) => _id);
}

/** The cursor of a page so deep that `skip` rows lie before it, reached as a client would: by following cursors. */
export async function cursorBehind({ base, rows, token }, skip) {
  let cursor;
  for (let left = skip; left > 0;) {
    const limit = Math.min(1000, left);
    const url = `${rows}?sort=-qty&fields=qty&limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`;
    ({
      page: { nextCursor: cursor },
    } = await call(base, 'GET', url, token));
    if (!cursor) throw new Error('the list ended before the page was reached');
    left -= limit;
  }
  return cursor;
}
