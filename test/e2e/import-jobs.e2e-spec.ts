import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  asSuperuser,
  client,
  databases,
  expectStatus,
  member,
  ownFolder,
  socket,
  sql,
  startNode,
  waitFor,
  world,
  type Client,
  type ProblemBody,
  type Table,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';

jest.setTimeout(180_000);

interface Counts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly failed: number;
}
interface Job extends Counts {
  readonly id: string;
  readonly tableId: string;
  readonly state: string;
  readonly bytes: number;
  readonly bytesRead: number;
  readonly result: (Counts & { readonly errors: readonly { readonly line: number }[] }) | null;
  readonly problem: ProblemBody | null;
}
type Progress = Pick<Job, 'id' | 'state' | 'bytes' | 'bytesRead' | 'created'>;

const COLUMNS = [
  { name: 'Name', type: 'text' },
  { name: 'Qty', type: 'integer' },
];
const file = (rows: number): string =>
  ['name,qty', ...Array.from({ length: rows }, (_, i) => `row ${i},${i}`)].join('\n');
const CSV = { 'content-type': 'text/csv' };
const LATER = { ...CSV, prefer: 'respond-async' };
const counts = ({ created, updated, unchanged, failed }: Counts) => [created, updated, unchanged, failed];

let pair: TestDatabases;
let at: World;
let node: TestNode;
/** Nodes of one installation share the folder of the files, as they share the databases. */
let options: Parameters<typeof startNode>[0];
/** The owner at whichever node is up. */
let owner: Client;

async function start(): Promise<TestNode> {
  node = await startNode(options);
  return node;
}
async function restart(): Promise<void> {
  await start();
  owner = client(node.base, at.owner.token);
}

beforeAll(async () => {
  pair = await databases();
  options = { databases: pair, env: { DATA_DIR: ownFolder('data') } };
  await start();
  at = await world(node.base, { columns: COLUMNS });
  ({ owner } = at);
});

let tables = 0;
const newTable = async (columns: readonly object[] = COLUMNS): Promise<Table> =>
  expectStatus(await owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `T${++tables}`, columns }), 201);
const send = (table: Table, body: string, query = '', headers: Readonly<Record<string, string>> = CSV) =>
  owner.call<Counts & ProblemBody & { readonly id: string }>(
    'POST',
    `/tables/${table.id}/import?${query}`,
    body,
    headers,
  );
const sendLater = async (table: Table, body: string, query = '', key?: string): Promise<Job> => {
  const headers = { ...LATER, ...(key === undefined ? {} : { 'idempotency-key': key }) };
  return expectStatus(await owner.call<Job>('POST', `/tables/${table.id}/import?${query}`, body, headers), 202);
};
const look = async (id: string): Promise<Job> => expectStatus(await owner.get<Job>(`/imports/${id}`), 200);
const over = (id: string, ms = 90_000): Promise<Job> =>
  waitFor(async () => {
    const job = await look(id);
    return job.state === 'running' ? undefined : job;
  }, ms);
const mini = <T extends object>(table: Table, statement: string): Promise<T[]> =>
  sql<T>(pair.mini, statement.replaceAll('@t', `${table.physical.schema}.${table.physical.table}`));
const rowsIn = async (table: Table): Promise<number> => {
  const [row] = await mini<{ n: string }>(table, 'select count(*) as n from @t');
  return Number(row?.n);
};
/** Rows, and different values in them: a row that was written twice makes the first larger. */
const copies = async (table: Table): Promise<number[]> => {
  const [row] = await mini<{ n: string; d: string }>(table, 'select count(*) as n, count(distinct qty) as d from @t');
  return [Number(row?.n), Number(row?.d)];
};
/** Whoever has gone is believed to be there for 20 s; tests do not wait so long. */
const expireLeases = () =>
  sql(pair.main, "update imports set lease_until = now() - interval '1 second' where lease_until is not null");
/** Until some of it is written and more is to come. */
const partOf = (table: Pick<Table, 'physical'>) =>
  waitFor(async () => (await rowsIn(table as Table).catch(() => 0)) > 1_000, 60_000, 5);
/** Until somebody holds a table against writers, which is as long as an import of all or nothing lasts. */
const held = () =>
  waitFor(
    async () => {
      const [row] = await sql<{ n: string }>(
        pair.mini,
        "select count(*) as n from pg_locks where mode = 'ExclusiveLock' and locktype = 'relation' and granted",
      );
      return Number(row?.n) > 0;
    },
    60_000,
    5,
  );
const running = async (table: Table): Promise<Job> => {
  const { data } = expectStatus(await owner.get<{ data: Job[] }>(`/tables/${table.id}/imports`), 200);
  const [job] = data;
  if (!job) throw new Error('no import yet');
  return job;
};

describe('an import in the background', () => {
  it('is accepted when its file has arrived, and told of until it is done', async () => {
    const table = await newTable();
    const body = [...file(2_500).split('\n'), 'wrong,many'].join('\n');
    const answer = await owner.call<Job>('POST', `/tables/${table.id}/import?onError=skip`, body, LATER);
    const job = expectStatus(answer, 202);
    expect(answer.headers.get('location')).toBe(`/api/v1/imports/${job.id}`);
    expect(answer.headers.get('preference-applied')).toBe('respond-async');
    expect(job).toMatchObject({ state: 'running', tableId: table.id, bytes: body.length, result: null, problem: null });
    const done = await over(job.id);
    expect(done).toMatchObject({ state: 'done', bytesRead: body.length, problem: null });
    expect(counts(done)).toEqual([2_500, 0, 0, 1]);
    expect(done.result).toMatchObject({ id: job.id, created: 2_500, failed: 1, errors: [{ line: 2_502 }], mode: 'append', dryRun: false });
    expect(await copies(table)).toEqual([2_500, 2_500]);
    const listed = await running(table);
    expect(listed).toMatchObject({ id: job.id, state: 'done' });
    expect(listed).not.toHaveProperty('result');
    await waitFor(async () => {
      const [row] = await sql<{ stored: boolean }>(pair.main, 'select stored from imports where id = $1', [job.id]);
      return row?.stored === false;
    });
  }); // prettier-ignore

  it('tells what is wrong with its file as whoever waits is told', async () => {
    const table = await newTable();
    const { id } = await sendLater(table, 'name,qty\na,1\nb,many\n');
    const failed = await over(id);
    expect(failed).toMatchObject({
      state: 'failed',
      created: 0,
      failed: 1,
      result: null,
      problem: { code: 'import_failed', status: 422, failed: 1, errors: [{ line: 3, column: 'qty' }] },
    });
    expect(await rowsIn(table)).toBe(0);
    const unreadable = await over((await sendLater(table, 'name,qty\na,1\n"b,2\n', 'onError=skip')).id);
    expect([unreadable.state, ...counts(unreadable)]).toEqual(['failed', 1, 0, 0, 1]);
    expect(await rowsIn(table)).toBe(1);
  });

  it('makes a table, too', async () => {
    const answer = await owner.call<Job>('POST', `/bases/${at.base.id}/import?name=Made`, file(1_500), LATER);
    const done = await over(expectStatus(answer, 202).id);
    expect(done.state).toBe('done');
    expect(done.result).toMatchObject({ table: { id: done.tableId, name: 'Made' }, import: { created: 1_500 } });
    const { physical } = expectStatus(await owner.get<Table>(`/tables/${done.tableId}`), 200);
    expect(await rowsIn({ physical } as Table)).toBe(1_500);
  });

  it('tells those who follow the table how far it is', async () => {
    const table = await newTable();
    const tab = await socket(node.base, at.owner.accessToken);
    await tab.ask('subscribe', { channel: `table:${table.id}` });
    // Long enough for two seconds to pass, however fast the machine is.
    const { id } = await sendLater(table, file(250_000));
    await tab.until(
      ({ name, payload }) => name === 'import:progress' && (payload as Progress).state === 'done',
      60_000,
    );
    const seen = tab.payloads<Progress>('import:progress');
    expect(new Set(seen.map((each) => each.id))).toEqual(new Set([id]));
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.map(({ created }) => created)).toEqual(seen.map(({ created }) => created).toSorted((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ state: 'done', created: 250_000, channel: `table:${table.id}` });
    tab.close();
  });

  it('goes on without a row twice when its server is killed, portion by portion or as one', async () => {
    for (const query of ['onError=skip', 'onError=abort']) {
      const table = await newTable();
      const { id } = await sendLater(table, file(40_000), query);
      await (query === 'onError=skip' ? partOf(table) : held());
      await node.kill9();
      const written = await rowsIn(table);
      expect(written).toBeLessThan(40_000);
      if (query === 'onError=skip') expect(written).toBeGreaterThan(1_000);
      else expect(written).toBe(0);
      await expireLeases();
      await restart();
      const done = await over(id);
      expect([done.state, ...counts(done)]).toEqual(['done', 40_000, 0, 0, 0]);
      expect(await copies(table)).toEqual([40_000, 40_000]);
    }
  });

  it('that makes a table fills the one it had made when its server was killed', async () => {
    const answer = await owner.call<Job>('POST', `/bases/${at.base.id}/import?name=Again`, file(60_000), LATER);
    const { id, tableId } = expectStatus(answer, 202);
    await held();
    await node.kill9();
    await expireLeases();
    await restart();
    expect((await over(id)).state).toBe('done');
    const { physical } = expectStatus(await owner.get<Table>(`/tables/${tableId}`), 200);
    expect(await rowsIn({ physical } as Table)).toBe(60_000);
  });

  it('is let go of by a server that is stopped, and goes on at once with the next', async () => {
    const table = await newTable();
    const { id } = await sendLater(table, file(60_000), 'onError=skip');
    await partOf(table);
    expect((await node.term()).code).toBe(0);
    const written = await rowsIn(table);
    expect(written).toBeLessThan(60_000);
    await restart();
    expect(counts(await over(id))).toEqual([60_000, 0, 0, 0]);
    expect(await copies(table)).toEqual([60_000, 60_000]);
  });

  it('at which two nodes work is written once: who comes second finds that it is not his', async () => {
    for (const query of ['onError=skip', 'onError=abort']) {
      const table = await newTable();
      const { id } = await sendLater(table, file(40_000), query);
      await (query === 'onError=skip' ? partOf(table) : held());
      const first = node;
      first.pause();
      await expireLeases();
      await restart();
      await waitFor(async () => {
        const [row] = await sql<{ attempts: number }>(pair.main, 'select attempts from imports where id = $1', [id]);
        return Number(row?.attempts) > 1;
      }, 30_000);
      first.resume();
      const done = await over(id);
      expect([done.state, ...counts(done)]).toEqual(['done', 40_000, 0, 0, 0]);
      expect(await copies(table)).toEqual([40_000, 40_000]);
      await first.term();
    }
  });
});

describe('an import that is cancelled', () => {
  it('leaves nothing where all or nothing was asked for, and tells whoever waits', async () => {
    const table = await newTable();
    const waiting = send(table, file(200_000));
    await held();
    const job = await running(table);
    expectStatus(await owner.del(`/imports/${job.id}`), 202);
    const answer = await waiting;
    expect([answer.status, answer.body.code]).toEqual([409, 'import_cancelled']);
    expect(answer.body.detail).toBe('The import was cancelled; nothing of it is written.');
    const { problem, ...cancelled } = await look(job.id);
    expect([cancelled.state, ...counts(cancelled), problem?.code]).toEqual([
      'cancelled',
      0,
      0,
      0,
      0,
      'import_cancelled',
    ]);
    expect(await rowsIn(table)).toBe(0);
    // To want it again is no error.
    expectStatus(await owner.del(`/imports/${job.id}`), 202);
  });

  it('is not begun again by a repetition of what began it', async () => {
    const table = await newTable();
    const { id } = await sendLater(table, file(100_000), '', 'not again');
    expectStatus(await owner.del(`/imports/${id}`), 202);
    expect((await over(id)).state).toBe('cancelled');
    expect(await sendLater(table, file(100_000), '', 'not again')).toMatchObject({ id, state: 'cancelled' });
    const waiting = await send(table, file(100_000), '', { ...CSV, 'idempotency-key': 'not again' });
    expect([waiting.status, waiting.body.code]).toEqual([409, 'import_cancelled']);
    expect(await rowsIn(table)).toBe(0);
  });

  it('keeps what is written where lines are taken one by one, and says how much', async () => {
    const table = await newTable();
    const { id } = await sendLater(table, file(200_000), 'onError=skip');
    await partOf(table);
    expectStatus(await owner.del(`/imports/${id}`), 202);
    const cancelled = await over(id);
    const rows = await rowsIn(table);
    expect(cancelled).toMatchObject({ state: 'cancelled', created: rows, problem: { created: rows } });
    expect(rows).toBeGreaterThan(1_000);
    expect(rows).toBeLessThan(200_000);
    const { data } = expectStatus(
      await owner.get<{ data: { action: string; resource: { id: string } }[] }>(
        `/workspaces/${at.workspace.id}/audit-logs?action=import.cancelled&limit=1`,
      ),
      200,
    );
    expect(data[0]).toMatchObject({ action: 'import.cancelled', resource: { type: 'import', id } });
  });

  it('says how much also when its server was killed before it ended', async () => {
    const table = await newTable();
    const { id } = await sendLater(table, file(200_000), 'onError=skip');
    await partOf(table);
    await node.kill9();
    await sql(pair.main, 'update imports set cancel_requested = true where id = $1', [id]);
    await expireLeases();
    await restart();
    const cancelled = await over(id);
    expect(cancelled).toMatchObject({ state: 'cancelled', created: await rowsIn(table) });
    expect(cancelled.created).toBeGreaterThan(1_000);
  });

  it('takes its table with it', async () => {
    const answer = await owner.call<Job>('POST', `/bases/${at.base.id}/import?name=Gone`, file(200_000), LATER);
    const { id, tableId } = expectStatus(answer, 202);
    await held();
    expectStatus(await owner.del(`/imports/${id}`), 202);
    expect((await over(id)).state).toBe('cancelled');
    expect((await owner.get(`/tables/${tableId}`)).status).toBe(404);
  });

  it('cannot be one that is over', async () => {
    const table = await newTable();
    const { id } = expectStatus(await send(table, file(2)), 200);
    const answer = await owner.del<ProblemBody>(`/imports/${id}`);
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
  });
});

describe('an import under a key', () => {
  const under = (key: string) => ({ ...CSV, 'idempotency-key': key });

  it('is done once, and answered as the first time; another file under it is refused', async () => {
    const table = await newTable();
    const first = await send(table, file(3), '', under('once'));
    expectStatus(first, 200);
    const again = await send(table, file(3), '', under('once'));
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    expect(again.text).toBe(first.text);
    for (const [body, query] of [[file(4), ''], [file(3), 'onError=skip']] as const) {
      const other = await send(table, body, query, under('once'));
      expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch']);
    }
    expect(await rowsIn(table)).toBe(3);
  }); // prettier-ignore

  it('makes its table once', async () => {
    const make = () => owner.call<object>('POST', `/bases/${at.base.id}/import?name=Keyed`, file(3), under('a table'));
    const first = await make();
    expectStatus(first, 201);
    const again = await make();
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(again.body).toEqual(first.body);
  });

  it('whose caller went away makes its table when it is repeated', async () => {
    const body = file(60_000);
    const path = `/api/v1/bases/${at.base.id}/import?name=Left`;
    const headers = { ...under('left'), authorization: `Bearer ${at.owner.token ?? ''}` };
    const leaving = new AbortController();
    const left = fetch(node.base + path, { method: 'POST', body, headers, signal: leaving.signal }).catch(() => 'left');
    await held();
    leaving.abort();
    expect(await left).toBe('left');
    await waitFor(async () => {
      const [row] = await sql<{ n: string }>(
        pair.main,
        "select count(*) as n from imports where state = 'interrupted' and wish ->> 'name' = 'Left'",
      );
      return Number(row?.n) > 0;
    }, 30_000);
    const again = await owner.call<{ table: Table }>(
      'POST',
      `/bases/${at.base.id}/import?name=Left`,
      body,
      under('left'),
    );
    expect(await rowsIn(expectStatus(again, 201).table)).toBe(60_000);
  });

  it('whose file is not stored yet is not told of as accepted', async () => {
    const table = await newTable();
    const relation = `"${table.physical.schema}"."${table.physical.table}"`;
    const body = file(2_000);
    const job = await asSuperuser(pair.mini.database, async (session) => {
      // Somebody is in the way, so that the import is taken up and is not over while it is asked for again.
      await session.query('begin');
      await session.query(`lock table ${relation} in share row exclusive mode`);
      const { id } = await sendLater(table, body, 'onError=skip', 'not yet');
      const waiting = `select from pg_locks where not granted and relation = '${relation}'::regclass and database = (select oid from pg_database where datname = current_database())`;
      await waitFor(async () => (await sql(pair.mini, waiting)).length > 0, 20_000, 10);
      await sql(pair.main, "update imports set arrived = false where id = $1 and state = 'running'", [id]);
      const headers = { ...LATER, 'idempotency-key': 'not yet' };
      const again = await owner.call<ProblemBody>('POST', `/tables/${table.id}/import?onError=skip`, body, headers);
      expect([again.status, again.body.code]).toEqual([409, 'idempotency_in_progress']);
      await session.query('rollback');
      return over(id);
    });
    expect(job.state).toBe('done');
  });

  it('that failed is tried anew', async () => {
    const table = await newTable([{ name: 'Name', type: 'text', unique: true }]);
    expectStatus(await owner.post(`/tables/${table.id}/rows`, { fields: { name: 'a' } }), 201);
    expect((await send(table, 'name\na\n', '', under('anew'))).status).toBe(422);
    const { data } = expectStatus(await owner.get<{ data: { id: string }[] }>(`/tables/${table.id}/rows`), 200);
    expectStatus(await owner.del(`/tables/${table.id}/rows/${data[0]?.id ?? ''}`), 204);
    expect(counts(expectStatus(await send(table, 'name\na\n', '', under('anew')), 200))).toEqual([1, 0, 0, 0]);
  });

  it('that is under way is not begun a second time', async () => {
    const table = await newTable();
    const body = file(100_000);
    const first = send(table, body, '', under('under way'));
    await waitFor(() => running(table).catch(() => undefined), 30_000);
    const second = await send(table, body, '', under('under way'));
    expect([second.status, second.body.code]).toEqual([409, 'idempotency_in_progress']);
    const later = await owner.call<Job>('POST', `/tables/${table.id}/import`, body, { ...LATER, 'idempotency-key': 'under way' });
    expect(later.status).toBe(409);
    expectStatus(await first, 200);
    expect(await rowsIn(table)).toBe(100_000);
  }); // prettier-ignore

  it('that was cut off goes on behind what is written, with what was wrong before it', async () => {
    const table = await newTable();
    const body = ['name,qty', 'bad,many', ...file(60_000).split('\n').slice(1)].join('\n');
    const cut = send(table, body, 'onError=skip', under('cut off')).then(
      ({ status }) => status,
      () => 'cut off',
    );
    await partOf(table);
    await node.kill9();
    expect(await cut).toBe('cut off');
    const written = await rowsIn(table);
    expect(written).toBeLessThan(60_000);
    await expireLeases();
    await restart();
    await waitFor(async () => (await running(table)).state === 'interrupted', 30_000);
    const answer = await send(table, body, 'onError=skip', under('cut off'));
    expect(counts(expectStatus(answer, 200))).toEqual([60_000, 0, 0, 1]);
    expect(answer.body).toMatchObject({ errors: [{ line: 2, column: 'qty' }] });
    expect(await copies(table)).toEqual([60_000, 60_000]);
  });
});

describe('portions in which lines cannot be written', () => {
  it('are written once as well, when the server is killed between them', async () => {
    const columns = [
      { name: 'Name', type: 'text', unique: true },
      { name: 'Qty', type: 'integer' },
    ];
    const table = await newTable(columns);
    // A value that is taken in each portion, so that each is tried twice.
    const lines = Array.from({ length: 20_000 }, (_, i) => (i % 500 === 499 ? `row ${i - 1},${i}` : `row ${i},${i}`));
    const { id } = await sendLater(table, ['name,qty', ...lines].join('\n'), 'onError=skip');
    await partOf(table);
    await node.kill9();
    await expireLeases();
    await restart();
    const done = await over(id);
    expect([done.state, ...counts(done)]).toEqual(['done', 19_960, 0, 0, 40]);
    expect(done.result?.errors.map(({ line }) => line)).toEqual(
      Array.from({ length: 40 }, (_, i) => (i + 1) * 500 + 1),
    );
    expect(await copies(table)).toEqual([19_960, 19_960]);
  });
});

describe('whoever loses the right to import', () => {
  it('has no import go on in his name', async () => {
    const table = await newTable();
    const editor = await member(
      { owner: { ...at.owner, ...owner, base: node.base }, workspace: at.workspace },
      'editor',
    );
    const answer = await editor.call<Job>('POST', `/tables/${table.id}/import?onError=skip`, file(300_000), LATER);
    const { id } = expectStatus(answer, 202);
    await partOf(table);
    const { data } = expectStatus(
      await owner.get<{ data: { id: string; user: { id: string } }[] }>(
        `/workspaces/${at.workspace.id}/members?limit=100`,
      ),
      200,
    );
    const membership = data.find(({ user }) => user.id === editor.user.id);
    expectStatus(await owner.del(`/workspaces/${at.workspace.id}/members/${membership?.id ?? ''}`), 204);
    expect(await over(id, 30_000)).toMatchObject({ state: 'failed', problem: { code: 'not_found' } });
    expect(await rowsIn(table)).toBeLessThan(300_000);
  });
});
