import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { OPERATORS } from '../../src/query/index.js';
import {
  expectStatus,
  socket,
  type Answer,
  type Column,
  type Row,
  type Table,
  type TestSocket,
} from '../harness/index.js';
import { path, rowsFixture, type Page } from '../support/rows.js';
import { member, OPEN, putRules, type MemberOf } from '../support/rules.js';

jest.setTimeout(240_000);

/*
 * Two worlds that look the same to a member: they differ in what rules hide from him, columns and rows, here and behind links. Whatever he asks, and
 * whatever he is told, has to be the same in both to the last letter, status and headers included; what the same answer holds tells nothing.
 */

const fixture = rowsFixture();
let editor: MemberOf;
beforeAll(async () => {
  editor = await member(fixture.owner, fixture.at.workspace.id, 'editor');
});

interface Secret {
  readonly pay: number;
  readonly notes: string;
  /** Rows that are not seen; of the other world there are more, and fewer changes of them. */
  readonly rows: number;
}
const SECRETS: readonly [Secret, Secret] = [
  { pay: 10, notes: 'alpha', rows: 1 },
  { pay: 98_765, notes: 'omega words', rows: 3 },
];
const WRITES = 4;

interface Place {
  readonly table: Table;
  readonly people: Table;
  readonly view: string;
  /** r0 and r1 are seen, r2 is not. */
  readonly rows: readonly [Row, Row, Row];
  readonly ada: Row;
  /** Where the owner's list by the hidden column goes on. */
  readonly cursor: string;
  /** Of the owner's page. */
  readonly seq: number;
}

async function worldOf({ pay, notes, rows: unseen }: Secret): Promise<Place> {
  const { owner, newTable, add, at } = { ...fixture, owner: fixture.owner, at: fixture.at };
  const table = await newTable([
    { name: 'Name', type: 'text', required: true },
    { name: 'Status', type: 'single_select', options: { choices: [{ label: 'Open' }, { label: 'Won' }] } },
    { name: 'Qty', type: 'integer' },
    { name: 'Pay', type: 'decimal', options: { scale: 2 } },
    { name: 'Notes', type: 'text' },
    { name: 'Day', type: 'date' },
    { name: 'Tags', type: 'multi_select', options: { choices: [{ label: 'A' }, { label: 'B' }] } },
    { name: 'Double', type: 'formula', options: { formula: '{pay} * 2' } },
    { name: 'Told', type: 'formula', options: { formula: '"all of " & {notes}' } },
    { name: 'Loud', type: 'formula', options: { formula: 'UPPER({name})' } },
  ]);
  const people = await newTable([{ name: 'Name', type: 'text' }]);
  const column = async (of: Table, body: object) =>
    expectStatus(await owner.post<Column>(`/tables/${of.id}/columns`, body), 201);
  await column(people, { name: 'Deals', type: 'link', options: { tableId: table.id, inverseName: 'People' } });
  await column(people, { name: 'Names', type: 'lookup', options: { linkColumnId: 'deals', columnId: 'name' } });
  await column(people, { name: 'Sum', type: 'rollup', options: { linkColumnId: 'deals', columnId: 'qty', fn: 'sum' } });
  await column(people, {
    name: 'Paid',
    type: 'rollup',
    options: { linkColumnId: 'deals', columnId: 'pay', fn: 'sum' },
  });
  await column(people, { name: 'Many', type: 'count', options: { linkColumnId: 'deals' } });
  const secret = { pay, notes, day: pay > 100 ? '2026-01-01' : null, tags: pay > 100 ? ['a'] : [] };
  const rows: Row[] = [];
  for (const [i, status] of ['open', 'open', 'won'].entries())
    rows.push(await add(table, { name: `r${i}`, qty: i + 1, status, ...secret }));
  const [r0, r1, r2] = rows as [Row, Row, Row];
  // As many writes in both worlds: numbers of the log tell that something was written, and no more.
  for (let i = 0; i < WRITES; i++)
    if (i < unseen) await add(table, { name: `unseen ${notes} ${i}`, qty: pay + i, status: 'won', ...secret });
    else await owner.patch(path(table, r2.id), { fields: { notes: `${notes} ${i}` } });
  const ada = await add(people, { name: 'Ada', deals: [r0.id, r2.id] });
  const body = {
    ...{ name: `View of ${table.id}`, definition: { source: { table: table.id }, sort: [{ field: 'name' }] } },
    visibility: 'workspace',
  };
  const view = expectStatus(await owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/views`, body), 201).id;
  const page = expectStatus(await owner.get<Page>(`${path(table)}?sort=-pay&limit=1`), 200);
  await putRules(owner, table, {
    ...{ name: 'open', read: { filter: OPEN }, columns: { hidden: ['pay', 'notes', 'day', 'tags'] } },
  });
  // An index of what is hidden, in one of the worlds.
  if (pay > 100)
    expectStatus(
      await owner.post(`/tables/${table.id}/indexes`, { columns: [{ field: 'name' }, { field: 'pay' }] }),
      202,
    );
  const { nextCursor = '' } = page.page;
  const { meta } = page;
  return { table, people, view, rows: [r0, r1, r2], ada, cursor: nextCursor, seq: meta.seq };
}

/** A text without what is another for everything that is made: ids, times, positions of cursors. Ids are numbered as they come. */
function plain(text: string, place: Place): string {
  const known = new Map<string, string>();
  const named = (id: string): string => {
    const name = known.get(id) ?? `id ${known.size}`;
    known.set(id, name);
    return name;
  };
  return text
    .replaceAll(place.table.name, 'the table')
    .replaceAll(place.people.name, 'the people')
    .replaceAll(place.table.physical.table, 'physical table')
    .replaceAll(place.people.physical.table, 'physical people')
    .replace(/"(nextCursor|prevCursor|confirmToken|cursor)":"[^"]*"/g, '"$1":"…"')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, named)
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
    .replace(/_[0-9a-f]{12}\b/g, '_made')
    .replace(/"ms":[\d.]+/g, '"ms":0')
    .replace(/"icon":null,"position":\d+/g, '"icon":null');
}

/** All of an answer that somebody could learn from. */
function learnt({ status, text, headers }: Answer<unknown>, place: Place): string {
  const told = ['etag', 'live-seq', 'link', 'content-type'].map((name) => `${name}: ${headers.get(name) ?? ''}`);
  return plain([status, ...told, text].join('\n'), place);
}

type Ask = (place: Place) => readonly [method: string, at: string, body?: unknown, headers?: Record<string, string>];

const FIELDS = ['pay', 'notes', 'day', 'tags', 'double', 'told', 'loud', 'people', 'name', 'qty'];
const VALUES: readonly unknown[] = [10, 'alpha', '2026-01-01', ['a', 'b']];
const rowsOf = ({ table }: Place): string => path(table);
const query =
  (body: object): Ask =>
  (place) => ['POST', `${rowsOf(place)}/query`, body];

/** Every operator with values of every kind, on what is hidden and what is not. */
const filters = ['pay', 'notes', 'day', 'tags', 'double', 'name', 'qty'].flatMap((field) =>
  OPERATORS.flatMap((op) => [
    query({ filter: { field, op } }),
    ...VALUES.map((value) => query({ filter: { not: { field, op, value } }, count: 'exact' })),
  ]),
);
const COMPARED = FIELDS.map((field) => query({ filter: { field: 'qty', op: 'lt', value: { $field: field } } }));
const FUNCTIONS = ['count', 'count_distinct', 'sum', 'avg', 'min', 'max', 'empty', 'filled', 'median', 'nope'];
const shapes = FIELDS.flatMap((field): readonly Ask[] => [
  (place) => ['GET', `${rowsOf(place)}?sort=${field}`],
  (place) => ['GET', `${rowsOf(place)}?sort=-${field}&limit=1&count=exact`],
  (place) => ['GET', `${rowsOf(place)}?fields=${field}`],
  (place) => ['GET', `${rowsOf(place)}?filter=${field}.isNull&sort=name`],
  (place) => ['GET', `/tables/${place.table.id}/export?fields=${field}&format=ndjson`],
  query({ groupBy: [{ field }], aggregates: [{ as: 'n', fn: 'count' }] }),
  ...FUNCTIONS.map((fn) => query({ groupBy: [], aggregates: [{ as: 'n', fn, field }] })),
  (place) => ['PATCH', path(place.table, place.rows[0].id), { fields: { [field]: 'x' } }],
  (place) => ['PATCH', path(place.table, place.rows[2].id), { fields: { [field]: 'x' } }],
  (place) => ['POST', rowsOf(place), { fields: { [field]: { $add: ['x'] } } }],
  (place) => ['POST', `${rowsOf(place)}/bulk`, { ops: [{ op: 'upsert', matchOn: [field], fields: { [field]: 10 } }] }],
  (place) => ['POST', `${rowsOf(place)}/bulk-delete`, { filter: { field, op: 'isNotNull' }, dryRun: true }],
  (place) => ['POST', '/formulas/check', { formula: `{${field}}`, tableId: place.table.id }],
  (place) => ['POST', `/workspaces/${fixture.at.workspace.id}/views/preview`, { definition: { source: { table: place.table.id }, columns: [field] } }], // prettier-ignore
  (place) => ['GET', `/views/${place.view}/data?filter=${field}.isNotNull`],
  (place) => ['POST', `${path(place.people)}/query`, { filter: { link: 'deals', quantifier: 'some', where: { field, op: 'isNotNull' } } }], // prettier-ignore
  (place) => ['POST', `${path(place.people)}/query`, { filter: { link: 'deals', quantifier: 'every', where: { field, op: 'isNull' } } }], // prettier-ignore
  ...['some', 'none'].map((quantifier): Ask => (place) => ['POST', `/workspaces/${fixture.at.workspace.id}/views/preview`, { definition: { source: { table: place.people.id }, filter: { link: 'deals', quantifier, where: { field, op: 'isNotNull' } } } }]), // prettier-ignore
]);
const ways: readonly Ask[] = [
  (place) => ['GET', `${rowsOf(place)}?limit=1&count=exact`],
  (place) => ['GET', `${rowsOf(place)}?limit=1&count=estimated`],
  (place) => ['GET', `${rowsOf(place)}?sort=-pay&limit=1&cursor=${place.cursor}`],
  (place) => ['GET', `${rowsOf(place)}?limit=1&cursor=${place.cursor}`],
  ...['alpha', 'omega', 'unseen', 'r2', '98765', 'r'].map((word): Ask => (place) => [
    'GET',
    `${rowsOf(place)}?search=${word}`,
  ]),
  // Lookups and formulas are searched, too: of rows that are not seen as little as of columns that are not.
  ...['alpha', 'omega', 'unseen', 'r2', '98765', 'r'].flatMap((word): readonly Ask[] => [
    (place) => ['GET', `${path(place.people)}?search=${word}`],
    (place) => ['GET', `/views/${place.view}/data?search=${word}`],
    (place) => ['POST', `/workspaces/${fixture.at.workspace.id}/views/preview`, { definition: { source: { table: place.people.id }, filter: { link: 'deals', where: { field: 'name', op: 'contains', value: word } } } }], // prettier-ignore
  ]),
  ...[0, 2].flatMap((i): readonly Ask[] => [
    (place) => ['GET', path(place.table, place.rows[i as 0].id)],
    (place) => ['GET', path(place.table, place.rows[i as 0].id), undefined, { 'if-none-match': '"1"' }],
    (place) => ['GET', `/tables/${place.table.id}/rows/${place.rows[i as 0].id}/history`],
    (place) => ['PATCH', path(place.table, place.rows[i as 0].id), { fields: { name: 'r' } }, { 'if-match': '"7"' }],
    (place) => [
      'PATCH',
      path(place.table, place.rows[i as 0].id),
      { fields: { name: 'x' }, baseVersion: 1, onConflict: 'x' },
    ],
    (place) => ['POST', `${path(place.table, place.rows[i as 0].id)}/revert`, { toVersion: 9 }],
    (place) => ['POST', `${path(place.table, place.rows[i as 0].id)}/restore`],
    (place) => ['GET', `${path(place.table, place.rows[i as 0].id)}?asOf=${place.seq}`],
  ]),
  (place) => ['DELETE', path(place.table, place.rows[2].id), undefined, { 'if-match': '"7"' }],
  (place) => ['GET', `/tables/${place.table.id}`],
  (place) => ['GET', `/tables/${place.people.id}`],
  (place) => ['GET', `/tables/${place.table.id}/columns`],
  (place) => ['GET', `/tables/${place.table.id}/history?limit=100`],
  (place) => ['GET', `/tables/${place.people.id}/history?limit=100`],
  (place) => ['GET', `/tables/${place.table.id}/changes?after=0`],
  (place) => ['GET', `/tables/${place.people.id}/changes?after=0`],
  (place) => ['GET', `${rowsOf(place)}?asOf=${place.seq}&count=exact`],
  (place) => ['GET', `/tables/${place.table.id}/export?format=csv`],
  (place) => ['GET', `/tables/${place.people.id}/export?format=csv`],
  (place) => ['GET', `/tables/${place.table.id}/indexes`],
  (place) => ['GET', `/tables/${place.table.id}/indexes?limit=1`],
  (place) => ['GET', `/tables/${place.table.id}/indexes/advice`],
  (place) => ['GET', `/tables/${place.table.id}/history/checkpoint`],
  (place) => ['GET', `/tables/${place.table.id}/rules`],
  (place) => ['GET', `/tables/${place.table.id}/imports`],
  (place) => ['GET', `/tables/${place.table.id}/history/verify`],
  (place) => ['GET', `/views/${place.view}`],
  (place) => ['GET', `/views/${place.view}/data?count=exact`],
  (place) => ['POST', `/views/${place.view}/explain`, {}],
  (place) => ['POST', `${rowsOf(place)}/explain`, {}],
  ...['names', 'sum', 'paid', 'many', 'deals'].flatMap((field): readonly Ask[] => [
    (place) => ['GET', `${path(place.people)}?sort=-${field}&count=exact`],
    (place) => ['GET', `${path(place.people)}?filter=${field}.isNull`],
    (place) => ['POST', `${path(place.people)}/query`, { aggregates: [{ as: 'n', fn: 'sum', field }] }],
    (place) => [
      'POST',
      `${path(place.people)}/query`,
      { groupBy: [{ field }], aggregates: [{ as: 'n', fn: 'count' }] },
    ],
  ]),
  (place) => ['PATCH', path(place.people, place.ada.id), { fields: { deals: { $add: [place.rows[2].id] } } }],
  (place) => ['PATCH', path(place.people, place.ada.id), { fields: { deals: { $remove: [place.rows[2].id] } } }],
  (place) => ['PATCH', path(place.people, place.ada.id), { fields: { deals: [] } }],
  (place) => ['GET', path(place.people, place.ada.id)],
];

const asked = (ask: Ask, place: Place): Promise<Answer<unknown>> => {
  const [method, at, body, headers] = ask(place);
  return editor.call(method, at, body, headers);
};

describe('what rules hide from a member', () => {
  let places: readonly [Place, Place];
  beforeAll(async () => {
    places = [await worldOf(SECRETS[0]), await worldOf(SECRETS[1])];
  });

  /** The first question that the worlds answer in different ways, if there is one; and how often an answer was no refusal. */
  async function difference(asks: readonly Ask[]): Promise<number> {
    let answered = 0;
    for (const ask of asks) {
      const answers = await Promise.all([asked(ask, places[0]), asked(ask, places[1])]);
      const question = plain(JSON.stringify(ask(places[0])), places[0]);
      expect([question, learnt(answers[1], places[1])]).toEqual([question, learnt(answers[0], places[0])]);
      for (const [i, { text }] of answers.entries()) {
        const told = without(plain(text, places[i === 0 ? 0 : 1]), ask, places);
        expect([question, /alpha|omega|98765|unseen/.exec(told)?.[0]]).toEqual([question, undefined]);
      }
      if (answers[0].status < 300) answered++;
    }
    return answered;
  }

  it('changes no answer to a filter, by any operator', async () => {
    expect(await difference([...filters, ...COMPARED])).toBeGreaterThan(15);
  });

  it('changes no answer to any other question, nor a refusal, a header or a cursor', async () => {
    expect(await difference([...shapes, ...ways])).toBeGreaterThan(80);
  });

  it('is in no template of the base, with which the member could make one of his own', async () => {
    const { text } = await editor.get(`/bases/${places[0].table.baseId}/template?withRows=true`);
    expect(text).toContain('"r1"');
    expect(text).not.toMatch(/alpha|omega|98765|unseen|"pay"|"told"|"double"|"paid"/);
  });

  it('is not told apart from what there is not', async () => {
    const [place] = places;
    // Of the same length, since refusals of formulas say where.
    for (const [field, nothing] of Object.entries({ pay: 'nix', notes: 'nixes', double: 'nixnix' }))
      for (const ask of shapesOf(field)) {
        const [hidden, none] = [await asked(ask, place), await asked(renamed(ask, field, nothing), place)];
        const question = JSON.stringify(ask(place));
        const words = learnt(hidden, place).replaceAll(field, nothing);
        expect([question, words]).toEqual([question, learnt(none, place)]);
      }
  });

  it('changes no event of a table, of what links lead to, or of a view', async () => {
    const told: string[][] = [];
    for (const [w, place] of places.entries()) {
      const live = await socket(fixture.app.base, editor.token);
      const channels = [`table:${place.table.id}`, `table:${place.people.id}`, `view:${place.view}`];
      for (const channel of channels) expect(await live.ask('subscribe', { channel })).toMatchObject({ ok: true });
      const { owner } = fixture;
      const { pay, notes } = SECRETS[w === 0 ? 0 : 1];
      const patch = (i: 0 | 2, fields: object) => owner.patch(path(place.table, place.rows[i].id), { fields });
      await patch(0, { pay: pay + 1, notes: `${notes} again` });
      await patch(2, { name: `unseen ${notes}`, qty: pay });
      await patch(0, { qty: 77, pay: pay + 2 });
      await owner.patch(path(place.people, place.ada.id), { fields: { deals: { $remove: [place.rows[2].id] } } });
      await patch(0, { name: 'the end' });
      for (const channel of [`table:${place.table.id}`, `view:${place.view}`])
        await live.until(({ payload }) => JSON.stringify(payload).includes('the end') && JSON.stringify(payload).includes(channel)); // prettier-ignore
      told.push(channels.map((channel) => eventsOf(live, channel, place)));
      live.close();
    }
    expect(told[1]).toEqual(told[0]);
    expect(told.flat().join()).toContain('77');
    expect(told.flat().join()).not.toMatch(/alpha|omega|98765|unseen/);
  });
});

const eventsOf = ({ events }: TestSocket, channel: string, place: Place): string => {
  const own = events.filter(({ payload }) => (payload as { channel?: string }).channel === channel);
  return plain(JSON.stringify(own.map(({ name, payload }) => [name, payload])), place);
};

const shapesOf = (field: string): readonly Ask[] => [
  ...OPERATORS.map((op) => query({ filter: { field, op, value: 1 } })),
  ...shapes.filter((ask) => JSON.stringify(ask(NOWHERE)).includes(field)),
];
const renamed =
  (ask: Ask, from: string, to: string): Ask =>
  (place) =>
    JSON.parse(JSON.stringify(ask(place)).replaceAll(from, to)) as ReturnType<Ask>;

const ROW = { id: 'row' } as Row;
const NOWHERE: Place = {
  ...{ table: { id: 'table' } as Table, people: { id: 'people' } as Table, view: 'view', cursor: '', seq: 0 },
  ...{ rows: [ROW, ROW, ROW], ada: ROW },
};

/** What somebody asked for himself may come back to him. */
function without(text: string, ask: Ask, places: readonly [Place, Place]): string {
  const given = JSON.stringify(places.map((place) => ask(place)));
  return ['alpha', 'omega', '98765', 'unseen'].reduce(
    (rest, word) => (given.includes(word) ? rest.replaceAll(word, '') : rest),
    text,
  );
}
