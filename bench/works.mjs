/** What is asked, once for our server and once for the floor: the same work, said in each one's words. */
import { externalQuestion } from './external.mjs';
import { request } from './http-client.mjs';
import { LINKED_FIELDS } from './linked.mjs';
import { PUBLISHED, PUBLISHED_ASKED, publishedPath } from './published.mjs';
import { RULED_PATHS } from './ruled.mjs';
import { viewQuestions } from './views.mjs';

const STATUS = ['open', 'won', 'lost'];
const pick = (list) => list[Math.floor(Math.random() * list.length)];
const upTo = (n) => Math.floor(Math.random() * n);

const fields = () => ({
  name: `Customer ${upTo(1e6)}`,
  qty: upTo(100_000),
  amount: `${upTo(10_000)}.${10 + upTo(90)}`,
  status: pick(STATUS),
  active: Math.random() < 0.5,
  due: '2026-03-14',
  seen: '2026-03-14T15:09:26.535Z',
  notes: 'They asked for an offer with delivery in spring.',
});

/** Bodies of a megabyte are made beforehand: making them is not the work that is measured. */
const prepared = new Map();
function rotating(name, make) {
  let list = prepared.get(name);
  if (!list) prepared.set(name, (list = { at: 0, items: Array.from({ length: 8 }, make) }));
  return list.items[list.at++ % list.items.length];
}

/** Each gives the bytes of one request. `side` has what a request needs: rows (path), token, ids. */
export const WORKS = {
  page: {
    ours: ({ rows, token }) =>
      request(
        'GET',
        `${rows}?filter=and(qty.lte.${1_000 + upTo(99_000)},status.in.(open,won))&sort=-qty&limit=100`,
        token,
      ),
    floor: ({ token }) =>
      request('GET', `/page?qty=${1_000 + upTo(99_000)}&padding=and(status.in.(open,won))&sort=-qty`, token),
  },
  ruled: {
    ours: ({ rows, token }) => request('GET', RULED_PATHS.ours(rows, 1_000 + upTo(99_000)), token),
    floor: ({ token }) => request('GET', RULED_PATHS.floor(1_000 + upTo(99_000)), token),
  },
  linked: {
    ours: ({ linked, token }) => {
      const query = `filter=rank.lte.${50 + upTo(950)}&sort=-rank&fields=${LINKED_FIELDS}&limit=50`;
      return request('GET', `${linked}?${query}`, token);
    },
    floor: ({ token }) => request('GET', `/linked?rank=${50 + upTo(950)}&sort=-rank&fields=${LINKED_FIELDS}`, token),
  },
  external: {
    ours: ({ external, token }) => request('POST', external, token, externalQuestion(1_000 + upTo(99_000))),
    floor: ({ token }) => request('POST', `/external?qty=${1_000 + upTo(99_000)}`, token, externalQuestion(0)),
  },
  joined: {
    ours: ({ views, token }) => request('POST', views.joined, token, viewQuestions.joined(100 + upTo(900))),
    floor: ({ token }) => request('POST', `/joined?qty=${100 + upTo(900)}`, token, viewQuestions.joined(0)),
  },
  lookup: {
    ours: ({ views, token }) => request('POST', views.lookup, token, viewQuestions.lookup(1_000 + upTo(99_000))),
    floor: ({ token }) => request('POST', `/lookup?qty=${1_000 + upTo(99_000)}`, token, viewQuestions.lookup(0)),
  },
  publishedUnchanged: PUBLISHED.unchanged,
  publishedCached: PUBLISHED.cached,
  publishedUnchangedAsked: PUBLISHED_ASKED.unchanged,
  publishedCachedAsked: PUBLISHED_ASKED.cached,
  published: {
    ours: ({ published }) => request('GET', publishedPath(published, 1_000 + upTo(99_000))),
    floor: () => request('GET', `/published?filter=and(status.in.(open,won))&sort=-qty&qty=${1_000 + upTo(99_000)}`),
  },
  one: {
    ours: ({ rows, token, ids }) => request('GET', `${rows}/${pick(ids)}`, token),
    floor: ({ token, ids }) => request('GET', `/one/${pick(ids)}`, token),
  },
  insert: {
    ours: ({ rows, token }) => request('POST', rows, token, { fields: fields() }),
    floor: ({ token }) => request('POST', '/insert', token, { fields: fields() }),
  },
  update: {
    ours: ({ rows, token, ids }) => request('PATCH', `${rows}/${pick(ids)}`, token, { fields: change() }),
    floor: ({ token, ids }) => request('PATCH', `/update/${pick(ids)}`, token, { fields: change() }),
  },
  bulk: {
    ours: ({ rows, token }) => rotating('ours', () => request('POST', `${rows}/bulk`, token, thousand())),
    floor: ({ token }) => rotating('floor', () => request('POST', '/bulk', token, thousand())),
  },
  bulkMinimal: {
    ours: ({ rows, token }) =>
      rotating('minimal', () => request('POST', `${rows}/bulk`, token, thousand(), ['Prefer: return=minimal'])),
    floor: ({ token }) => rotating('floor', () => request('POST', '/bulk', token, thousand())),
  },
  /** Two requests of our own server: the first page and a page far behind it. */
  keyset: {
    ours: ({ rows, token, cursor }) => request('GET', `${rows}?sort=-qty&limit=100&cursor=${cursor}`, token),
    floor: ({ rows, token }) => request('GET', `${rows}?sort=-qty&limit=100`, token),
  },
};

const change = () => ({ amount: `${upTo(10_000)}.${10 + upTo(90)}`, status: pick(STATUS) });
const thousand = () => ({ ops: Array.from({ length: 1000 }, () => ({ op: 'create', fields: fields() })) });
