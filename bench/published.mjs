/** A published view: what has not changed, as 304 and from memory, against a bare server that answers a constant; another page each time against the floor. */
import { readFileSync } from 'node:fs';
import { call, connect, request } from './http-client.mjs';
import { ENTRY } from './statements.mjs';

const KEYS = ['name', 'qty', 'amount', 'status', 'due'];
const SAME = 'filter=qty.lte.5000&sort=-qty&limit=100';
const REQUESTS = 10_000;
const CLIENTS = 32;

/** The view and its address; and the answer that both servers give again and again. */
export async function makePublished({ base, token, workspaceId }, table, floorBase) {
  const view = await call(base, 'POST', `/api/v1/workspaces/${workspaceId}/views`, token, {
    name: 'Published',
    definition: {
      source: { table: table.id },
      columns: KEYS,
      filter: { field: 'status', op: 'in', value: ['open', 'won'] },
    },
  });
  const settings = {
    auth: 'public',
    filterable: ['qty'],
    sortable: ['qty'],
    rateLimit: { limit: 10_000_000, windowSeconds: 1 },
  };
  const { url } = await call(base, 'POST', `/api/v1/views/${view.id}/api`, token, settings);
  const client = connect(base);
  const { head, parts } = await client.send(request('GET', `${url}?${SAME}`), true);
  client.close();
  const etag = /^etag: (.*)$/im.exec(head)[1].trim();
  await call(floorBase, 'POST', '/keep', undefined, {
    body: Buffer.concat(parts).toString(),
    stream: { schema: table.physical.schema, table: table.id },
  });
  return { url, etag };
}

/** What an expert writes for a page of it. */
export const PUBLISHED_PAGE = `select string_agg(j, ',') from (select concat('{"name":', to_json(name), ',"qty":', qty, ',"amount":', coalesce('"' || amount || '"', 'null'),
    ',"status":', coalesce('"' || status || '"', 'null'), ',"due":', coalesce('"' || due || '"', 'null'), '}') as j
  from (select * from $FROM where _deleted_at is null and qty <= $1 and status = any ($2) order by qty desc nulls last, _id desc limit 100) t) p`;

export const publishedPath = ({ url }, qty) => `${url}?filter=qty.lte.${qty}&sort=-qty&limit=100`;

/** The requests of both sides. */
export const PUBLISHED = {
  unchanged: {
    ours: ({ published: { url, etag } }) =>
      request('GET', `${url}?${SAME}`, undefined, undefined, [`If-None-Match: ${etag}`]),
    floor: ({ published: { etag } }) =>
      request('GET', `/unchanged?${SAME}`, undefined, undefined, [`If-None-Match: ${etag}`]),
  },
  cached: {
    ours: ({ published: { url } }) => request('GET', `${url}?${SAME}`),
    floor: () => request('GET', `/constant?${SAME}`),
  },
};

/** The same against a floor that asks where the change log stands before it answers. */
export const PUBLISHED_ASKED = {
  unchanged: {
    ours: PUBLISHED.unchanged.ours,
    floor: ({ published: { etag } }) =>
      request('GET', `/asked/unchanged?${SAME}`, undefined, undefined, [`If-None-Match: ${etag}`]),
  },
  cached: { ours: PUBLISHED.cached.ours, floor: () => request('GET', `/asked/constant?${SAME}`) },
};

/** How many questions many readers of the same page are to the rows, and to the change log, by PostgreSQL's log; after a write, so that the first has to ask. */
export async function countQuestions({ postgres, sides: { ours } }) {
  const { base, token, rows, ids, published } = ours;
  const before = readFileSync(postgres.log).length;
  await call(base, 'PATCH', `${rows}/${ids[0]}`, token, { fields: { notes: 'Changed.' } });
  await postgres.logStatements(true);
  const clients = Array.from({ length: CLIENTS }, () => connect(base));
  let left = REQUESTS;
  await Promise.all(
    clients.map(async (client) => {
      while (left-- > 0) {
        const { status } = await client.send(request('GET', `${published.url}?${SAME}`));
        if (status !== 200) throw new Error(`A published view was answered with ${status}.`);
      }
    }),
  );
  for (const client of clients) client.close();
  await postgres.logStatements(false);
  const entries = readFileSync(postgres.log).subarray(before).toString().split(ENTRY);
  const asked = entries.filter((entry) => / execute /.test(entry));
  const ofRows = asked.filter((entry) => entry.includes('"p0"')).length;
  return { requests: REQUESTS, ofRows, others: asked.length - ofRows };
}
