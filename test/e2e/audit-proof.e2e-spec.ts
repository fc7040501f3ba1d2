import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it, jest } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { asSuperuser, client, databases, expectStatus, signup, sleep, sql, startNode, waitFor, world, type TestDatabases, type Table } from '../harness/index.js'; // prettier-ignore
import { loggedChanges, replay, storedRows } from '../support/changes.js';
import { cutOff, isDeath, mortalNodes } from '../support/mortal-nodes.js';
import { groundIn, randomMutation, type Ground } from '../support/random-mutations.js';
import { randomOf } from '../support/random.js';
import { path } from '../support/rows.js';

/** What is done is the same for the same seed; how the writers meet is not. The issue of it all is tried with 10,000. */
const SEED = Number(process.env.AUDIT_SEED ?? Date.now() % 1_000_000);
const MUTATIONS = Number(process.env.AUDIT_MUTATIONS ?? 300);
const WRITERS = 4;
const PATIENCE = 60_000 + MUTATIONS * 500;

jest.setTimeout(PATIENCE + 120_000);

/** How it ended, by the id of its request. Of those whose answer was lost, or 503, nobody knows. */
type Endings = Map<string, 'done' | 'refused' | 'unknown'>;

interface Entry {
  readonly action: string;
  readonly type: string;
  readonly id: string | null;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly request: string;
}

/** Ids of the requests that the log of a table tells of. */
const requestsIn = async ({ mini }: TestDatabases, { id, physical }: Table): Promise<ReadonlySet<string>> => {
  const found = await sql<{ request: string }>(
    mini,
    `select distinct request_id as request from "${physical.schema}"._change where table_id = $1`,
    [id],
  );
  return new Set(found.map(({ request }) => request));
};

/** Entries of metadata in the order of their chain. */
const entriesOf = ({ main }: TestDatabases, workspaceId: string): Promise<Entry[]> =>
  sql<Entry>(
    main,
    `select e.action, e.resource_type as type, e.resource_id as id, e.before, e.after, e.request_id as request
     from audit_links l join audit_log e on e.id = l.audit_id where l.stream = $1 order by l.seq`,
    [workspaceId],
  );

/** What one thing was before a change is what it became by the one before; its place alone moves with others, which come and go. */
function gaps(entries: readonly Entry[]): string[] {
  const states = new Map<string, Record<string, unknown>>();
  return entries.flatMap(({ action, type, id, before, after, request }) => {
    // Publications are told of their views, and rules of their tables.
    const thing = `${type} ${id} ${/publi|rules/.exec(action)?.[0] ?? ''}`;
    const state = states.get(thing) ?? {};
    const wrong = Object.entries(before ?? {}).filter(([key, was]) => key !== 'position' && key in state && !isDeepStrictEqual(state[key], was)); // prettier-ignore
    states.set(thing, { ...state, ...before, ...after });
    return wrong.map(([key, was]) => `${request} ${action}: ${key} was ${JSON.stringify(state[key])}, not ${JSON.stringify(was)}`); // prettier-ignore
  });
}

describe(`the record of changes of all kinds, with AUDIT_SEED=${SEED}`, () => {
  it(`has what was acknowledged and nothing else after ${MUTATIONS} of them and several kills, and leads to what is there`, async () => {
    const pair = await databases();
    const nodes = mortalNodes(pair);
    const at = await world((await nodes.at(0)).base);
    const token = must(at.owner.token, 'a token');
    const grounds: Ground[] = [];
    const viewers = [];
    for (let nr = 0; nr < WRITERS; nr++) {
      const viewer = await signup(at.owner.base);
      viewers.push(viewer);
      grounds.push(await groundIn(at.owner, at.workspace.id, nr, viewer));
    }

    const endings: Endings = new Map();
    const state = { done: 0, isOver: false };
    const count = { done: 0, refused: 0, unknown: 0 };
    const writer = async (ground: Ground, nr: number) => {
      const random = randomOf(SEED * 100 + nr);
      for (let i = 0; !state.isOver; i++) {
        const request = `proof-${nr}-${i}`;
        const { method, path: to, body, learn } = randomMutation(random, ground, `w${nr}x${i}`);
        const headers = {
          'x-request-id': request,
          ...(typeof body === 'string' ? { 'content-type': 'text/csv' } : {}),
        };
        const as = client((await nodes.at(nr + i)).base, token);
        const answer = await as.call(method, to, body, headers).catch((error: unknown) => {
          if (!isDeath(error)) throw error;
          return undefined;
        });
        const ended = !answer || answer.status === 503 ? 'unknown' : answer.status < 300 ? 'done' : 'refused';
        if (answer && answer.status >= 500 && answer.status !== 503)
          throw new Error(`${request} ${method} ${to}: ${answer.text}`);
        endings.set(request, ended);
        count[ended]++;
        if (ended === 'done') state.done++;
        if (answer && ended === 'done') learn?.(answer);
        if (ended === 'unknown') await sleep(50);
      }
    };
    const writers = Promise.all(grounds.map(writer));
    const blows = [
      () => nodes.kill(0),
      () => cutOff(pair),
      () => nodes.kill(1),
      () => Promise.all([nodes.kill(0), nodes.kill(1)]),
    ];
    const strike = async () => {
      for (const [i, blow] of blows.entries()) {
        await waitFor(() => state.done > ((i + 1) / (blows.length + 1)) * MUTATIONS, PATIENCE);
        await blow();
      }
      await waitFor(() => state.done >= MUTATIONS, PATIENCE);
    };
    await Promise.race([writers, strike()]);
    state.isOver = true;
    await writers;

    const as = client((await nodes.at(1)).base, token);
    // Changes of the structure that a death broke off are brought to an end first.
    await waitFor(
      async () => (await sql<{ n: number }>(pair.main, `select count(*)::int as n from schema_ops where state = 'pending'`))[0]?.n === 0, // prettier-ignore
      30_000,
    );
    const told = new Set((await entriesOf(pair, at.workspace.id)).map(({ request }) => request));
    for (const {
      table: { id },
    } of grounds) {
      const table = expectStatus(await as.get<Table>(`/tables/${id}`), 200);
      for (const request of await requestsIn(pair, table)) told.add(request);
      // Numbers and versions without a hole, and before is what was there: else this throws.
      const rows = replay(await loggedChanges(pair.mini, table));
      expect(rows).toEqual(await storedRows(pair.mini, table));
      const verdict = expectStatus(
        await as.get<{ ok: boolean; brokenAt: unknown }>(`/tables/${id}/history/verify`),
        200,
      );
      expect(verdict).toMatchObject({ ok: true, brokenAt: null });
    }
    const sent = [...told].filter((request) => request.startsWith('proof-'));
    const wrong = [...endings].filter(
      ([request, ended]) => ended !== 'unknown' && told.has(request) !== (ended === 'done'),
    );
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(sent.filter((request) => !endings.has(request))).toEqual([]);
    const late = [...endings].filter(([request, ended]) => ended === 'unknown' && told.has(request)).length;
    expect(sent.length).toBe(count.done + late);
    const entries = await entriesOf(pair, at.workspace.id);
    expect(gaps(entries).slice(0, 10)).toEqual([]);
    const chain = expectStatus(await as.get(`/workspaces/${at.workspace.id}/audit-logs/verify`), 200);
    expect(chain).toMatchObject({ ok: true, unlinked: 0, checked: entries.length });
    for (const [nr, ground] of grounds.entries()) {
      const viewer = client(as.base, viewers[nr]?.token);
      for (const to of [
        `${path(ground.table)}?limit=1000`,
        `/tables/${ground.table.id}/history?limit=1000`,
        `/tables/${ground.table.id}/changes?after=0&limit=1000`,
      ]) {
        const seen = await viewer.get(to);
        expect([to, seen.status, seen.text.includes('hidden w')]).toEqual([to, 200, false]);
      }
    }
    expect(state.done).toBeGreaterThanOrEqual(MUTATIONS);
    expect(count.unknown).toBeGreaterThan(0);
  });

  it('is not there where it cannot be written, and then nothing else is', async () => {
    const pair = await databases();
    const at = await world((await startNode({ databases: pair })).base);
    const { schema, table } = at.table.physical;
    const rows = async () =>
      (await sql<{ n: number }>(pair.mini, `select count(*)::int as n from "${schema}"."${table}"`))[0]?.n;
    await asSuperuser(pair.mini.database, (db) => db.query(`alter table "${schema}"._change add constraint full_up check (op <> 'create') not valid`)); // prettier-ignore
    await asSuperuser(pair.main.database, (db) => db.query(`alter table audit_log add constraint full_up check (action <> 'base.updated') not valid`)); // prettier-ignore
    const fields = { name: 'not written' };
    for (const answer of [
      await at.owner.post(path(at.table), { fields }),
      await at.owner.post(path(at.table, 'bulk'), { mode: 'atomic', ops: [{ op: 'create', fields }] }),
      await at.owner.patch(`/bases/${at.base.id}`, { name: 'Not written' }),
    ])
      expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(await rows()).toBe(0);
    expect(expectStatus(await at.owner.get<{ name: string }>(`/bases/${at.base.id}`), 200).name).toBe('CRM');
  });
});
