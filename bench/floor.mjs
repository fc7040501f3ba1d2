/**
 * The floor: what the machine can do when nothing is asked of the server but the bare work. `node:http`, `pg` with prepared
 * statements and a pool as large as ours, SQL written by hand, JSON text made by PostgreSQL and passed through. No sign-in,
 * no rights, no validation, no change log, no versions, no events.
 */
import http from 'node:http';
import pg from 'pg';
import { Server } from 'socket.io';
import { EXTERNAL_PAGE } from './external.mjs';
import { PUBLISHED_PAGE } from './published.mjs';
import { joinedPage, LOOKUP } from './views.mjs';

const { database, poolSize, schema, table, linked } = JSON.parse(process.env.BENCH_FLOOR);
const pool = new pg.Pool({ ...database, max: poolSize, options: '-c timezone=UTC -c jit=off' });
const from = `"${schema}"."${table}"`;

/** The row in the very shape of the API, in the fastest form that we know (json_build_object takes half as long again). */
const ROW = `concat('{"id":"', _id, '","version":', _version, ',"fields":{"name":', to_json(name), ',"qty":', coalesce(qty::text, 'null'),
  ',"amount":', coalesce('"' || amount || '"', 'null'), ',"status":', coalesce('"' || status || '"', 'null'), ',"active":', coalesce(active::text, 'null'),
  ',"due":', coalesce('"' || due || '"', 'null'), ',"seen":', coalesce(to_char(seen, '"\\""YYYY-MM-DD"T"HH24:MI:SS.MS"Z\\""'), 'null'),
  ',"notes":', coalesce(to_json(notes)::text, 'null'),
  '},"createdAt":', left(to_json(date_trunc('milliseconds', _created_at) + interval '1 microsecond')::text, 24), 'Z","createdBy":', coalesce('"' || _created_by || '"', 'null'),
  ',"updatedAt":', left(to_json(date_trunc('milliseconds', _updated_at) + interval '1 microsecond')::text, 24), 'Z","updatedBy":', coalesce('"' || _updated_by || '"', 'null'), '}')`;
const COLUMNS = 'name, qty, amount, status, active, due, seen, notes';
const TYPES = 'text bigint numeric text boolean date timestamptz text'.split(' ');
const NAMES = COLUMNS.split(', ');

const query = async (name, text, values) =>
  (await pool.query({ name, text: text.replaceAll('$FROM', from), values, rowMode: 'array' })).rows;

async function page(url) {
  const qty = /qty=(\d+)/.exec(url)[1];
  const [[data]] = await query(
    'page',
    `select string_agg(j, ',') from (select ${ROW} as j from (select * from $FROM
      where _deleted_at is null and qty <= $1 and status = any ($2) order by qty desc nulls last, _id desc limit 100) t) p`,
    [qty, ['open', 'won']],
  );
  return `{"data":[${data ?? ''}]}`;
}

/** With what the rule of ruled.mjs says. */
async function ruledPage(url) {
  const qty = /qty=(\d+)/.exec(url)[1];
  const [[data]] = await query(
    'ruled',
    `select string_agg(j, ',') from (select ${ROW} as j from (select * from $FROM
      where _deleted_at is null and qty <= $1 and active = $2 and status = any ($3) and amount >= $4 order by qty desc nulls last, _id desc limit 100) t) p`,
    [qty, true, ['open', 'won'], '100.00'],
  );
  return `{"data":[${data ?? ''}]}`;
}

/** What an expert writes for fifty rows: the page first, then one look at the people and one at the deals of each row, by index. */
const LINKED =
  `select string_agg(j, ',') from (select concat('{"id":"', c._id, '","version":', c._version, ',"fields":{"name":', coalesce(to_json(c.name)::text, 'null'),
  ',"rank":', coalesce(c.rank::text, 'null'), ',"people_names":[', p.names, '],"deal_stages":[', d.stages, '],"revenue":"', d.revenue, '"',
  '},"createdAt":', left(to_json(date_trunc('milliseconds', c._created_at) + interval '1 microsecond')::text, 24), 'Z","createdBy":', coalesce('"' || c._created_by || '"', 'null'),
  ',"updatedAt":', left(to_json(date_trunc('milliseconds', c._updated_at) + interval '1 microsecond')::text, 24), 'Z","updatedBy":', coalesce('"' || c._updated_by || '"', 'null'), '}') as j
  from (select * from $COMPANIES where _deleted_at is null and rank <= $1 order by rank desc nulls last, _id desc limit 50) c
  cross join lateral (select string_agg(to_json(r.name)::text, ',' order by l.target_order, l.source_id) as names
    from $PEOPLE_LINK l join $PEOPLE r on r._id = l.source_id where l.target_id = c._id and r.name is not null) p
  cross join lateral (select string_agg('"' || r.stage || '"', ',' order by l.target_order, l.source_id) as stages, coalesce(sum(r.amount), 0) as revenue
    from $DEALS_LINK l join $DEALS r on r._id = l.source_id where l.target_id = c._id) d
  order by c.rank desc nulls last, c._id desc) t`
    .replace('$COMPANIES', linked.companies)
    .replace('$PEOPLE_LINK', linked.peopleLink)
    .replace('$PEOPLE', linked.people)
    .replace('$DEALS_LINK', linked.dealsLink)
    .replace('$DEALS', linked.deals);

async function linkedPage(url) {
  const [[data]] = await query('linked', LINKED, [/rank=(\d+)/.exec(url)[1]]);
  return `{"data":[${data ?? ''}]}`;
}

async function externalPage(url) {
  const [[data]] = await query('external', EXTERNAL_PAGE, [/qty=(\d+)/.exec(url)[1], ['open', 'won']]);
  return `{"data":[${data ?? ''}]}`;
}

const JOINED = joinedPage('$FROM', linked.companies);
const asked = (url) => [/qty=(\d+)/.exec(url)[1], ['open', 'won']];

async function joinedViewPage(url) {
  const [[data]] = await query('joined', JOINED, asked(url));
  return `{"data":[${data ?? ''}]}`;
}

const LOOKUP_PAGE = LOOKUP.page('$FROM');

/** Two databases know nothing of each other: the second is asked when the first has answered. */
async function lookupPage(url) {
  const rows = await query('lookup', LOOKUP_PAGE, asked(url));
  const others = new Map(await query('others', LOOKUP.others, [[...new Set(rows.map(([, qty]) => qty))]]));
  return `{"data":[${rows.map(([text, qty]) => text + (others.get(Number(qty)) ?? LOOKUP.nobody)).join()}]}`;
}

const one = async (url) => (await query('one', `select ${ROW} from $FROM where _id = $1`, [url.slice(5)]))[0][0];

async function insert(_url, body) {
  const { fields } = JSON.parse(body);
  const values = NAMES.map((name) => fields[name]);
  const [[row]] = await query(
    'insert',
    `insert into $FROM (_id, _version, _created_at, _updated_at, ${COLUMNS})
      values (uuidv7(), 1, now(), now(), $1, $2, $3, $4, $5, $6, $7, $8) returning ${ROW}`,
    values,
  );
  return row;
}

async function update(url, body) {
  const { fields } = JSON.parse(body);
  const values = [url.slice(8), fields.amount, fields.status];
  const [[row]] = await query(
    'update',
    `update $FROM set amount = $2, status = $3 where _id = $1 returning ${ROW}`,
    values,
  );
  return row;
}

async function bulk(_url, body) {
  const { ops } = JSON.parse(body);
  const lists = NAMES.map((name) => ops.map(({ fields }) => fields[name] ?? null));
  const unnested = TYPES.map((type, i) => `$${i + 1}::${type}[]`).join(', ');
  const ids = await query(
    'bulk',
    `insert into $FROM (_id, _version, _created_at, _updated_at, ${COLUMNS})
      select uuidv7(), 1, now(), now(), u.* from unnest(${unnested}) u returning _id`,
    lists,
  );
  return JSON.stringify({ ids: ids.map(([id]) => id) });
}

async function publishedPage(url) {
  const [[data]] = await query('published', PUBLISHED_PAGE, asked(url));
  return `{"data":[${data ?? ''}]}`;
}

/** What is answered again and again, without a look at anything. */
let constant = Buffer.alloc(0);
const CONSTANTS = {
  constant: (response) =>
    response
      .writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': constant.length })
      .end(constant),
  unchanged: (response) => response.writeHead(304).end(),
};

/** Where the change log of the published table stands, asked by one question at a time for all who came before it: the least that an exact answer has to ask. */
let stream;
let waiting;
let isAsking = false;
function whenAsked(then) {
  if (waiting) return waiting.push(then);
  waiting = [then];
  if (!isAsking) setImmediate(askOnce);
}

async function askOnce() {
  const batch = waiting;
  waiting = undefined;
  isAsking = true;
  await query('stream', `select epoch, seq from "${stream.schema}"."_stream" where table_id = $1`, [stream.table]);
  isAsking = false;
  for (const then of batch) then();
  if (waiting) setImmediate(askOnce);
}

function keep(_url, body) {
  const kept = JSON.parse(body);
  constant = Buffer.from(kept.body);
  stream = kept.stream;
  return '{}';
}

function emit(_url, body) {
  io.to('room').emit('data:update', JSON.parse(body));
  return '{}';
}

const ROUTES = {
  page,
  ruled: ruledPage,
  linked: linkedPage,
  external: externalPage,
  joined: joinedViewPage,
  lookup: lookupPage,
  published: publishedPage,
  keep,
  one,
  insert,
  update,
  bulk,
  emit,
};

const nameIn = (url) => /^\/(\w+)/.exec(url)?.[1];

const server = http.createServer((request, response) => {
  const answer = CONSTANTS[nameIn(request.url)];
  if (answer) return answer(response);
  const asked = CONSTANTS[/^\/asked\/(\w+)/.exec(request.url)?.[1]];
  if (asked) return whenAsked(() => asked(response));
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const work = ROUTES[nameIn(request.url)];
    Promise.resolve()
      .then(() => work(request.url, Buffer.concat(chunks).toString()))
      .then(
        (text) => {
          const bytes = Buffer.from(text);
          response.writeHead(200, {
            'content-type': 'application/json; charset=utf-8',
            'content-length': bytes.length,
          });
          response.end(bytes);
        },
        (error) => response.writeHead(500).end(String(error)),
      );
  });
});

// Everybody who connects is in the one room.
const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
io.on('connection', (socket) => socket.join('room'));

server.keepAliveTimeout = 72_000;
server.listen(0, '127.0.0.1', () => process.send({ base: `http://127.0.0.1:${server.address().port}` }));
process.on('disconnect', () => process.exit());
process.on('SIGINT', () => undefined);
