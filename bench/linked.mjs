/** Companies with their people and deals, linked: what a page with lookups and a rollup is measured on. Ours and the floor read the same tables. */
import { ROLES } from '../dist/database/mini/roles.js';
import { call } from './http-client.mjs';

const COUNTS = { companies: 1_000, people: 10_000, deals: 30_000 };
/** What the page shows; the links themselves are left out, as in a list that a person looks at. */
export const LINKED_FIELDS = 'name,rank,people_names,deal_stages,revenue';

/** Makes the tables and the columns that are computed over links, through the API. */
export async function makeLinked(base, { token, baseId }) {
  const post = (path, body) => call(base, 'POST', `/api/v1${path}`, token, body);
  const table = (name, columns) => post(`/bases/${baseId}/tables`, { name, columns });
  const text = { name: 'Name', type: 'text' };
  const choices = ['Open', 'Won', 'Lost'].map((label) => ({ label }));
  const companies = await table('Companies', [text, { name: 'Rank', type: 'integer' }]);
  const people = await table('People', [text]);
  const deals = await table('Linked deals', [
    { name: 'Stage', type: 'single_select', options: { choices } },
    { name: 'Amount', type: 'decimal', options: { scale: 2 } },
  ]);
  const link = (from, inverseName) =>
    post(`/tables/${from.id}/columns`, {
      name: 'Company',
      type: 'link',
      options: { tableId: companies.id, multiple: false, inverseName },
    });
  await link(people, 'People');
  await link(deals, 'Deals');
  const { columns } = await call(base, 'GET', `/api/v1/tables/${companies.id}`, token);
  const idOf = (list, key) => list.find((column) => column.key === key).id;
  const add = (name, type, through, columnId, more) =>
    post(`/tables/${companies.id}/columns`, {
      name,
      type,
      options: { linkColumnId: idOf(columns, through), columnId, ...more },
    });
  await add('People names', 'lookup', 'people', idOf(people.columns, 'name'));
  await add('Deal stages', 'lookup', 'deals', idOf(deals.columns, 'stage'));
  await add('Revenue', 'rollup', 'deals', idOf(deals.columns, 'amount'), { fn: 'sum' });
  return { companies, people, deals, rows: `/api/v1/tables/${companies.id}/rows` };
}

/** Fills the tables and their links in an order that is not that of the companies; gives the names that the floor needs. */
export async function fillLinked(client, { companies, people, deals }) {
  const { schema } = companies.physical;
  const name = ({ physical }) => `"${schema}"."${physical.table}"`;
  const system = '_id, _version, _created_at, _updated_at';
  const values = 'uuidv7(), 1, now(), now()';
  await client.query(`set role ${ROLES.owner}`);
  await client.query(
    `insert into ${name(companies)} (${system}, name, rank) select ${values}, 'Company ' || n, n from generate_series(1, ${COUNTS.companies}) n`,
  );
  await client.query(
    `insert into ${name(people)} (${system}, name) select ${values}, 'Person ' || n from generate_series(1, ${COUNTS.people}) n`,
  );
  await client.query(
    `insert into ${name(deals)} (${system}, stage, amount)
     select ${values}, (array['open', 'won', 'lost'])[1 + n % 3], ((n * 31::bigint) % 1000000) / 100.0 from generate_series(1, ${COUNTS.deals}) n`,
  );
  const links = {};
  for (const [key, table] of Object.entries({ people, deals })) {
    const { rows } = await client.query(
      `select distinct conrelid::regclass::text as through from pg_constraint where contype = 'f' and confrelid = $1::regclass`,
      [name(table)],
    );
    links[key] = rows[0].through;
    await client.query(
      `insert into ${links[key]} (source_id, target_id, source_order, target_order)
       select s._id, c._id, 0, row_number() over (partition by c._id order by s._id) - 1
       from (select _id, row_number() over (order by _id) as n from ${name(table)}) s
       join ${name(companies)} c on c.rank = 1 + s.n * 7919 % ${COUNTS.companies}`,
    );
  }
  await client.query(`create index on ${name(companies)} (rank asc nulls first, _id)`);
  const tables = [companies, people, deals].map(name);
  for (const each of [...tables, ...Object.values(links)]) await client.query(`vacuum analyze ${each}`);
  await client.query('reset role');
  return {
    companies: tables[0],
    people: tables[1],
    deals: tables[2],
    peopleLink: links.people,
    dealsLink: links.deals,
  };
}
