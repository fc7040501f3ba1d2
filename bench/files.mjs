/** Rows as files: what an import and an export of very many take, beside a bare COPY of the same, and how much memory they want. */
import { once } from 'node:events';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { ROLES } from '../dist/database/mini/roles.js';
import { cpuBetween, cpuOf, rssOf } from './children.mjs';
import { copyIn, copyOut } from './copy.mjs';
import { call } from './http-client.mjs';
import { COLUMNS, FLOOR_SCHEMA } from './world.mjs';

const LOOK_EVERY_MS = 200;
const KEYS = 'name, qty, amount, status, active, due, seen, notes';

/**
 * Imports a file of `count` lines into a table of its own, once for each `onError`; behind each the floor brings the same rows and the
 * same change log into tables of the same shape by two COPYs in one transaction.
 */
export async function measureImports(world, folder, count) {
  const file = path.join(folder, 'rows.csv');
  await writeLines(file, count);
  const results = [];
  for (const onError of ['abort', 'skip']) {
    const { token, baseId, base } = world.sides.ours;
    const post = { name: `Import ${onError}`, columns: COLUMNS };
    const table = await call(base, 'POST', `/api/v1/bases/${baseId}/tables`, token, post);
    const ours = await watched(world, [world.ours.pid], () =>
      importFile(world.sides.ours, table, file, `onError=${onError}`),
    );
    const floor = await copied(world, folder, table);
    results.push({ onError, count, ours, floor });
  }
  return results;
}

/** Exports the table that everything else is measured on, and the floor's by COPY, by turns. */
export async function measureExports(world, rounds) {
  const client = await world.postgres.asServer();
  await client.query('set jit = off');
  const { rows: path_, token, base } = world.sides.ours;
  const { schema, table } = world.table.physical;
  const results = [];
  for (let round = 0; round < rounds; round++) {
    const ours = await watched(world, [world.ours.pid], () => download(base, path_.replace(/rows$/, 'export'), token));
    const floor = await watched(world, [], () =>
      copyOut(client, `copy (select ${KEYS} from ${FLOOR_SCHEMA}.deals order by _id) to stdout (format csv)`),
    );
    results.push({ ours, floor });
  }
  const countOf = async (name) => Number((await client.query(`select count(*) as n from ${name}`)).rows[0].n);
  const floorCount = await countOf(`${FLOOR_SCHEMA}.deals`);
  await client.query(`set role ${ROLES.owner}`);
  const count = await countOf(`"${schema}"."${table}"`);
  await client.end();
  return { count, floorCount, results };
}

/** Time, processor time of these processes and of the database, and how far the memory of the first grew meanwhile (MB). */
async function watched({ postgres }, pids, work) {
  const begunWith = rssOf(pids[0]);
  let most = begunWith;
  const used = new Map();
  const look = () => {
    most = Math.max(most, rssOf(pids[0]) ?? 0);
    // Of a connection that ends on the way what was seen last counts.
    for (const [thread, ms] of cpuOf([...pids, ...postgres.pids()])) used.set(thread, ms);
  };
  look();
  const before = new Map(used);
  const timer = setInterval(look, LOOK_EVERY_MS);
  const from = performance.now();
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  const ms = performance.now() - from;
  look();
  return { ms, cpuMs: cpuBetween(before, used), grewMb: most - begunWith };
}

async function writeLines(file, count) {
  const out = createWriteStream(file);
  out.write(`${KEYS.replaceAll(' ', '')}\n`);
  for (let n = 0; n < count; n++) {
    const status = ['open', 'won', 'lost'][n % 3];
    const line = `Customer ${n},${(n * 7919) % 100_000},${n % 10_000}.25,${status},${n % 2 === 0},2026-03-14,2026-03-14T15:09:26.535Z,"They asked for an offer, with delivery in spring."\n`;
    if (!out.write(line)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

/** In the background: no connection has to stay open for so long. */
async function importFile({ base, token }, table, file, query) {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'text/csv',
    'content-length': statSync(file).size,
    prefer: 'respond-async',
  };
  const request = http.request(`${base}/api/v1/tables/${table.id}/import?${query}`, { method: 'POST', headers });
  createReadStream(file).pipe(request);
  const [response] = await once(request, 'response');
  const { id } = JSON.parse(await textOf(response));
  for (;;) {
    const job = await call(base, 'GET', `/api/v1/imports/${id}`, token);
    if (job.state === 'done') return;
    if (job.finishedAt) throw new Error(`The import ended as ${job.state}: ${JSON.stringify(job.problem)}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function textOf(response) {
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  if (response.statusCode >= 300) throw new Error(`The import was answered with ${response.statusCode}: ${text}`);
  return text;
}

async function download(base, url, token) {
  const headers = { authorization: `Bearer ${token}`, 'accept-encoding': 'identity' };
  const [response] = await once(http.get(`${base}${url}?format=csv`, { headers }), 'response');
  if (response.statusCode !== 200) throw new Error(`The export was answered with ${response.statusCode}.`);
  for await (const chunk of response) void chunk;
}

/** What the import made, brought once more into empty twins of its tables. */
async function copied(world, folder, { id, physical: { schema, table } }) {
  const client = await world.postgres.asServer();
  const pairs = [
    { own: `"${schema}"."${table}"`, twin: `${FLOOR_SCHEMA}."${table}"`, file: path.join(folder, 'copy-rows') },
    { own: `"${schema}"."_change"`, twin: `${FLOOR_SCHEMA}."${table}_change"`, file: path.join(folder, 'copy-log') },
  ];
  await client.query(`set role ${ROLES.owner}`);
  await copyOut(client, `copy (select * from ${pairs[0].own}) to stdout`, pairs[0].file);
  await copyOut(client, `copy (select * from ${pairs[1].own} where table_id = '${id}') to stdout`, pairs[1].file);
  await client.query('reset role');
  for (const { own, twin } of pairs) await client.query(`create table ${twin} (like ${own} including all)`);
  const floor = await watched(world, [], async () => {
    await client.query('begin');
    for (const { twin, file } of pairs) await copyIn(client, `copy ${twin} from stdin`, file);
    await client.query('commit');
  });
  await client.end();
  return floor;
}
