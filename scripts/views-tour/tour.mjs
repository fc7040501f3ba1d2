import { expectThat } from '../quickstart/api.mjs';

const BULK = 1000;

/** A table of ours with the films and what they cost: its id. */
export async function makeFilms(ada, workspaceId, films) {
  const base = (
    await ada.call('POST', `/workspaces/${workspaceId}/bases`, { body: { name: 'Cinema' }, status: 201, quiet: true })
  ).body;
  const columns = [
    { name: 'No', type: 'integer', unique: true },
    { name: 'Title', type: 'text', required: true },
    { name: 'Released', type: 'date' },
    { name: 'Budget', type: 'integer' },
  ];
  const body = { name: 'Films', columns };
  const table = (await ada.call('POST', `/bases/${base.id}/tables`, { body, status: 201, quiet: true })).body;
  for (let i = 0; i < films.length; i += BULK) {
    const ops = films
      .slice(i, i + BULK)
      .map(({ no, title, released, budget }) => ({ op: 'create', fields: { no, title, released, budget } }));
    await ada.call('POST', `/tables/${table.id}/rows/bulk`, { body: { mode: 'atomic', ops }, quiet: true });
  }
  return table.id;
}

/** Films beside what they earned and what people think of them, and what was left. */
export const sources = (tableId, earnings, ratings) => ({
  source: { table: tableId },
  as: 'f',
  joins: [
    {
      type: 'inner',
      as: 'e',
      source: { connection: earnings.id, object: earnings.from },
      on: [{ left: 'f.no', right: 'e.film' }],
    },
    {
      type: 'left',
      as: 'r',
      source: { connection: ratings.id, object: ratings.from },
      on: [{ left: 'f.no', right: 'r._id' }],
    },
  ],
  computed: [{ key: 'margin', name: 'Margin', formula: '{e.worldwide} - {f.budget}' }],
});

export const ROWS = {
  columns: ['f.title', 'f.released', 'r.genre', 'r.rating', 'margin'],
  sort: [{ field: 'margin', dir: 'desc' }, { field: 'f.title' }],
};
export const MONTHS = {
  groupBy: [{ field: 'f.released', bucket: 'month', as: 'month' }],
  aggregates: [
    { as: 'films', fn: 'count' },
    { as: 'margin', fn: 'sum', field: 'margin' },
    { as: 'rating', fn: 'avg', field: 'r.rating' },
  ],
  sort: [{ field: 'margin', dir: 'desc' }, { field: 'month' }],
};

/** The same counted by hand, of the file that all was loaded from: what the views have to answer. */
export function byHand(films) {
  const months = new Map();
  for (const { released, worldwide, budget } of films) {
    const month = `${released.slice(0, 7)}-01`;
    const { films: n, margin } = months.get(month) ?? { films: 0, margin: 0 };
    months.set(month, { films: n + 1, margin: margin + worldwide - budget });
  }
  return {
    rows: films
      .map(({ title, worldwide, budget }) => ({ title, margin: worldwide - budget }))
      .sort((a, b) => b.margin - a.margin || (a.title < b.title ? -1 : 1)),
    months: [...months]
      .map(([month, values]) => ({ month, ...values }))
      .sort((a, b) => b.margin - a.margin || (a.month < b.month ? -1 : 1)),
  };
}

/** Stores a view and reads its first page. */
export async function readView(ada, workspaceId, name, definition) {
  const body = { name, definition };
  const { id } = (await ada.call('POST', `/workspaces/${workspaceId}/views`, { body, status: 201, quiet: true })).body;
  const { data } = (await ada.call('GET', '/views/{id}/data', { params: { id }, query: { limit: 5 } })).body;
  return { id, data };
}

/** Compares the beginning of an answer with what was counted by hand. */
export function expectSame(what, answered, counted) {
  const [mine, theirs] = [answered, counted.slice(0, answered.length)].map((list) => JSON.stringify(list));
  expectThat(answered.length > 0 && mine === theirs, `${what}: ${mine} instead of ${theirs}.`);
}

/** Tells how a view came to its answer. */
export async function explain(ada, id, say) {
  const {
    tier,
    reason,
    sources: parts,
  } = (await ada.call('POST', '/views/{id}/explain', { params: { id }, body: {} })).body;
  say(`     ${tier}: ${reason}`);
  for (const { name, rows, ms, text } of parts)
    say(`     ${name}: ${rows} rows in ${ms} ms\n       ${String(text).replaceAll(/\s+/g, ' ').slice(0, 180)}`);
}
