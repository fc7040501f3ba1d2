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
/** Of rows below this all values are compared, those without a divisor among them. */
const COMPARED_BELOW = 100;
/** What the statement of a view names the first of its places, and no other statement anything. */
const MARK = '"p0"';

/** Formulas as people write them, and as somebody who knows the table writes them in SQL: so that they come to the same, which is looked at. */
const FORMULAS = [
  ['{d.amount} / {d.qty}', 'round(amount / nullif(qty, 0), 10)'],
  // With more digits than ours; only their number is compared.
  ['{d.amount} / {d.qty}', 'amount / nullif(qty, 0)', 'not rounded'],
  ['{d.amount} / 100', 'amount / 100'],
  ['{d.amount} * {d.qty}', 'amount * qty'],
  ['{d.amount} + {d.qty}', 'amount + qty'],
  ['ROUND({d.amount} * 1.19, 1)', 'round(amount * 1.19, 1)'],
  [
    'AVERAGE({d.amount}, {d.qty})',
    'round((coalesce(amount, 0) + coalesce(qty, 0)) / nullif(num_nonnulls(amount, qty), 0), 10)',
  ],
  ['{d.qty} % 7', 'mod(mod(qty, 7) + 7, 7)'],
  ['IF({d.qty} > 5000, {d.amount}, 0)', 'case when qty > 5000 then amount else 0 end'],
  [
    'IFS({d.qty} > 9000, "L", {d.qty} > 100, "M", TRUE, "S")',
    "case when qty > 9000 then 'L' when qty > 100 then 'M' else 'S' end",
  ],
  ['AND({d.qty} > 50, {d.amount} > 100)', 'coalesce(qty > 50 and amount > 100, false)'],
  ['{d.name} < "M"', "name < 'M'"],
  ['{d.name} & "-" & {d.qty}', "name || '-' || qty"],
  ['LEFT({d.name}, 3)', 'left(name, 3)'],
  ['MID({d.name}, 2, {d.qty} % 5)', 'substr(name, 2, mod(mod(qty, 5) + 5, 5)::int)'],
  ['UPPER({d.name})', 'upper(name collate "und-x-icu")'],
  ['SEARCH("ER", {d.name})', `strpos(lower(name collate "und-x-icu"), 'er')`],
  ['SUBSTITUTE({d.notes}, "offer", "quote")', "replace(notes, 'offer', 'quote')"],
  ['YEAR({d.due})', 'extract(year from due)::int'],
  ['DATEADD({d.due}, 30, "day")', 'due + 30'],
  ['DATEADD({d.due}, 1, "month")', "(due + interval '1 month')::date"],
  ['DATEADD({d.seen}, 1, "month")', "(seen at time zone 'UTC' + interval '1 month') at time zone 'UTC'"],
  ['DATEDIF({d.due}, DATE(2026, 12, 1), "day")', "date '2026-12-01' - due"],
  [
    'DATEDIF({d.due}, DATE(2027, 1, 1), "month")',
    "extract(year from age('2027-01-01', due)) * 12 + extract(month from age('2027-01-01', due))",
  ],
  ['TEXT({d.due}, "DD.MM.YYYY")', "to_char(due, 'DD.MM.YYYY')"],
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
  const values = [];
  for (const [i, [formula]] of FORMULAS.entries())
    values.push(
      await make(`Values of formula ${i}`, {
        ...deals,
        computed: [{ key: 'f', formula }],
        filter: { field: 'd.qty', op: 'lt', value: COMPARED_BELOW },
        columns: ['f'],
      }),
    );
  return {
    formulas,
    values,
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
  for (const [i, [formula, sql, otherwise]] of FORMULAS.entries())
    works.push([
      `formula of a view, a fifth of the rows: \`${formula.replaceAll(/\{d\.(\w+)\}/g, '$1')}\`${otherwise ? `, by hand ${otherwise}` : ''}`,
      await asked(views.formulas[i], {}),
      { text: computed(deals, sql), values: [] },
      5,
    ]);
  const client = await postgres.asServer();
  await client.query('set jit = off');
  await client.query("set timezone = 'UTC'");
  for (const [i, [formula, sql, otherwise]] of FORMULAS.entries()) {
    if (otherwise) continue;
    const { data } = await call(base, 'POST', views.values[i], token, { page: { limit: 1000 } });
    const { rows } = await client.query(`select to_json(${sql})::text as f from ${deals} where _deleted_at is null and qty < ${COMPARED_BELOW} limit 1000`); // prettier-ignore
    const [a, b] = [data.map(({ fields }) => fields.f), rows.map(({ f }) => f && JSON.parse(f))].map((values) => values.map(plainValue).sort()); // prettier-ignore
    if (a.length === 0 || a.join('\n') !== b.join('\n')) throw new Error(`${formula}: other values by hand:\n${a.slice(0, 5)}\n${b.slice(0, 5)}`); // prettier-ignore
  }
  const results = [];
  for (const [name, mine, floor, times] of works) {
    await assertSameAnswer(client, name, mine, floor);
    results.push([name, await timeStatements(client, { ours: mine, floor }, rounds, times)]);
  }
  await client.end();
  return results;
}

/** What a value is, however it is written: without zeros at the end of a number, and moments by our clock. */
const plainValue = (value) => {
  const text = String(value);
  if (/^-?\d+\.\d+$/.test(text)) return text.replace(/\.?0+$/, '');
  return /^\d{4}-\d\d-\d\dT/.test(text) ? new Date(text).toISOString() : text;
};

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
