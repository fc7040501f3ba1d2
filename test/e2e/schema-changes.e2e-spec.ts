import { beforeAll, describe, expect, it } from '@jest/globals';
import { AuditedTransaction } from '../../src/database/main/index.js';
import { MiniDatabase } from '../../src/database/mini/index.js';
import { MiniDbSchema } from '../../src/engines/index.js';
import { SchemaRecovery } from '../../src/modules/tables/schema/schema-recovery.js';
import { SchemaSaga } from '../../src/modules/tables/schema/schema-saga.js';
import {
  client,
  databases,
  expectStatus,
  sql,
  startApp,
  waitFor,
  world,
  type Answer,
  type Client,
  type Column,
  type ProblemBody,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { loggedChanges, replay, storedRows } from '../support/changes.js';

let pair: TestDatabases;
let app: TestApp;
let other: TestApp;
let at: World;
beforeAll(async () => {
  pair = await databases();
  [app, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
  at = await world(app.base);
  // The sweep would come in between now and then.
  for (const each of [app, other]) each.app.get(SchemaRecovery).onModuleDestroy();
}, 60_000);

const COLUMNS = [
  { name: 'Name', type: 'text' },
  { name: 'Qty', type: 'integer' },
];
let tables = 0;
/** A table in a base of its own. */
async function newTable(): Promise<Table> {
  const base = expectStatus(
    await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/bases`, { name: `Base ${++tables}` }),
    201,
  );
  return expectStatus(
    await at.owner.post<Table>(`/bases/${base.id}/tables`, { name: 'Things', columns: COLUMNS }),
    201,
  );
}

/** What the metadata says of all live tables, and what PostgreSQL has: key, type and whether it is required, by table. */
async function structures() {
  const metadata = await sql<{ name: string; columns: string[] }>(
    pair.main,
    `select b.schema_name || '.' || t.physical_name as name, array_agg(c.physical_name order by c.physical_name) as columns
     from tables t join bases b on b.id = t.base_id join columns c on c.table_id = t.id group by 1 order by 1`,
  );
  const physical = await sql<{ name: string; columns: string[] }>(
    pair.mini,
    `select table_schema || '.' || table_name as name, array_agg(column_name::text order by column_name::text collate "C") as columns
     from information_schema.columns where table_schema not in ('public', 'information_schema', 'pg_catalog')
       and table_name not in ('_stream', '_change', '_anchor', '_applied', '_file', '_idempotency', '_import') and table_name not like '\\_readable\\_%'
       and column_name not in ('_id', '_version', '_created_at', '_created_by', '_updated_at', '_updated_by', '_deleted_at')
     group by 1 order by 1`,
  );
  const known = await sql<Version>(pair.main, 'select id, schema_version as version from tables order by id');
  const schemas = await sql<{ name: string }>(pair.main, 'select schema_name as name from bases');
  const streams = await sql<Version>(
    pair.mini,
    `select * from (${schemas.map(({ name }) => `select table_id as id, schema_version as version from "${name}"._stream`).join(' union all ')}) s order by id`,
  );
  return { metadata, physical, known, streams };
}

interface Version {
  readonly id: string;
  readonly version: number;
}

async function expectAgreement() {
  const { metadata, physical, known, streams } = await structures();
  const sorted = (rows: typeof metadata) =>
    rows
      .map(({ name, columns }) => ({ name, columns: columns.toSorted() }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  expect(sorted(metadata)).toEqual(sorted(physical));
  expect(known).toEqual(streams);
  expect(await sql(pair.main, "select * from schema_ops where state = 'pending'")).toEqual([]);
}

const isFine = ({ status, text }: Answer<unknown>) => {
  if (status >= 200 && status < 300) return true;
  if (![404, 409, 422, 423].includes(status)) throw new Error(`${status}: ${text}`);
  return false;
};

describe('another node, that nobody told of a change,', () => {
  it('takes by a structure that it has just learnt of what it would have refused by the old one', async () => {
    const table = await newTable();
    const [rows, columns] = [`/tables/${table.id}/rows`, `/tables/${table.id}/columns`];
    const there = client(other.base, at.owner.token);
    const filter = (field: string) => `${rows}?filter=${field}.eq.x`;
    for (const [name, ask, done] of [
      ['One', () => there.post(rows, { fields: { one: 'x' } }), 201],
      ['Two', () => there.get(filter('two')), 200],
      ['Three', () => there.post(`${rows}/bulk`, { ops: [{ op: 'create', fields: { three: 'x' } }] }), 200],
      ['Four', () => there.get(`${rows}?sort=four&fields=four`), 200],
    ] as const) {
      // Known from now on, and not told by anybody.
      expectStatus(await there.get(rows), 200);
      expectStatus(await at.owner.post(columns, { name, type: 'text' }), 201);
      expect([name, (await ask()).status]).toEqual([name, done]);
      expect((await there.get(filter('nowhere'))).status).toBe(422);
    }
  });

  it('shows the structure as it is, reads and writes by it, and knows a deleted table no more', async () => {
    const table = await newTable();
    const node = client(other.base, at.owner.token);
    const path = `/tables/${table.id}`;
    expectStatus(await node.get(`${path}/rows`), 200);
    for (const kind of ['table.update', 'column.create', 'column.delete', 'column.update']) {
      expect((await CHANGES[kind]?.(table, at.owner))?.status).toBeLessThan(300);
      const now = expectStatus(await at.owner.get<Table>(path), 200);
      expect((await node.get(path)).body).toEqual(now);
      expect((await node.get<{ data: Column[] }>(`${path}/columns`)).body.data).toEqual(now.columns);
    }
    expectStatus(await node.post(`${path}/rows`, { fields: { third: 1 } }), 201);
    expectStatus(await at.owner.del(path), 204);
    for (const call of [node.get(path), node.get(`${path}/rows`), node.post(`${path}/rows`, { fields: {} })])
      expect((await call).status).toBe(404);
  });
});

describe('while the structure changes all the time', () => {
  it('every writer and reader on two nodes gets its answer, never an error of the database, and both databases agree in the end', async () => {
    const table = await newTable();
    const nodes = [app, other].map(({ base }) => client(base, at.owner.token));
    const path = `/tables/${table.id}`;
    let ends = false;
    const counts = { written: 0, refused: 0, read: 0, changes: 0 };
    const acknowledged = new Map<string, number>();

    const write = async (node: Client, nr: number) => {
      for (let i = 0; !ends; i++) {
        const extra = i % 3 === 0 ? { [`c${i % 4}`]: `v${i}` } : {};
        const answer = await node.post<Row>(`${path}/rows`, { fields: { name: `w${nr}-${i}`, qty: i, ...extra } });
        if (isFine(answer)) {
          counts.written++;
          acknowledged.set(answer.body.id, Number(answer.headers.get('live-seq')));
          isFine(await node.patch(`${path}/rows/${answer.body.id}`, { fields: { qty: i + 1 } }));
        } else counts.refused++;
      }
    };
    const read = async (node: Client) => {
      while (!ends) {
        const answer = await node.get<{ data: Row[] }>(`${path}/rows?limit=5&sort=-qty&count=bounded`);
        if (isFine(answer)) counts.read++;
      }
    };
    const change = async (node: Client, nr: number) => {
      for (let i = 0; i < 5; i++) {
        const added = await node.post<Column>(`${path}/columns`, {
          name: `C${(nr + i) % 4}`,
          type: i % 2 ? 'text' : 'long_text',
          default: i % 3 ? 'd' : null,
        });
        if (!isFine(added)) continue;
        counts.changes++;
        isFine(await node.patch(`${path}/columns/${added.body.id}`, { name: `Renamed ${nr} ${i}` }));
        isFine(await node.patch(path, { description: `${nr}-${i}` }));
        isFine(await node.del(`${path}/columns/${added.body.id}`));
      }
    };
    const [a, b] = nodes as [Client, Client];
    const load = [write(a, 0), write(b, 1), write(a, 2), write(b, 3), read(a), read(b)];
    await Promise.all([change(a, 0), change(b, 2)]).finally(() => (ends = true));
    await Promise.all(load);

    expect(counts.written).toBeGreaterThan(20);
    expect(counts.read).toBeGreaterThan(5);
    expect(counts.changes).toBeGreaterThan(5);
    await expectAgreement();
    const changes = await loggedChanges(pair.mini, table);
    const now = replay(changes);
    expect(now).toEqual(await storedRows(pair.mini, table));
    expect(new Set(now.keys())).toEqual(new Set(acknowledged.keys()));
    for (const [id, seq] of acknowledged)
      expect(changes.some((each) => each.seq === seq && each.rowId === id)).toBe(true);
    const { columns } = expectStatus(await at.owner.get<Table>(path), 200);
    expect(columns.map(({ key }) => key)).toEqual(['name', 'qty']);
  }, 60_000);
});

/** Every structure change there is, on a table of its own. */
const CHANGES: Readonly<Record<string, (table: Table, as: Client) => Promise<Answer<unknown>>>> = {
  'base.create': (_, as) => as.post(`/workspaces/${at.workspace.id}/bases`, { name: `Base ${++tables}` }),
  'base.delete': ({ baseId }, as) => as.del(`/bases/${baseId}`),
  'table.create': ({ baseId }, as) => as.post(`/bases/${baseId}/tables`, { name: 'Second', columns: COLUMNS }),
  'table.update': ({ id }, as) => as.patch(`/tables/${id}`, { name: 'Renamed' }),
  'table.delete': ({ id }, as) => as.del(`/tables/${id}`),
  'column.create': ({ id }, as) => as.post(`/tables/${id}/columns`, { name: 'Third', type: 'integer', default: 3 }),
  'column.update': ({ id, columns }, as) => as.patch(`/tables/${id}/columns/${columns[0]?.id}`, { name: 'Title' }),
  'column.restore': ({ id, columns }, as) => as.post(`/tables/${id}/columns/${columns[1]?.id}/restore`, {}),
  'column.delete': ({ id, columns }, as) => as.del(`/tables/${id}/columns/${columns[1]?.id}`),
};

/** What a change needs to have happened before. */
const BEFORE: Readonly<Record<string, (table: Table, as: Client) => Promise<Answer<unknown>>>> = {
  'column.restore': ({ id, columns }, as) => as.del(`/tables/${id}/columns/${columns[1]?.id}`),
};
async function tableFor(kind: string): Promise<Table> {
  const table = await newTable();
  expect((await BEFORE[kind]?.(table, at.owner))?.status ?? 204).toBe(204);
  return table;
}

/** The answer never comes; the connection ends with the application. */
const forget = (answer: Promise<unknown> | undefined): void => void answer?.catch(() => undefined);
const never = () => new Promise<never>(() => undefined);

/** Replaces a method of one object until `restore` is called. */
function replace<T extends object, K extends keyof T>(target: T, method: K, by: (original: T[K]) => T[K]): () => void {
  const original = target[method];
  target[method] = by((typeof original === 'function' ? original.bind(target) : original) as T[K]);
  return () => {
    target[method] = original;
  };
}

const pendingOps = () => sql<{ kind: string }>(pair.main, "select kind from schema_ops where state = 'pending'");
const lastOp = async () =>
  (
    await sql<{ kind: string; state: string }>(pair.main, 'select kind, state from schema_ops order by id desc limit 1')
  )[0];
const recover = (olderThanMs: number) => other.app.get(SchemaSaga).recover(olderThanMs);

describe('a node that dies in the middle of a structure change', () => {
  describe.each(Object.keys(CHANGES))('%s', (kind) => {
    it('before the commit point: the change is given up, whole, and a late maker cannot make it any more', async () => {
      const table = await tableFor(kind);
      const before = await structures();
      let resume: () => void = () => undefined;
      const paused = new Promise<void>((resolve) => (resume = resolve));
      const restore = replace(app.app.get(MiniDbSchema), 'apply', (apply) => async (...args) => {
        await paused;
        return apply(...args);
      });
      const answer = CHANGES[kind]?.(table, at.owner);
      await waitFor(async () => (await pendingOps()).length === 1);
      expect(await recover(60_000)).toBe(0);
      expect(await recover(0)).toBe(1);
      expect(await lastOp()).toEqual({ kind, state: 'failed' });
      expect(await structures()).toEqual(before);
      restore();
      resume();
      expect(await answer).toMatchObject({ status: 423, body: { code: 'schema_busy' } satisfies Partial<ProblemBody> });
      expect(await structures()).toEqual(before);
      await expectAgreement();
      if (kind !== 'base.delete') expectStatus(await at.owner.get(`/tables/${table.id}/rows`), 200);
    });

    it('after the commit point: the change is completed, at once, with its audit entry', async () => {
      const table = await tableFor(kind);
      const restore = replace(app.app.get(AuditedTransaction), 'run', () => never);
      forget(CHANGES[kind]?.(table, at.owner));
      await waitFor(async () => {
        const [op] = await sql<{ id: string; schema: string }>(
          pair.main,
          "select id, payload->>'schema' as schema from schema_ops where state = 'pending'",
        );
        return (
          op?.schema &&
          (await sql(pair.mini, 'select 1 from pg_namespace where nspname = $1', [op.schema])).length > 0 &&
          (await sql(pair.mini, `select 1 from "${op.schema}"._applied where op_id = $1`, [op.id])).length > 0
        );
      });
      const audits = async () =>
        Number(
          (
            await sql<{ n: string }>(pair.main, 'select count(*) as n from audit_log where action like $1', [
              `${kind}d`,
            ])
          )[0]?.n,
        );
      const before = await audits();
      // Young as it is: what took place is completed, only what did not has to be old to be given up.
      expect(await recover(60_000)).toBe(1);
      expect(await lastOp()).toEqual({ kind, state: 'done' });
      expect(await audits()).toBe(before + 1);
      restore();
      await expectAgreement();
    });
  });

  it('after the commit point: whoever reads or writes the table next completes the change and gets an answer', async () => {
    for (const use of ['read', 'write', 'change'] as const) {
      const table = await newTable();
      const restore = replace(app.app.get(AuditedTransaction), 'run', () => never);
      forget(CHANGES['column.delete']?.(table, at.owner));
      await waitFor(async () => {
        const [stream] = await sql<{ version: number }>(
          pair.mini,
          `select schema_version as version from "${table.physical.schema}"._stream where table_id = $1`,
          [table.id],
        );
        return stream?.version === 2;
      });
      const node = client(other.base, at.owner.token);
      const startedAt = performance.now();
      if (use === 'read') expectStatus(await node.get(`/tables/${table.id}/rows`), 200);
      if (use === 'write') expectStatus(await node.post(`/tables/${table.id}/rows`, { fields: { name: 'x' } }), 201);
      if (use === 'change')
        expectStatus(await node.post(`/tables/${table.id}/columns`, { name: 'Fourth', type: 'text' }), 201);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      restore();
      expect((await node.get<Table>(`/tables/${table.id}`)).body.columns.map(({ key }) => key)).toEqual(
        use === 'change' ? ['name', 'fourth'] : ['name'],
      );
      await expectAgreement();
    }
  });

  it('whose connection breaks at the commit: the mini-DB tells what happened, and the answer says so', async () => {
    const lost = Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
    for (const commits of [true, false]) {
      const table = await newTable();
      const restore = replace(
        app.app.get(MiniDatabase),
        'transaction',
        (transaction) => async (work: Parameters<typeof transaction>[0]) => {
          if (commits) await transaction(work);
          else await transaction((session) => work(session).then(() => Promise.reject(lost)));
          throw lost;
        },
      );
      const answer = await CHANGES['column.create']?.(table, at.owner);
      restore();
      expect(answer?.status).toBe(commits ? 201 : 503);
      const { columns } = expectStatus(await at.owner.get<Table>(`/tables/${table.id}`), 200);
      expect(columns.map(({ key }) => key)).toEqual(commits ? ['name', 'qty', 'third'] : ['name', 'qty']);
      await expectAgreement();
    }
  });
});

describe('recovery', () => {
  it('of a base whose name was taken meanwhile drops it, and goes on with the others', async () => {
    // Regression: one operation that could not be finished kept all later ones from being looked at, for good.
    const name = 'Wanted by two';
    const restore = replace(app.app.get(AuditedTransaction), 'run', () => never);
    forget(at.owner.post(`/workspaces/${at.workspace.id}/bases`, { name }));
    await waitFor(
      async () => (await sql(pair.mini, "select 1 from pg_namespace where nspname like 'wanted_by_two%'")).length === 1,
    );
    restore();
    const node = client(other.base, at.owner.token);
    const base = expectStatus(
      await node.post<{ id: string; physical: { schema: string } }>(`/workspaces/${at.workspace.id}/bases`, { name }),
      201,
    );
    const table = await newTable();
    const again = replace(app.app.get(AuditedTransaction), 'run', () => never);
    forget(CHANGES['column.create']?.(table, at.owner));
    await waitFor(async () => (await pendingOps()).length === 2);
    await waitFor(async () => (await sql(pair.mini, `select 1 from "${table.physical.schema}"._applied`)).length === 3);
    await expect(recover(60_000)).rejects.toThrow(/1 of 2/);
    again();
    const schemas = await sql<{ nspname: string }>(
      pair.mini,
      "select nspname from pg_namespace where nspname like 'wanted_by_two%'",
    );
    expect(schemas).toEqual([{ nspname: base.physical.schema }]);
    expect((await node.get<Table>(`/tables/${table.id}`)).body.columns).toHaveLength(3);
    await expectAgreement();
    expect(await recover(0)).toBe(0);
  });

  it('leaves a copy alone that still runs, however long it has been pending', async () => {
    const { owner, base: original, table } = await world(app.base);
    const { schema, table: name } = table.physical;
    await sql(
      pair.mini,
      `insert into "${schema}"."${name}" (_id, _version, _created_at, _updated_at, name)
       select gen_random_uuid(), 1, now(), now(), 'row ' || n from generate_series(1, 60000) n`,
    );
    const copy = owner.post<{ readonly id: string }>(`/bases/${original.id}/duplicate`, {
      name: 'Copy',
      withRows: true,
    });
    await waitFor(async () => {
      const active = "select 1 from pg_stat_activity where state = 'active' and query ~ '^insert.*select _id, 1'";
      return (await sql(pair.mini, active)).length > 0;
    });
    expect(await recover(0)).toBe(0);
    const made = expectStatus(await copy, 201);
    expectStatus(await owner.get(`/bases/${made.id}`), 200);
    expect(await recover(0)).toBe(0);
  });
});
