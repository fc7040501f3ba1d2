/** A column of very many rows that is converted while rows are written: how long it takes, what writers feel of it, and that nothing is lost. */
import { ROLES } from '../dist/database/mini/roles.js';
import { call, connect, request } from './http-client.mjs';

const WRITERS = 4;
/** Rows that writers change again and again. */
const CHANGED = 4_000;
/** Before and behind the conversion, for comparison. */
const CALM_MS = 5_000;
const LOOK_EVERY_MS = 250;

/**
 * Converts text to integer. Every acknowledged write, and every row that nobody wrote, is compared in the end.
 * @throws Error when a value is lost, or the conversion does not come to its end
 */
export async function measureConversion({ postgres, sides: { ours } }, count) {
  const { base, token, baseId } = ours;
  const api = (method, path, body) => call(base, method, `/api/v1${path}`, token, body);
  const columns = [
    { name: 'Code', type: 'text' },
    { name: 'Nr', type: 'integer' },
  ];
  const table = await api('POST', `/bases/${baseId}/tables`, { name: 'Conversion', columns });
  const name = `"${table.physical.schema}"."${table.physical.table}"`;
  const client = await postgres.asServer();
  await client.query(`set role ${ROLES.owner}`);
  await client.query(
    `insert into ${name} (_id, _version, _created_at, _updated_at, code, nr)
     select uuidv7(make_interval(secs => (n - $1::int) / 1000.0)), 1, now(), now(), n::text, n from generate_series(1, $1::int) n`,
    [count],
  );
  await client.query(`vacuum analyze ${name}`);
  const every = Math.max(1, Math.floor(count / CHANGED));
  const { rows } = await client.query(`select _id from ${name} where nr % $1 = 0`, [every]);
  const ids = rows.map(({ _id }) => _id);

  const load = writers(base, token, `/api/v1/tables/${table.id}/rows`, ids);
  await pause(CALM_MS);
  const path = `/tables/${table.id}/columns/${table.columns[0].id}`;
  const to = { type: 'integer' };
  const { confirmToken } = await api('POST', `${path}/convert`, { to, dryRun: true });
  const from = performance.now();
  await api('POST', `${path}/convert`, { to, confirmToken, acceptChanges: true });
  let state;
  do {
    await pause(LOOK_EVERY_MS);
    ({ state } = await api('GET', `${path}/conversion`));
  } while (state === 'converting' || state === 'stopping');
  const until = performance.now();
  await pause(CALM_MS);
  const { writes, wanted, made } = await load.end();
  if (state !== 'done') throw new Error(`The conversion ended as ${state}.`);

  const now = await client.query(`select _id, code from ${name} where _id = any($1)`, [[...wanted.keys()]]);
  const stored = new Map(now.rows.map(({ _id, code }) => [_id, Number(code)]));
  const untouched = await client.query(
    `select count(*)::int as n, count(*) filter (where nr is not null and code is distinct from nr and not _id = any($1))::int as wrong from ${name}`,
    [[...wanted.keys()]],
  );
  await client.end();
  const [{ n, wrong }] = untouched.rows;
  const lost = [...wanted].filter(([id, value]) => stored.get(id) !== value).length + wrong + (count + made - n);
  if (lost !== 0) throw new Error(`${lost} values are lost.`);
  const rate = (a, b) => writes.filter(({ at }) => at >= a && at < b).length / ((b - a) / 1000);
  return {
    count,
    seconds: (until - from) / 1000,
    before: rate(from - CALM_MS, from),
    during: rate(from, until),
    after: rate(until, until + CALM_MS),
    longest: Math.max(...writes.filter(({ at, ms }) => at >= from && at - ms < until).map(({ ms }) => ms)),
    compared: wanted.size,
  };
}

/** Each writes rows that the others do not: what a row is to hold is known from its own writer. */
function writers(base, token, path, ids) {
  const writes = [];
  const wanted = new Map();
  let ends = false;
  let made = 0;
  let next = 10_000_000;
  const write = async (nr) => {
    const connection = connect(base);
    const own = ids.filter((_, i) => i % WRITERS === nr);
    for (let i = 0; !ends; i++) {
      const id = i % 5 === 0 ? undefined : own[i % own.length];
      const value = next++;
      const send = (code) => {
        const body = { fields: { code } };
        const bytes = id ? request('PATCH', `${path}/${id}`, token, body) : request('POST', path, token, body);
        return connection.send(bytes, true);
      };
      const begun = performance.now();
      // Texts are not taken any more from the moment on at which there are integers.
      let answer = await send(String(value));
      if (answer.status === 422) answer = await send(value);
      const at = performance.now();
      const text = Buffer.concat(answer.parts).toString();
      if (answer.status === 423 || answer.status === 503) continue;
      if (answer.status >= 300) throw new Error(`A write was answered with ${answer.status}: ${text}`);
      writes.push({ at, ms: at - begun });
      wanted.set(id ?? JSON.parse(text).id, value);
      if (!id) made++;
    }
    connection.close();
  };
  const all = Promise.all(Array.from({ length: WRITERS }, (_, nr) => write(nr)));
  // Reported by end().
  all.catch(() => undefined);
  return {
    end: async () => {
      ends = true;
      await all;
      return { writes, wanted, made };
    },
  };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
