import { beforeAll, describe, expect, it } from '@jest/globals';
import { ConversionWorker } from '../../src/modules/tables/columns/convert/background/conversion-worker.js';
import { DriftChecker } from '../../src/modules/tables/drift/drift-checker.js';
import { openDriftChecker } from '../../src/modules/tables/drift/open-drift-checker.js';
import { StructurePurge } from '../../src/modules/tables/purge/structure-purge.js';
import {
  asSuperuser,
  client,
  databases,
  expectStatus,
  sleep,
  socket,
  sql,
  startApp,
  startNode,
  waitFor,
  world,
  type Client,
  type Column,
  type ProblemBody,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';

interface Conversion {
  readonly id: string;
  readonly columnId: string;
  readonly to: { readonly type: string };
  readonly state: 'converting' | 'stopping' | 'done' | 'failed' | 'cancelled';
  readonly rows: number;
  readonly rowsDone: number;
  readonly error?: {
    readonly code: string;
    readonly errors?: readonly { readonly count: number; readonly samples: readonly object[] }[];
  };
}

/** Every table with more rows is large here. */
const LARGE = { CONVERSION_BACKGROUND_ROWS: '10' };

let pair: TestDatabases;
let app: TestApp;
let at: World;
let owner: Client;
beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair, env: LARGE });
  at = await world(app.base);
  ({ owner } = at);
}, 60_000);

let made = 0;
const newTable = async (column: object): Promise<Table> =>
  expectStatus(
    await owner.post<Table>(`/bases/${at.base.id}/tables`, {
      name: `Large ${++made}`,
      columns: [
        { name: 'T', ...column },
        { name: 'N', type: 'integer' },
      ],
    }),
    201,
  );
const fill = async (table: Table, cells: readonly unknown[]): Promise<string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < cells.length; i += 1_000) {
    const ops = cells.slice(i, i + 1_000).map((t, k) => ({ op: 'create', fields: { t, n: i + k } }));
    const answer = await owner.post<{ results: { id: string }[] }>(`/tables/${table.id}/rows/bulk`, { ops });
    ids.push(...expectStatus(answer, 200).results.map(({ id }) => id));
  }
  return ids;
};
const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));
const columnPath = (table: Table): string => `/tables/${table.id}/columns/${table.columns[0]?.id}`;
const begin = async (
  table: Table,
  to: object,
  onError: 'abort' | 'null' = 'abort',
  { as = owner, acceptChanges }: { readonly as?: Client; readonly acceptChanges?: boolean } = {},
) => {
  const tried = await as.post<{ confirmToken: string }>(`${columnPath(table)}/convert`, { to, onError, dryRun: true });
  const { confirmToken } = expectStatus(tried, 200);
  return as.post<Conversion & ProblemBody>(`${columnPath(table)}/convert`, {
    to,
    onError,
    confirmToken,
    acceptChanges,
  });
};
const progress = async (table: Table): Promise<Conversion> =>
  expectStatus(await owner.get<Conversion>(`${columnPath(table)}/conversion`), 200);
const ended = async (table: Table): Promise<Conversion> => {
  await waitFor(async () => !['converting', 'stopping'].includes((await progress(table)).state), 30_000, 100);
  return progress(table);
};
const typeOf = async (table: Table): Promise<string | undefined> =>
  expectStatus(await owner.get<Table>(`/tables/${table.id}`), 200).columns[0]?.type;
const cells = async (table: Table): Promise<ReadonlyMap<string, unknown>> => {
  const found = new Map<string, unknown>();
  for (let cursor: string | undefined; ;) {
    const query: string = cursor === undefined ? '' : `&cursor=${cursor}`;
    const answer = await owner.get<{ data: readonly Row[]; page: { nextCursor?: string | null } }>(
      `/tables/${table.id}/rows?limit=1000${query}`,
    );
    const { data, page } = expectStatus(answer, 200);
    for (const { id, fields } of data) found.set(id, fields.t);
    if (!page.nextCursor) return found;
    cursor = page.nextCursor;
  }
};
const noDrift = async () =>
  expect(await app.app.get(DriftChecker).check()).toMatchObject({ skipped: [], findings: [] });
/** Names in the mini-DB that only a conversion under way has. */
const remains = (table: Table) =>
  sql(
    pair.mini,
    `select attname as name from pg_attribute where attrelid = $1::regclass and attname like '\\_new\\_%' and not attisdropped
     union all select tgname from pg_trigger where tgrelid = $1::regclass and not tgisinternal
     union all select proname from pg_proc where pronamespace = $2::regnamespace and proname like '\\_cv\\_%'`,
    [`"${table.physical.schema}"."${table.physical.table}"`, `"${table.physical.schema}"`],
  );
const refusal = ({ status, body }: { status: number; body: unknown }) => [status, (body as ProblemBody).code];

const LABELS = ["O'Brien", 'x\\y', '$$', '$body$', '"q"', '%s', '👍🏽', 'a\u0301', '--', ';'];
/** A column, its values, and what it is to be. */
const CASTS: readonly (readonly [object, readonly unknown[], object])[] = [
  [
    { type: 'single_select', options: { choices: LABELS.map((label, i) => ({ key: `k${i}`, label })) } },
    LABELS.map((_, i) => `k${i}`),
    { type: 'text' },
  ],
  [
    {
      type: 'multi_select',
      options: {
        choices: [
          { key: 'a', label: "A's" },
          { key: 'b', label: '$$ B' },
        ],
      },
    },
    [['a'], ['b', 'a'], []],
    { type: 'long_text' },
  ],
  [{ type: 'text' }, ["it's", 'x\\y', '$$', 'x'], { type: 'multi_select' }],
  [{ type: 'datetime' }, ['2026-11-26T23:30:00.000Z', '2026-11-27T00:30:00.000Z'], { type: 'date' }],
  [{ type: 'datetime' }, ['2026-11-26T23:30:00.123Z', null], { type: 'text' }],
  [{ type: 'integer' }, [0, 1, 2], { type: 'boolean' }],
  [{ type: 'text' }, ['1:30', '-2:00:05', '7', ''], { type: 'duration' }],
  [{ type: 'json' }, [{ a: "it's" }, [1, '$$']], { type: 'text' }],
];

/** A node that begins to convert, and comes no further than its first rows. */
const stuckNode = (): Promise<TestNode> =>
  startNode({ databases: pair, env: { ...LARGE, FAULT_POINT: 'conversion.filled*99' } });
/** The lock of a conversion is the worker's: whoever has it, converts. */
const beginOn = async (node: TestNode, table: Table, to: object, onError: 'abort' | 'null' = 'abort') => {
  const as = client(node.base, owner.token);
  await app.close();
  expectStatus(await begin(table, to, onError, { as }), 202);
  await waitFor(async () => (await sql(pair.main, "select 1 from pg_locks where locktype = 'advisory'")).length > 0);
};
const backAgain = async () => {
  app = await startApp({ databases: pair, env: LARGE });
  owner = client(app.base, owner.token);
};

describe('a column of a large table', () => {
  it('is converted in the background, while rows are made, changed and deleted, and nothing of that is lost', async () => {
    const table = await newTable({ type: 'text' });
    const ids = await fill(table, numbers(6_000));
    const listener = await socket(app.base, owner.token);
    await listener.ask('subscribe', { channel: `table:${table.id}` });
    let ends = false;
    const wanted = new Map<string, string | null>(ids.map((id, i) => [id, String(i)]));
    const statuses = new Set<number>();
    const write = async (seed: number) => {
      for (let i = seed; !ends; i += 7) {
        const id = ids[(i * 13) % ids.length] ?? '';
        const t = String(10_000 + i);
        const path = `/tables/${table.id}/rows`;
        if (i % 3 === 0) {
          const answer = await owner.post<Row>(path, { fields: { t } });
          statuses.add(answer.status);
          if (answer.status === 201) wanted.set(answer.body.id, t);
        } else if (i % 3 === 1 && wanted.has(id)) {
          const answer = await owner.patch(`${path}/${id}`, { fields: { t } });
          statuses.add(answer.status);
          if (answer.status === 200) wanted.set(id, t);
        } else {
          const answer = await owner.del(`${path}/${id}`);
          statuses.add(answer.status);
          if (answer.status === 204) wanted.delete(id);
        }
      }
    };
    // Each writes rows that the others do not: what a row is to hold is known from its own writer.
    const writing = [write(0)];
    const begun = await begin(table, { type: 'decimal', options: { scale: 1 } });
    expect([begun.status, begun.headers.get('location')]).toEqual([202, `/api/v1${columnPath(table)}/conversion`]);
    expect(begun.body).toMatchObject({
      state: 'converting',
      to: { type: 'decimal', options: { scale: 1 } },
      rowsDone: 0,
    });
    expect(begun.body.rows).toBeGreaterThanOrEqual(6_000);
    const done = await ended(table);
    await sleep(300);
    ends = true;
    await Promise.all(writing);
    expect(done).toMatchObject({ id: begun.body.id, state: 'done' });
    expect(done.rowsDone).toBeGreaterThanOrEqual(5_000);
    expect(await typeOf(table)).toBe('decimal');
    const is = await cells(table);
    expect([...is.keys()].sort()).toEqual([...wanted.keys()].sort());
    for (const [id, text] of wanted) expect([id, is.get(id)]).toEqual([id, `${text}.0`]);
    expect([...statuses].filter((status) => status >= 500)).toEqual([]);
    // As a structure change in the numbering of the table.
    const event = await listener.until(({ name }) => name === 'schema:update');
    const { schemaVersion } = expectStatus(await owner.get<Table>(`/tables/${table.id}`), 200);
    const change = { 'column.converted': { id: table.columns[0]?.id, key: 't', type: 'decimal' } };
    expect(event.payload).toMatchObject({ schemaVersion, change });
    expect(await remains(table)).toEqual([]);
    await noDrift();
    const trash = await owner.get<{ data: readonly Column[] }>(`/tables/${table.id}/columns?trashed=true`);
    const [old] = trash.body.data;
    expect(old).toMatchObject({ name: 'T (before conversion)', type: 'text' });
    const audit = await owner.get<{ data: { action: string }[] }>(
      `/workspaces/${at.workspace.id}/audit-logs?resourceType=column&limit=50`,
    );
    const actions = audit.body.data.map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['column.conversion_started', 'column.converted']));
  }, 90_000);

  it('becomes what it would become at once, whatever it was and is to be, by the worker and by the trigger', async () => {
    const cases = CASTS.map(async ([column, values, to]) => {
      const cellAt = (i: number) => values[i % values.length];
      const twins = [await newTable(column), await newTable(column)] as const;
      const rows = await Promise.all(
        twins.map((table) =>
          fill(
            table,
            Array.from({ length: 12 }, (_, i) => cellAt(i)),
          ),
        ),
      );
      return { twins, rows, cellAt, to };
    });
    const made = await Promise.all(cases);
    const node = await stuckNode();
    const as = client(node.base, owner.token);
    await app.close();
    for (const { twins, to } of made) expectStatus(await begin(twins[0], to, 'null', { as, acceptChanges: true }), 202);
    for (const { twins, rows, cellAt } of made)
      for (const [nr, table] of twins.entries())
        for (let i = 0; i < 6; i++)
          expectStatus(
            await as.patch(`/tables/${table.id}/rows/${rows[nr]?.[i]}`, { fields: { t: cellAt(i + 1) } }),
            200,
          );
    await node.kill9();
    await backAgain();
    const small = await startApp({ databases: pair });
    const atOnce = client(small.base, owner.token);
    for (const { twins, to } of made) {
      expectStatus(await begin(twins[1], to, 'null', { as: atOnce }), 200);
      expect(await ended(twins[0])).toMatchObject({ state: 'done' });
      expect([to, ...(await cells(twins[0])).values()]).toEqual([to, ...(await cells(twins[1])).values()]);
    }
    // It would do the work of those that are to die.
    await small.close();
  }, 60_000);

  it('keeps what is demanded of it', async () => {
    const table = await newTable({ type: 'text', required: true, unique: true });
    await fill(table, numbers(50));
    expectStatus(await begin(table, { type: 'integer' }), 202);
    expect(await ended(table)).toMatchObject({ state: 'done' });
    const path = `/tables/${table.id}/rows`;
    expect(refusal(await owner.post(path, { fields: { t: 7 } }))).toEqual([409, 'unique_violation']);
    expect(refusal(await owner.post(path, { fields: { n: 1 } }))).toEqual([422, 'validation_failed']);
    await noDrift();
  });

  it('is left as it is when values turn up that cannot be converted, and says which', async () => {
    const table = await newTable({ type: 'text' });
    const cellsBefore = [...numbers(30), 'abc'];
    await fill(table, cellsBefore);
    expect(refusal(await begin(table, { type: 'integer' }))).toEqual([409, 'rows_in_the_way']);
    const other = await newTable({ type: 'text' });
    await fill(other, numbers(30));
    const path = `${columnPath(other)}/convert`;
    const to = { type: 'integer' };
    const { confirmToken } = expectStatus(await owner.post<{ confirmToken: string }>(path, { to, dryRun: true }), 200);
    expectStatus(await owner.post(`/tables/${other.id}/rows`, { fields: { t: 'abc' } }), 201);
    expectStatus(await owner.post(path, { to, confirmToken }), 202);
    const failed = await ended(other);
    expect(failed).toMatchObject({
      state: 'failed',
      error: { code: 'rows_in_the_way', errors: [{ count: 1, samples: [{ value: 'abc', code: 'not_an_integer' }] }] },
    });
    expect([await typeOf(other), [...(await cells(other)).values()]]).toEqual(['text', [...numbers(30), 'abc']]);
    expect(await remains(other)).toEqual([]);
    await noDrift();
    // And once more, now that one knows.
    expectStatus(await begin(other, to, 'null'), 202);
    expect(await ended(other)).toMatchObject({ state: 'done' });
    expect([...(await cells(other)).values()].at(-1)).toBeNull();
  });

  it('is not begun where other values cannot be converted than the dry run has shown, nor where one that is required would be left empty', async () => {
    const table = await newTable({ type: 'text' });
    const ids = await fill(table, [...numbers(30), 'abc']);
    const path = `${columnPath(table)}/convert`;
    const to = { type: 'integer' };
    const body = { to, onError: 'null' };
    const { confirmToken } = expectStatus(
      await owner.post<{ confirmToken: string }>(path, { ...body, dryRun: true }),
      200,
    );
    const set = async (id: string | undefined, t: string) =>
      expectStatus(await owner.patch(`/tables/${table.id}/rows/${id}`, { fields: { t } }), 200);
    await set(ids.at(-1), '30');
    await set(ids[0], 'precious');
    expect(refusal(await owner.post(path, { ...body, confirmToken }))).toEqual([409, 'confirmation_stale']);
    await set(ids[0], '0');
    await set(ids[1], '1000');
    await set(ids.at(-1), 'abc');
    expectStatus(await owner.post(path, { ...body, confirmToken }), 202);
    expect(await ended(table)).toMatchObject({ state: 'done' });

    const required = await newTable({ type: 'text', required: true });
    await fill(required, [...numbers(30), 'abc']);
    const refused = await begin(required, to, 'null');
    expect(refusal(refused)).toEqual([409, 'rows_in_the_way']);
    expect(refused.body.errors).toMatchObject([
      { samples: [{ value: 'abc' }], detail: expect.stringContaining('the column is required') as unknown },
    ]);
  });

  it('leaves no more values empty than were confirmed, unless that was, too', async () => {
    const node = await stuckNode();
    const as = client(node.base, owner.token);
    const [held, open] = [await newTable({ type: 'text' }), await newTable({ type: 'text' })];
    for (const table of [held, open]) await fill(table, [...numbers(20), 'abc']);
    await app.close();
    expectStatus(await begin(held, { type: 'integer' }, 'null', { as }), 202);
    expectStatus(await begin(open, { type: 'integer' }, 'null', { as, acceptChanges: true }), 202);
    for (const table of [held, open])
      expectStatus(await as.post(`/tables/${table.id}/rows`, { fields: { t: 'precious' } }), 201);
    await node.kill9();
    await backAgain();
    expect(await ended(held)).toMatchObject({ state: 'failed', error: { code: 'confirmation_stale' } });
    expect([...(await cells(held)).values()]).toEqual([...numbers(20), 'abc', 'precious']);
    expect(await ended(open)).toMatchObject({ state: 'done' });
    expect([...(await cells(open)).values()].slice(20)).toEqual([null, null]);
  }, 60_000);

  it('is not begun where values would repeat that may not, and names them; nor does it end so where they come to repeat meanwhile', async () => {
    const table = await newTable({ type: 'text', unique: true });
    const ids = await fill(table, [...numbers(30), '7.0']);
    const to = { type: 'decimal' };
    const refused = await begin(table, to);
    expect(refusal(refused)).toEqual([409, 'rows_in_the_way']);
    const repeats = [{ pointer: '/unique', code: 'values_repeat', count: 1, values: [{ rows: 2 }] }];
    expect(refused.body.errors).toMatchObject(repeats);
    expect(await remains(table)).toEqual([]);
    expectStatus(await owner.del(`/tables/${table.id}/rows/${ids[30]}`), 204);

    const node = await stuckNode();
    await beginOn(node, table, to);
    const late = { fields: { t: '7.00' } };
    expectStatus(await client(node.base, owner.token).post(`/tables/${table.id}/rows`, late), 201);
    await node.kill9();
    await backAgain();
    expect(await ended(table)).toMatchObject({ state: 'failed', error: { code: 'rows_in_the_way', errors: repeats } });
    expect([await typeOf(table), await remains(table)]).toEqual(['text', []]);
    await noDrift();
  }, 60_000);

  it('lets nobody change it meanwhile, goes on on another node after a crash, and can be cancelled', async () => {
    const [table, cancelled, trashed] = [
      await newTable({ type: 'text' }),
      await newTable({ type: 'text' }),
      await newTable({ type: 'text' }),
    ];
    for (const each of [table, cancelled, trashed]) await fill(each, numbers(40));
    const node = await stuckNode();
    const as = client(node.base, owner.token);
    await beginOn(node, table, { type: 'integer' });
    for (const each of [cancelled, trashed]) expectStatus(await begin(each, { type: 'integer' }, 'abort', { as }), 202);
    expect(refusal(await begin(table, { type: 'boolean' }, 'null', { as }))).toEqual([423, 'schema_busy']);
    expect(refusal(await as.patch(columnPath(table), { name: 'X' }))).toEqual([423, 'schema_busy']);
    expect(refusal(await as.del(columnPath(table)))).toEqual([423, 'schema_busy']);
    expectStatus(await as.patch(`/tables/${table.id}/columns/${table.columns[1]?.id}`, { name: 'Nr' }), 200);
    // Still the old type, for rows old and new; what is written now is converted, too.
    const path = `/tables/${table.id}/rows`;
    expectStatus(await as.post(path, { fields: { t: '77' } }), 201);
    const bad = expectStatus(await as.post<Row>(path, { fields: { t: 'no number' } }), 201);
    expectStatus(await as.patch(`${path}/${bad.id}`, { fields: { t: '78' } }), 200);
    expectStatus(await as.del(`/tables/${trashed.id}`), 204);
    const opened = await openDriftChecker(app.config);
    expect(await opened.checker.check()).toMatchObject({ skipped: [], findings: [] });
    await opened.close();
    await node.kill9();

    await backAgain();
    expectStatus(await owner.del(`${columnPath(cancelled)}/conversion`), 202);
    expect(await ended(table)).toMatchObject({ state: 'done' });
    expect([...(await cells(table)).values()]).toEqual([...numbers(40).map(Number), 77, 78]);
    expect(await ended(cancelled)).toMatchObject({ state: 'cancelled' });
    expectStatus(await owner.post(`/tables/${trashed.id}/restore`), 200);
    expect(await ended(trashed)).toMatchObject({ state: 'done' });
    await waitFor(async () => (await remains(cancelled)).length === 0);
    expect(await typeOf(cancelled)).toBe('text');
    expect(refusal(await owner.del(`${columnPath(cancelled)}/conversion`))).toEqual([409, 'conflict']);
    await waitFor(async () => (await remains(table)).length === 0);
    expect([await typeOf(trashed), [...(await cells(trashed)).values()]]).toEqual(['integer', numbers(40).map(Number)]);
    await noDrift();
  }, 120_000);

  it('rests while its table or base is in the trash, and goes on where it was when that is restored', async () => {
    const base = expectStatus(
      await owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/bases`, { name: 'To the trash' }),
      201,
    );
    const inBase = expectStatus(
      await owner.post<Table>(`/bases/${base.id}/tables`, { name: 'T', columns: [{ name: 'T', type: 'text' }] }),
      201,
    );
    const table = await newTable({ type: 'text' });
    const cellsOf = numbers(5_000);
    for (const [each, path] of [
      [table, `/tables/${table.id}`],
      [inBase, `/bases/${base.id}`],
    ] as const) {
      const ops = cellsOf.map((t) => ({ op: 'create', fields: { t } }));
      for (let i = 0; i < ops.length; i += 1_000)
        expectStatus(await owner.post(`/tables/${each.id}/rows/bulk`, { ops: ops.slice(i, i + 1_000) }), 200);
      expectStatus(await begin(each, { type: 'integer' }), 202);
      // While rows are filled.
      expectStatus(await owner.del(path), 204);
      await app.app.get(ConversionWorker).work();
      const [resting] = await sql(pair.main, 'select state, error from column_conversions where table_id = $1', [
        each.id,
      ]);
      expect(resting).toEqual({ state: 'converting', error: null });
      await noDrift();
      expectStatus(await owner.post(`${path}/restore`), 200);
      expect(await ended(each)).toMatchObject({ state: 'done' });
      expect([await typeOf(each), [...(await cells(each)).values()]]).toEqual(['integer', cellsOf.map(Number)]);
      expect(await remains(each)).toEqual([]);
    }
    await noDrift();
  }, 60_000);

  it('leaves nothing behind when its table is purged before that is restored', async () => {
    const table = await newTable({ type: 'text' });
    await fill(table, numbers(5_000));
    expectStatus(await begin(table, { type: 'integer' }), 202);
    expectStatus(await owner.del(`/tables/${table.id}`), 204);
    await app.app.get(ConversionWorker).work();
    await sql(pair.main, "update tables set deleted_at = now() - interval '40 days' where id = $1", [table.id]);
    await app.app.get(StructurePurge).sweep();
    expect(await sql(pair.main, 'select from column_conversions where table_id = $1', [table.id])).toEqual([]);
    const functions = "select proname from pg_proc where pronamespace = $1::regnamespace and proname like '\\_cv\\_%'";
    expect(await sql(pair.mini, functions, [`"${table.physical.schema}"`])).toEqual([]);
    await noDrift();
  }, 60_000);

  it('is not exchanged once somebody was told that it is cancelled, and who comes too late is told so', async () => {
    const table = await newTable({ type: 'text' });
    await fill(table, numbers(6_000));
    const path = `${columnPath(table)}/conversion`;
    expect(refusal(await owner.del(path))).toEqual([404, 'not_found']);
    const relation = `"${table.physical.schema}"."${table.physical.table}"`;
    await asSuperuser(pair.mini.database, async (session) => {
      expectStatus(await begin(table, { type: 'integer' }), 202);
      // A reader that does not come to an end: rows are filled beside it, the exchange waits for it.
      await session.query('begin');
      await session.query(`lock table ${relation} in access share mode`);
      const waiting = `select from pg_locks where not granted and relation = '${relation}'::regclass and database = (select oid from pg_database where datname = current_database())`;
      await waitFor(async () => (await sql(pair.mini, waiting)).length > 0, 20_000, 10);
      expect(refusal(await owner.del(path))).toEqual([409, 'conflict']);
      await session.query('rollback');
    });
    expect(await ended(table)).toMatchObject({ state: 'done' });
    expect(refusal(await owner.del(path))).toEqual([409, 'conflict']);
    expect(await progress(table)).toMatchObject({ state: 'done' });
    // At any other moment.
    for (let i = 0; i < 12; i++) {
      const to = { type: i % 2 === 0 ? 'text' : 'integer' };
      const before = await typeOf(table);
      expectStatus(await begin(table, to), 202);
      await sleep(i * 30);
      const answer = await owner.del(path);
      const { state } = await ended(table);
      expect([answer.status, state]).toEqual(answer.status === 202 ? [202, 'cancelled'] : [409, 'done']);
      expect(await typeOf(table)).toBe(state === 'done' ? to.type : before);
    }
    await noDrift();
  }, 120_000);

  it.each(['schema.applying', 'schema.applied'])(
    'is wholly the old or the new one after a crash at the point %s of the exchange',
    async (point) => {
      const table = await newTable({ type: 'text' });
      await fill(table, numbers(40));
      const stuck = await stuckNode();
      await beginOn(stuck, table, { type: 'integer' });
      await stuck.kill9();
      // All that it does at these points is the exchange.
      const dying = await startNode({ databases: pair, env: { ...LARGE, FAULT_POINT: point } }).catch(() => undefined);
      await dying?.ended;
      await backAgain();
      expect(await ended(table)).toMatchObject({ state: 'done' });
      expect([...(await cells(table)).values()]).toEqual(numbers(40).map(Number));
      expect(await remains(table)).toEqual([]);
      await noDrift();
    },
    120_000,
  );
});
