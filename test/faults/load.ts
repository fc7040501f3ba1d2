import { randomUUID } from 'node:crypto';
import { client, sleep, type Answer, type Row, type Table } from '../harness/index.js';
import type { History } from './history.js';
import type { Installation } from './installation.js';

/** Longer than any fault lasts, with what comes after it. */
const PATIENCE_MS = 60_000;

/** 503: the database is away. Of the rest nothing is an answer to a good request. */
const AGAIN = new Set([429, 503]);

/** A table in somebody else's database. */
export interface ExternalTable {
  readonly connectionId: string;
  /** As queries name it. */
  readonly from: string;
}

interface Caller {
  readonly installation: Installation;
  readonly history: History;
  readonly token: string;
  readonly table: Table;
}

/**
 * Sends a write until it is answered, to one node and then the other, always under the same key, as a client should that wants it done once.
 * Gives the answer that settles it.
 */
async function insist<T>(
  { installation, history, token }: Caller,
  method: 'POST' | 'PATCH',
  path: string,
  body: object,
  more: Record<string, string> = {},
): Promise<Answer<T>> {
  const headers = { 'idempotency-key': randomUUID(), ...more };
  const begun = Date.now();
  for (let attempt = 0; Date.now() - begun < PATIENCE_MS; attempt++) {
    const node = installation.nodes[attempt % 2 === begun % 2 ? 0 : 1];
    try {
      const answer = await client(node.base, token).call<T>(method, path, body, headers);
      history.count(String(answer.status));
      if (answer.status >= 500 && answer.status !== 503)
        history.wrong.push(`${method} ${path}: ${answer.status} ${answer.text}`);
      if (answer.status >= 400 && !(answer.headers.get('content-type') ?? '').startsWith('application/problem+json'))
        history.wrong.push(`${method} ${path}: ${answer.status} is no problem document`);
      if (!AGAIN.has(answer.status)) {
        if (attempt > 0) history.delays.push(Date.now() - begun);
        return answer;
      }
    } catch {
      history.count('no answer');
    }
    history.repeated++;
    await sleep(50);
  }
  throw new Error(`${method} ${path} was not answered within ${PATIENCE_MS} ms`);
}

/** Makes rows, and changes each once under its version. */
export async function write(caller: Caller, name: string, signal: AbortSignal): Promise<void> {
  const { history, table } = caller;
  const rows = `/tables/${table.id}/rows`;
  for (let i = 0; !signal.aborted; i++) {
    const called = `${name} ${i}`;
    const made = await insist<Row>(caller, 'POST', rows, { fields: { name: called, qty: i } });
    if (made.status !== 201) {
      history.wrong.push(`a row was refused: ${made.status} ${made.text}`);
      continue;
    }
    history.created.set(called, (history.created.get(called) ?? new Set()).add(made.body.id));
    history.acknowledge(made.body.id, made.body.version);
    const changed = await insist<Row>(
      caller,
      'PATCH',
      `${rows}/${made.body.id}`,
      { fields: { qty: -i } },
      { 'if-match': '"1"' },
    );
    if (changed.status === 200) history.acknowledge(changed.body.id, changed.body.version);
    // Nobody else changes it, and the key makes it once: so its version cannot have been another.
    else history.wrong.push(`a change under its version was refused: ${changed.status} ${changed.text}`);
  }
}

/** Makes several rows by one call. */
export async function writeBulk(caller: Caller, name: string, size: number, signal: AbortSignal): Promise<void> {
  const { history, table } = caller;
  for (let i = 0; !signal.aborted; i++) {
    const called = `${name} ${i}`;
    const ops = Array.from({ length: size }, () => ({ op: 'create', fields: { name: called } }));
    history.bulks.set(called, 0);
    const answer = await insist<{ results: { row: Row }[] }>(caller, 'POST', `/tables/${table.id}/rows/bulk`, { ops });
    if (answer.status !== 200) {
      history.wrong.push(`a bulk call was refused: ${answer.status} ${answer.text}`);
      continue;
    }
    history.bulks.set(called, answer.body.results.length);
    for (const { row } of answer.body.results) history.acknowledge(row.id, row.version);
  }
}

/** Adds one to the same row as others do, under the version that it read; who was too late reads again. */
export async function increment(caller: Caller, rowId: string, signal: AbortSignal): Promise<void> {
  const { history, table, installation, token } = caller;
  const path = `/tables/${table.id}/rows/${rowId}`;
  for (let i = 0; !signal.aborted; i++) {
    const read = await client(installation.nodes[i % 2 === 0 ? 0 : 1].base, token)
      .get<Row>(path)
      .catch(() => undefined);
    if (read?.status !== 200) {
      await sleep(50);
      continue;
    }
    const { qty } = read.body.fields;
    const version = { 'if-match': read.headers.get('etag') ?? '' };
    const answer = await insist<Row>(caller, 'PATCH', path, { fields: { qty: Number(qty) + 1 } }, version);
    if (answer.status === 200) history.increments++;
    else if (answer.status !== 412) history.wrong.push(`an increment was refused: ${answer.status} ${answer.text}`);
    await sleep(20);
  }
}

/** Reads a database of somebody else, which is slow or gone at times: whatever happens there, the answer is a problem that says so. */
export async function readExternal(
  caller: Caller,
  { connectionId, from }: ExternalTable,
  signal: AbortSignal,
): Promise<void> {
  const { history, installation, token } = caller;
  for (let i = 0; !signal.aborted; i++) {
    try {
      const as = client(installation.nodes[i % 2 === 0 ? 0 : 1].base, token);
      const { status, text } = await as.post(`/connections/${connectionId}/query`, { from });
      history.count(`external ${status}`);
      if (![200, 429, 502, 503, 504].includes(status)) history.wrong.push(`an external read: ${status} ${text}`);
    } catch {
      history.count('external no answer');
    }
    await sleep(100);
  }
}
