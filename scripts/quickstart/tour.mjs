/**
 * The tour through the API that `npm run quickstart` takes: two people load a real data set into a table, ask it, and see
 * each other's changes. Every step checks what came back and throws {@link Told} with one sentence when it is not as expected.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inRoot } from '../lib/project.mjs';
import { createApi, expectThat } from './api.mjs';
import { parseCsvObjects } from './csv.mjs';
import { watchTable } from './live.mjs';

const BULK = 1_000;
const number = (n) => n.toLocaleString('en-US');

/** 3,376 airports as the npm package vega-datasets ships them, one object of texts each. */
export const readAirports = () =>
  parseCsvObjects(readFileSync(inRoot('node_modules/vega-datasets/data/airports.csv'), 'utf8'));

/** Takes the whole tour against the server at `base`. */
export async function takeTour({ base, say = () => undefined, airports = readAirports() }) {
  const api = createApi(base, { say });
  const step = steps(say);

  step('Two people sign up');
  const people = await signUpTwo(api);
  const { ada, grace } = people;

  step('Ada makes a workspace, adds Grace as editor, and makes a table in a base');
  const place = await makeTable(ada, people.graceEmail, airports);

  step(`Grace loads ${number(airports.length)} airports (airports.csv of the npm package vega-datasets)`);
  const loaded = await load(grace, place, airports);

  step('Ada counts them, and reads them all back, page by page');
  const all = await readAll(ada, place, airports);

  step('She filters and sorts, in the two syntaxes: text for URLs, JSON for bodies');
  const found = await ask(ada, place, airports);

  step('Both open a socket and follow the table; Grace edits a row, both hear of it');
  const event = await edit(base, ada, grace, place, all);

  return { ...people, ...place, loaded, rows: all, found, event };
}

function steps(say) {
  let n = 0;
  return (title) => say(`\n  ${(n += 1)}. ${title}`);
}

export async function signUpTwo(api) {
  const nobodyElse = randomBytes(4).toString('hex');
  const password = randomBytes(12).toString('base64url');
  const signUp = async (name, mailbox) => {
    const email = `${mailbox}.${nobodyElse}@example.com`;
    const body = { email, password, name };
    const answer = await api.call('POST', '/auth/register', { body, status: 201, note: () => 'user and tokens' });
    return { email, api: api.as(name, answer.body.accessToken) };
  };
  const ada = await signUp('Ada Lovelace', 'ada');
  const grace = await signUp('Grace Hopper', 'grace');
  return { ada: ada.api, grace: grace.api, adaEmail: ada.email, graceEmail: grace.email, password };
}

/** Column types that fit the data: codes are unique, countries are choices, coordinates exact decimals. */
const columnsFor = (airports) => [
  { name: 'IATA', type: 'text', required: true, unique: true, options: { maxLength: 4 } },
  { name: 'Name', type: 'text', required: true },
  { name: 'City', type: 'text' },
  { name: 'State', type: 'text' },
  { name: 'Country', type: 'single_select', options: { choices: countriesOf(airports).map((label) => ({ label })) } },
  { name: 'Latitude', type: 'decimal' },
  { name: 'Longitude', type: 'decimal' },
];
const countriesOf = (airports) => [...new Set(airports.map(({ country }) => country))];

export async function makeTable(ada, graceEmail, airports) {
  const workspace = await ada.call('POST', '/workspaces', { body: { name: 'Airfields' }, status: 201 });
  const workspaceId = workspace.body.id;
  const params = { workspaceId };
  const member = { email: graceEmail, role: 'editor' };
  await ada.call('POST', '/workspaces/{workspaceId}/members', { params, body: member, status: 201 });
  const base = await ada.call('POST', '/workspaces/{workspaceId}/bases', {
    params,
    body: { name: 'Geography' },
    status: 201,
  });
  const baseId = base.body.id;
  const table = await ada.call('POST', '/bases/{baseId}/tables', {
    params: { baseId },
    body: { name: 'Airports', columns: columnsFor(airports) },
    status: 201,
    note: ({ columns, physical }) =>
      `columns ${columns?.map(({ key }) => key).join(', ')}; in PostgreSQL ${physical?.schema}.${physical?.table}`,
  });
  return { workspaceId, baseId, tableId: table.body.id, physical: table.body.physical };
}

/** Loads everything by `bulk`, a thousand rows a call: each call is one transaction and one number of the live stream. */
export async function load(grace, { tableId }, airports) {
  const startedAt = performance.now();
  let seq = 0;
  for (let from = 0; from < airports.length; from += BULK) {
    const batch = airports.slice(from, from + BULK);
    const { body } = await grace.call('POST', '/tables/{tableId}/rows/bulk', {
      params: { tableId },
      body: { mode: 'atomic', ops: batch.map((fields) => ({ op: 'create', fields })) },
      quiet: from > 0,
      note: ({ summary, meta }) => `${number(summary?.ok ?? 0)} rows written together, as change ${meta?.seq}`,
    });
    expectThat(
      body.summary.ok === batch.length && body.summary.failed === 0,
      `Of ${batch.length} rows of a bulk call ${body.summary.ok} were written.`,
    );
    seq += 1;
    expectThat(body.meta.seq === seq, `The bulk call took number ${body.meta.seq} instead of ${seq}.`);
  }
  const ms = performance.now() - startedAt;
  const rate = Math.round((airports.length / ms) * 1000);
  grace.say(
    `     … ${seq - 1} more such calls: ${number(airports.length)} rows in ${number(Math.round(ms))} ms, ${number(rate)} a second`,
  );
  return { calls: seq, seq };
}

/** Reads the table to its end in both forms and compares every value with the file. Returns the rows by IATA code. */
export async function readAll(ada, { tableId }, airports) {
  const params = { tableId };
  const byUrl = await pages(ada, (cursor) =>
    ada.call('GET', '/tables/{tableId}/rows', {
      params,
      query: { sort: 'iata', limit: 1000, ...(cursor ? { cursor } : { count: 'exact' }) },
      quiet: cursor !== undefined,
      note: ({ data, count }) => `${data?.length} of ${number(count?.value ?? 0)} rows, and page.nextCursor`,
    }),
  );
  const byBody = await pages(ada, (cursor) =>
    ada.call('POST', '/tables/{tableId}/rows/query', {
      params,
      body: {
        sort: [{ field: 'iata', dir: 'asc' }],
        page: { limit: 1000, ...(cursor ? { cursor } : {}) },
        ...(cursor ? {} : { count: 'exact' }),
      },
      quiet: cursor !== undefined,
      note: ({ data, count }) => `${data?.length} of ${number(count?.value ?? 0)} rows, and page.nextCursor`,
    }),
  );
  for (const { rows, total } of [byUrl, byBody]) {
    expectThat(total === airports.length, `${total} rows are counted instead of ${airports.length}.`);
    const difference = firstDifference(rows, airports);
    expectThat(difference === undefined, difference);
  }
  ada.say(`     All ${number(byUrl.rows.length)} rows came back, each value exactly as in the file, both ways.`);
  return new Map(byUrl.rows.map((row) => [row.fields.iata, row]));
}

/** Follows `nextCursor` until there is none. */
async function pages(api, read) {
  const rows = [];
  let total;
  let count = 0;
  for (let cursor; ;) {
    const { body } = await read(cursor);
    rows.push(...body.data);
    total ??= body.count?.value;
    count += 1;
    cursor = body.page.nextCursor;
    expectThat(count <= 1_000, 'The pages do not come to an end.');
    if (cursor === undefined) break;
  }
  if (count > 1) api.say(`     … ${count - 1} more with cursor, until there is no nextCursor`);
  return { rows, total };
}

/** The key of a choice is made of its label: lower case, other characters become `_`. */
const choiceKey = (label) => label.toLowerCase().replaceAll(' ', '_');

const fieldsOf = (airport) => ({ ...airport, country: choiceKey(airport.country) });
const byCode = (a, b) => (a.iata < b.iata ? -1 : 1);

/** What differs between the rows and the file, as a sentence; undefined when nothing does. */
function firstDifference(rows, airports) {
  const expected = airports.map(fieldsOf).sort(byCode);
  if (rows.length !== expected.length) return `${rows.length} rows came back instead of ${expected.length}.`;
  for (const [i, airport] of expected.entries())
    for (const [key, value] of Object.entries(airport))
      if (rows[i].fields[key] !== value)
        return `Row ${i + 1} has ${key} ${JSON.stringify(rows[i].fields[key])} instead of ${JSON.stringify(value)}.`;
  return undefined;
}

/** One question in both syntaxes; the answer is what the file says. */
export async function ask(ada, { tableId }, airports) {
  const params = { tableId };
  const note = ({ data, count }) => `${data?.length} of ${count?.value}, first ${data?.[0]?.fields.name}`;
  const byUrl = await pages(ada, (cursor) =>
    ada.call('GET', '/tables/{tableId}/rows', {
      params,
      query: {
        filter: 'and(state.in.(TX,CA),name.contains.municipal,latitude.gte.33)',
        sort: '-latitude,iata',
        fields: 'iata,name,latitude',
        limit: 20,
        ...(cursor ? { cursor } : { count: 'exact' }),
      },
      quiet: cursor !== undefined,
      note,
    }),
  );
  const byBody = await pages(ada, (cursor) =>
    ada.call('POST', '/tables/{tableId}/rows/query', {
      params,
      body: {
        filter: {
          and: [
            { field: 'state', op: 'in', value: ['TX', 'CA'] },
            { field: 'name', op: 'contains', value: 'municipal' },
            { field: 'latitude', op: 'gte', value: '33' },
          ],
        },
        sort: [{ field: 'latitude', dir: 'desc' }, { field: 'iata' }],
        fields: ['iata', 'name', 'latitude'],
        page: { limit: 20, ...(cursor ? { cursor } : {}) },
        ...(cursor ? {} : { count: 'exact' }),
      },
      quiet: cursor !== undefined,
      note,
    }),
  );
  const expected = airports
    .filter(
      ({ state, name, latitude }) => ['TX', 'CA'].includes(state) && /municipal/i.test(name) && Number(latitude) >= 33,
    )
    .sort((a, b) => Number(b.latitude) - Number(a.latitude) || byCode(a, b))
    .map(({ iata }) => iata);
  for (const { rows, total } of [byUrl, byBody])
    expectThat(
      total === expected.length && JSON.stringify(rows.map(({ fields }) => fields.iata)) === JSON.stringify(expected),
      `The filter found ${rows.length} airports; the file has ${expected.length}, or in another order.`,
    );
  ada.say(`     Both found the same ${expected.length}, in the same order.`);
  return expected;
}

/** Grace changes one row under the version that she knows; Ada's socket, and her own, receive the event. */
export async function edit(base, ada, grace, { tableId }, rows) {
  const channel = `table:${tableId}`;
  const row = rows.get('JFK');
  expectThat(row !== undefined, 'There is no row for JFK.');
  // Where the table stands: nothing between this and the subscription can be missed.
  const { body } = await ada.call('GET', '/tables/{tableId}/rows', {
    params: { tableId },
    query: { limit: 1 },
    note: ({ meta }) => `meta.seq ${meta?.seq}: where to begin listening`,
  });
  const { epoch, seq } = body.meta;
  const [adas, graces] = await Promise.all([ada, grace].map(({ token }) => watchTable(base, token)));
  try {
    const from = { epoch, seq };
    for (const [who, watcher] of [
      ['Ada', adas],
      ['Grace', graces],
    ]) {
      const joined = await watcher.subscribe({ channel, from });
      ada.say(`     ${who}: socket.emit("subscribe", {"channel":"table:{tableId}","from":{"epoch":"…","seq":${seq}}})`);
      ada.say(`     → ${JSON.stringify({ ok: joined.ok, mode: joined.mode, seq: joined.seq })}`);
      expectThat(joined.ok === true, `The subscription was refused (${joined.error?.code}).`);
      expectThat(
        joined.mode === 'live' && joined.seq === seq,
        `The subscription began as ${joined.mode} at ${joined.seq}.`,
      );
    }
    const name = 'John F. Kennedy International';
    const changed = await grace.call('PATCH', '/tables/{tableId}/rows/{rowId}', {
      params: { tableId, rowId: row.id },
      headers: { 'If-Match': `"${row.version}"`, 'X-Client-Id': 'graces-tab' },
      body: { fields: { name } },
      note: ({ version }) => `version ${version}`,
    });
    expectThat(changed.body.version === row.version + 1, `The row has version ${changed.body.version} after the edit.`);
    const [event, echo] = await Promise.all([adas.next('data:update'), graces.next('data:update')]);
    ada.say('\n     Ada receives data:update');
    for (const line of JSON.stringify(event, null, 2).split('\n')) ada.say(`     ${line}`);
    ada.say(
      `     Grace's socket receives it too, and knows it for her own by actor.clientId "${echo.actor.clientId}".`,
    );
    checkEvent(event, { channel, epoch, seq, row, name });
    expectThat(JSON.stringify(echo) === JSON.stringify(event), 'The two sockets received different events.');
    return event;
  } finally {
    adas.close();
    graces.close();
  }
}

function checkEvent(event, { channel, epoch, seq, row, name }) {
  const wanted = {
    channel,
    epoch,
    prev: seq,
    seq: seq + 1,
    actor: 'Grace Hopper',
    clientId: 'graces-tab',
    created: [],
    updated: [{ id: row.id, version: row.version + 1, fields: { name } }],
    deleted: [],
  };
  const got = { ...event, actor: event.actor.name, clientId: event.actor.clientId };
  for (const [key, value] of Object.entries(wanted))
    expectThat(
      JSON.stringify(got[key]) === JSON.stringify(value),
      `The event has ${key} ${JSON.stringify(got[key])} instead of ${JSON.stringify(value)}.`,
    );
}
