/** What two servers ask the database for one request each, and how long the database takes for it: neither HTTP nor Node.js in between. */
import { readFileSync } from 'node:fs';
import { median } from './measure.mjs';

export const ENTRY = /\n(?=\d{4}-\d\d-\d\d \d\d:)/;
const TIMES = 60;
const AS_IT_CAME = { getTypeParser: () => (value) => value };
let timed = 0;

/**
 * The statement that a request comes to, with its values, as PostgreSQL itself logs it, and what was answered.
 * @param ask makes the request, and resolves when it is answered
 * @param marks what is in the text of this statement and of no other
 */
export async function statementOf(postgres, ask, marks) {
  const before = readFileSync(postgres.log).length;
  await postgres.logStatements(true);
  const answer = await ask();
  await postgres.logStatements(false);
  const entries = readFileSync(postgres.log).subarray(before).toString().split(ENTRY);
  const at = entries.findIndex((entry) => / execute /.test(entry) && entry.includes(marks));
  if (at < 0) throw new Error(`PostgreSQL logged no statement with ${marks}.`);
  const text = entries[at].replace(/^.*?duration: .*? execute [^:]*: /s, '').replaceAll('\n\t', '\n');
  const values = [...(entries[at + 1] ?? '').matchAll(/\$\d+ = '([^']*)'/g)].map(([, value]) => value);
  return { text, values, answer };
}

/** Runs both by turns on one connection, prepared, `rounds` times so many of each. In the shape of `interleaved`. */
export async function timeStatements(client, { ours, floor }, rounds, count = TIMES) {
  const runs = ++timed; // a client knows a statement by its name
  const run = async ({ text, values }, name) => {
    const begun = performance.now();
    // As the server asks it: rows come as records in binary form.
    const binary = text.includes('record_send');
    await client.query({ name: `${name} ${runs}`, text, values, rowMode: 'array', binary, types: AS_IT_CAME });
    return performance.now() - begun;
  };
  const results = { ours: [], floor: [] };
  for (let round = -1; round < rounds; round++) {
    const times = { ours: [], floor: [] };
    for (let i = 0; i < count; i++) {
      times.floor.push(await run(floor, 'floor'));
      times.ours.push(await run(ours, 'ours'));
    }
    // The first prepares, and warms up.
    if (round >= 0) for (const side of ['ours', 'floor']) results[side].push(median(times[side]));
  }
  const side = (name) => ({ perSecond: 1000 / median(results[name]), p50: median(results[name]), p99: NaN });
  const ratios = results.ours.map((ms, i) => results.floor[i] / ms);
  return { ours: side('ours'), floor: side('floor'), ratio: median(ratios), ratios, cost: NaN };
}
