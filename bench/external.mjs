/** A table as somebody has it in a database of their own: asked through a connection by us, by hand by the floor. */
import { call } from './http-client.mjs';

const SCHEMA = 'bench_shop';
export const FROM = `${SCHEMA}.orders`;
export const EXTERNAL_FIELDS = 'id, name, qty, amount, status, active, due, seen, notes';

/** Half as large as the table of the other works is enough: an index finds the page in either. */
export async function fillExternal(client, count) {
  await client.query(`create schema ${SCHEMA}`);
  await client.query(
    `create table ${FROM} (id integer primary key, name text not null, qty integer not null, amount numeric(12, 2), status text, active boolean,
       due date, seen timestamptz, notes text)`,
  );
  await client.query(
    `insert into ${FROM} select n, 'Customer ' || n, (n * 7919::bigint) % 100000, ((n * 31::bigint) % 1000000) / 100.0,
       (array['open', 'won', 'lost'])[1 + n % 3], n % 2 = 0, date '2026-01-01' + n % 365, timestamptz '2026-01-01' + n * interval '1 second',
       'They asked for an offer with delivery in spring, number ' || n
     from generate_series(1, $1::int) n`,
    [Math.ceil(count / 2)],
  );
  await client.query(`create index on ${FROM} (qty, id)`);
  await client.query(`vacuum analyze ${FROM}`);
}

/** A connection, whose schema has been looked at: its id. */
export async function connectExternal(name, { base, token, workspaceId }, { host, port, user, password, database }) {
  const body = {
    name,
    engine: 'postgresql',
    host,
    port,
    database,
    username: user,
    password,
    tls: { mode: 'disable' },
  };
  const { id } = await call(base, 'POST', `/api/v1/workspaces/${workspaceId}/connections`, token, body);
  await call(base, 'GET', `/api/v1/connections/${id}/schema`, token);
  return id;
}

export const externalQuestion = (qty) => ({
  from: FROM,
  filter: {
    and: [
      { field: 'qty', op: 'lte', value: qty },
      { field: 'status', op: 'in', value: ['open', 'won'] },
    ],
  },
  sort: [{ field: 'qty', dir: 'desc' }],
  page: { limit: 100 },
});

/** What an expert writes: JSON made by PostgreSQL, in the shape of the answer. */
export const EXTERNAL_PAGE = `select string_agg(j, ',') from (select concat('{"fields":{"id":', id, ',"name":', to_json(name), ',"qty":', qty,
  ',"amount":', coalesce('"' || amount || '"', 'null'), ',"status":', coalesce(to_json(status)::text, 'null'), ',"active":', coalesce(active::text, 'null'),
  ',"due":', coalesce('"' || due || '"', 'null'), ',"seen":', coalesce(to_char(seen, '"\\""YYYY-MM-DD"T"HH24:MI:SS.MS"Z\\""'), 'null'),
  ',"notes":', coalesce(to_json(notes)::text, 'null'), '}}') as j
  from (select * from ${FROM} where qty <= $1 and status = any ($2) order by qty desc, id desc limit 100) t) p`;
