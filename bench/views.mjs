/** Views: the statements of those that one database answers against statements by hand, and the ways that put rows of several databases together. */
import { rssOf } from './children.mjs';
import { FROM as ORDERS } from './external.mjs';
import { call } from './http-client.mjs';
import { median } from './measure.mjs';
import { statementOf, timeStatements } from './statements.mjs';

/** Rows on each side of what the join engine joins; external tables of a run have at least as many at the usual size. */
const JOINED_ROWS = 200_000;
/** Rows have numbers up to 100,000, and formulas are computed of those below this. */
const COMPUTED_BELOW = 20_000;
/** What the statement of a view names the first of its places, and no other statement anything. */
const MARK = '"p0"';

/** Formulas as people write them, and as somebody who knows the table writes them in SQL. */
const FORMULAS = [
  ['{d.amount} / {d.qty}', 'amount / nullif(qty, 0)'],
  ['{d.amount} * {d.qty}', 'amount * qty'],
  ['{d.amount} + {d.qty}', 'amount + qty'],
  ['IF({d.qty} > 5000, {d.amount}, 0)', 'case when qty > 5000 then amount else 0 end'],
  ['{d.name} & "-" & {d.qty}', "name || '-' || qty"],
  ['YEAR({d.due})', 'extract(year from due)::int'],
];

const byQty = (qty) => ({
  filter: {
    and: [
      { field: 'qty', op: 'lte', value: qty },
      { field: 'status', op: 'in', value: ['open', 'won'] },
    ],
  },
  page: { limit: 100 },
});

/** What the requests of both sides ask for. */
export const viewQuestions = { joined: byQty, lookup: byQty };

/** Stores the views. @returns the paths of their data */
export async function makeViews({ base, token, workspaceId, connections }, table, companies) {
  const make = async (name, definition) => {
    const view = await call(base, 'POST', `/api/v1/workspaces/${workspaceId}/views`, token, { name, definition });
    return `/api/v1/views/${view.id}/data`;
  };
  const deals = { source: { table: table.id }, as: 'd' };
  const sort = [{ field: 'd.qty', dir: 'desc' }];
  const [shop, stock] = connections.map((connection) => ({ connection, object: ORDERS }));
  const upTo = ['o', 's'].map((as) => ({ field: `${as}.id`, op: 'lte', value: JOINED_ROWS }));
  const formulas = [];
  for (const [i, [formula]] of FORMULAS.entries())
    formulas.push(
      await make(`Formula ${i}`, {
        ...deals,
        computed: [{ key: 'f', formula }],
        filter: { field: 'd.qty', op: 'lt', value: COMPUTED_BELOW },
        aggregates: [{ as: 'n', fn: 'count', field: 'f' }],
      }),
    );
  return {
    formulas,
    joined: await make('Joined', {
      ...deals,
      joins: [{ type: 'inner', as: 'c', source: { table: companies.id }, on: [{ left: 'd.qty', right: 'c.rank' }] }],
      sort,
      columns: ['d.name', 'd.qty', 'd.amount', 'd.status', 'd.due', { field: 'c.name', as: 'company' }],
    }),
    grouped: await make('Grouped', {
      ...deals,
      groupBy: [{ field: 'd.status' }, { field: 'd.due', bucket: 'month' }],
      aggregates: [
        { as: 'n', fn: 'count' },
        { as: 'total', fn: 'sum', field: 'd.amount' },
        { as: 'most', fn: 'max', field: 'd.qty' },
      ],
    }),
    lookup: await make('Lookup', {
      ...deals,
      joins: [{ type: 'left', as: 'o', source: shop, on: [{ left: 'd.qty', right: 'o.id' }] }],
      sort,
      columns: ['d.name', 'd.qty', 'd.amount', 'd.status', 'd.due', { field: 'o.name', as: 'customer' }, 'o.seen'],
    }),
    engine: await make('Engine', {
      source: shop,
      as: 'o',
      joins: [{ type: 'inner', as: 's', source: stock, on: [{ left: 'o.id', right: 's.id' }] }],
      filter: { and: upTo },
      sort: [{ field: 's.amount', dir: 'desc' }],
      columns: ['o.id', 'o.name', { field: 's.amount', as: 'amount' }],
    }),
  };
}

const DEAL = `'{"fields":{"name":', to_json(name), ',"qty":', qty, ',"amount":', coalesce('"' || amount || '"', 'null'), ',"status":', coalesce('"' || status || '"', 'null'),
  ',"due":', coalesce('"' || due || '"', 'null')`;

/** What an expert writes for a page of two tables joined. */
export const joinedPage = (
  deals,
  companies,
) => `select string_agg(j, ',') from (select concat(${DEAL}, ',"company":', coalesce(to_json(company)::text, 'null'), '}}') as j
  from (select d.name, d.qty, d.amount, d.status, d.due, c.name as company from ${deals} d join ${companies} c on c.rank = d.qty and c._deleted_at is null
    where d._deleted_at is null and d.qty <= $1 and d.status = any ($2) order by d.qty desc nulls last, d._id desc, c._id desc limit 100) t) p`;

/** The two bare queries of a lookup: the page, then what belongs to it. */
export const LOOKUP = {
  page: (deals) => `select concat(${DEAL}), qty from (select * from ${deals}
    where _deleted_at is null and qty <= $1 and status = any ($2) order by qty desc nulls last, _id desc limit 100) t`,
  others: `select id, concat(',"customer":', to_json(name), ',"seen":', coalesce(to_char(seen, '"\\""YYYY-MM-DD"T"HH24:MI:SS.MS"Z\\""'), 'null'), '}}')
    from ${ORDERS} where id = any ($1)`,
  nobody: ',"customer":null,"seen":null}}',
};

const grouped = (
  deals,
) => `select string_agg(concat('{"group":{"status":', coalesce('"' || status || '"', 'null'), ',"due":', coalesce('"' || month || '"', 'null'),
    '},"values":{"n":', n, ',"total":"', total, '","most":', coalesce(most::text, 'null'), '}}'), ',')
  from (select status, date_trunc('month', due)::date as month, count(*) as n, coalesce(sum(amount), 0) as total, max(qty) as most
    from ${deals} where _deleted_at is null group by 1, 2 order by array_position(array['open', 'won', 'lost'], status) nulls first, 2 nulls first limit 101) g`;

const computed = (deals, formula) =>
  `select concat('{"group":{},"values":{"n":', count(${formula}), '}}') from ${deals} where _deleted_at is null and qty < ${COMPUTED_BELOW}`;

/** Statements of views and statements by hand, by turns on one connection: `[what it is, result]`. */
export async function viewStatements({ postgres, sides: { ours }, tables }, rounds) {
  const { views, base, token } = ours;
  const asked = (path, body) => statementOf(postgres, () => call(base, 'POST', path, token, body), MARK);
  const { deals, companies } = tables;
  const works = [
    [
      'page of 100 rows of a view, two tables joined',
      await asked(views.joined, byQty(500)),
      { text: joinedPage(deals, companies), values: ['500', '{open,won}'] },
      60,
    ],
    ['groups of a view, all rows', await asked(views.grouped, {}), { text: grouped(deals), values: [] }, 2],
  ];
  for (const [i, [formula, sql]] of FORMULAS.entries())
    works.push([
      `formula of a view, a fifth of the rows: \`${formula.replaceAll(/\{d\.(\w+)\}/g, '$1')}\``,
      await asked(views.formulas[i], {}),
      { text: computed(deals, sql), values: [] },
      5,
    ]);
  const client = await postgres.asServer();
  await client.query('set jit = off');
  await client.query("set timezone = 'UTC'");
  const results = [];
  for (const [name, mine, floor, times] of works) {
    await assertSameAnswer(client, name, mine, floor);
    results.push([name, await timeStatements(client, { ours: mine, floor }, rounds, times)]);
  }
  await client.end();
  return results;
}

async function assertSameAnswer(client, name, { answer }, floor) {
  const { rows: bare } = await client.query({ text: floor.text, values: floor.values, rowMode: 'array' });
  const [a, b] = [answer.data, JSON.parse(`[${bare[0][0]}]`)].map((rows) => rows.map((row) => JSON.stringify(row)));
  // A group more by hand tells that there is another page, as ours knows.
  const at = a.findIndex((row, i) => row !== b[i]);
  if (at >= 0 || b.length > a.length + 1)
    throw new Error(
      `${name}: the floor's answer is another (${a.length}, ${b.length}), row ${at}:\n${a[at]}\n${b[at]}`,
    );
}

/** What the server itself tells of lookup joins: all of the time, and that of the two queries in it. In the shape of `interleaved`. */
export async function lookupInside({ base, token, views }, rounds) {
  const path = views.lookup.replace(/data$/, 'explain');
  const results = [];
  for (let round = -1; round < rounds; round++) {
    const times = [];
    for (let i = 0; i < 60; i++) {
      const { ms, sources } = await call(base, 'POST', path, token, byQty(1_000 + i * 1_500));
      times.push({ ms, queries: sources.reduce((sum, source) => sum + source.ms, 0) });
    }
    // The first warms up.
    if (round >= 0) results.push({ ours: median(times.map(({ ms }) => ms)), floor: median(times.map(({ queries }) => queries)) }); // prettier-ignore
  }
  const side = (name) => ({ perSecond: 1000 / median(results.map((each) => each[name])), p50: median(results.map((each) => each[name])), p99: NaN }); // prettier-ignore
  const ratios = results.map(({ ours, floor }) => floor / ours);
  return { ours: side('ours'), floor: side('floor'), ratio: median(ratios), ratios, cost: NaN };
}

/** A page of many rows of two databases that only their join can sort: how long it takes, and what the server holds meanwhile. */
export async function measureJoinEngine({ ours: { pid }, sides: { ours } }, rounds) {
  const { base, token, views } = ours;
  const results = [];
  for (let round = 0; round <= rounds; round++) {
    const before = rssOf(pid);
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, rssOf(pid))), 20);
    const begun = performance.now();
    const { data, meta } = await call(base, 'POST', views.engine, token, { page: { limit: 100 } });
    const ms = performance.now() - begun;
    clearInterval(watch);
    if (meta.tier !== 'join-engine' || data.length !== 100)
      throw new Error(`The join engine was not asked: ${meta.tier}.`);
    const copied = meta.sources.reduce((sum, { connection, rows }) => sum + (connection === null ? 0 : rows), 0);
    // The first warms up.
    if (round > 0) results.push({ ms, before, most, copied });
  }
  return results;
}
