import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  sql,
  startApp,
  world,
  type Client,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { refusal } from '../support/rows.js';

interface Base {
  readonly id: string;
  readonly name: string;
  readonly color: string | null;
  readonly icon: string | null;
  readonly position: number;
  readonly physical: { readonly schema: string };
}
interface InTrash {
  readonly deletedAt?: string;
  readonly daysLeft?: number;
}
interface List<T> {
  readonly data: readonly (T & InTrash)[];
  readonly page: { readonly nextCursor?: string };
}

let pair: TestDatabases;
let app: TestApp;
let other: TestApp;
let at: World;
let owner: Client;
beforeAll(async () => {
  pair = await databases();
  [app, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
  at = await world(app.base);
  ({ owner } = at);
}, 60_000);

let made = 0;
const newWorkspace = async () => expectStatus(await owner.post<{ id: string }>('/workspaces', { name: 'Other' }), 201);
const newBase = async (body: object = {}, workspaceId = at.workspace.id): Promise<Base> =>
  expectStatus(await owner.post<Base>(`/workspaces/${workspaceId}/bases`, { name: `Base ${++made}`, ...body }), 201);
const newTable = async (base: Base, body: object = {}): Promise<Table> =>
  expectStatus(
    await owner.post<Table>(`/bases/${base.id}/tables`, {
      name: `Table ${++made}`,
      columns: [{ name: 'Name', type: 'text' }],
      ...body,
    }),
    201,
  );
const list = async <T>(path: string): Promise<List<T>> => expectStatus(await owner.get<List<T>>(path), 200);
const names = async (path: string) => (await list<{ name: string }>(path)).data.map(({ name }) => name).join('');
const age = (what: 'bases' | 'tables', id: string, days: number) =>
  sql(pair.main, `update ${what} set deleted_at = now() - make_interval(days => $2) where id = $1`, [id, days]);

describe('bases and tables', () => {
  const looks = { color: '#00aaff', icon: '🤝', position: 2.5 };

  it('have a colour, an icon and a place, which are given, changed and cleared', async () => {
    const base = await newBase(looks);
    const table = await newTable(base, looks);
    const events = () =>
      sql(pair.mini, `select op from "${base.physical.schema}"._change where table_id = $1`, [table.id]);
    for (const path of [`/bases/${base.id}`, `/tables/${table.id}`]) {
      expect((await owner.get(path)).body).toMatchObject(looks);
      expect((await owner.patch(path, { color: 'teal' })).body).toMatchObject({ ...looks, color: 'teal' });
      const cleared = { color: null, icon: null, position: -1 };
      expect((await owner.patch(path, cleared)).body).toMatchObject(cleared);
      for (const [bad, finding] of [
        [{ color: 'red;' }, '/color is_color'],
        [{ color: '1st' }, '/color is_color'],
        [{ color: '#0afab' }, '/color is_color'],
        [{ color: '#00aaff\n' }, '/color is_color'],
        [{ color: 7 }, '/color is_color'],
        [{ icon: 'x'.repeat(65) }, '/icon is_text'],
        [{ icon: '\ud800' }, '/icon is_text'],
        [{ position: null }, '/position max'],
        [{ position: '1' }, '/position max'],
        [{ position: 1e12 }, '/position max'],
      ] as const)
        expect([bad, ...refusal(await owner.patch(path, bad)).slice(0, 2), finding.split(' ')[0]]).toEqual([
          bad,
          422,
          'validation_failed',
          finding.split(' ')[0],
        ]);
    }
    // Each is a change of the table, for those who follow it.
    expect((await owner.get<Table>(`/tables/${table.id}`)).body.schemaVersion).toBe(3);
    expect(await events()).toEqual([{ op: 'schema' }, { op: 'schema' }]);
  });

  it('are listed by place, new ones last, and each is shown once although others move', async () => {
    const { id } = await newWorkspace();
    const bases: Base[] = [];
    for (const name of 'abcde') bases.push(await newBase({ name }, id));
    const [a, b, c, d, e] = bases as [Base, Base, Base, Base, Base];
    const path = `/workspaces/${id}/bases`;
    expect(bases.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4]);
    expectStatus(await owner.patch(`/bases/${e.id}`, { position: 0.5 }), 200);
    expectStatus(await owner.patch(`/bases/${a.id}`, { position: 2 }), 200);
    expect(await names(path)).toBe('ebacd');
    const first = await list<Base>(`${path}?limit=2`);
    expect(first.data.map(({ id: each }) => each)).toEqual([e.id, b.id]);
    expectStatus(await owner.patch(`/bases/${e.id}`, { position: 9 }), 200);
    const rest = await list<Base>(`${path}?limit=3&cursor=${first.page.nextCursor}`);
    expect(rest.data.map(({ id: each }) => each)).toEqual([a.id, c.id, d.id]);
    expect(rest.page.nextCursor).toBeDefined();
    expect(refusal(await owner.get(`${path}?cursor=x`))).toEqual([400, 'cursor_invalid']);

    const base = await newBase();
    const tables = [await newTable(base, { name: 'a' }), await newTable(base, { name: 'b', position: -3 })];
    expect(await names(`/bases/${base.id}/tables`)).toBe('ba');
    expect(await newTable(base, { name: 'c' })).toMatchObject({ position: 1 });
    expectStatus(await owner.patch(`/tables/${tables[0]?.id}`, { position: 7 }), 200);
    expect(await names(`/bases/${base.id}/tables`)).toBe('bca');
  });

  it('keep both of two changes of one base at the same moment, and show operators its name', async () => {
    const base = await newBase();
    for (let i = 0; i < 5; i++) {
      await Promise.all([
        owner.patch(`/bases/${base.id}`, { name: `Renamed ${i}` }),
        client(other.base, owner.token).patch(`/bases/${base.id}`, { description: `d${i}` }),
        owner.patch(`/bases/${base.id}`, { color: `#00000${i}` }),
      ]);
      expect((await owner.get(`/bases/${base.id}`)).body).toMatchObject({
        name: `Renamed ${i}`,
        description: `d${i}`,
        color: `#00000${i}`,
      });
    }
    const [comment] = await sql(pair.mini, `select obj_description($1::regnamespace) as name`, [base.physical.schema]);
    expect(comment).toEqual({ name: 'Renamed 4' });
  });
});

describe('the trash', () => {
  it('of a base lists its deleted tables with the days that are left, and gives them back for 30 days', async () => {
    const base = await newBase();
    const [kept, gone] = [await newTable(base), await newTable(base)];
    expectStatus(await owner.del(`/tables/${gone.id}`), 204);
    const path = `/bases/${base.id}/tables`;
    expect((await list<Table>(path)).data).toEqual([kept]);
    const { data } = await list<Table>(`${path}?trashed=true`);
    expect(data).toMatchObject([{ id: gone.id, name: gone.name, daysLeft: 30, columns: gone.columns }]);
    expect(Date.parse(data[0]?.deletedAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
    await age('tables', gone.id, 29);
    expect((await list<Table>(`${path}?trashed=true`)).data).toMatchObject([{ id: gone.id, daysLeft: 1 }]);
    await age('tables', gone.id, 30);
    expect((await list<Table>(`${path}?trashed=true`)).data).toEqual([]);
    expect(refusal(await owner.post(`/tables/${gone.id}/restore`))).toEqual([404, 'not_found']);
    await age('tables', gone.id, 29);
    expect(await owner.post<Table>(`/tables/${gone.id}/restore`)).toMatchObject({ status: 200, body: { id: gone.id } });
    expect((await list<Table>(path)).data.map(({ id }) => id)).toEqual([kept.id, gone.id]);
  });

  it('does not give back a table to a base that is full', async () => {
    const base = await newBase();
    const gone = await newTable(base);
    expectStatus(await owner.del(`/tables/${gone.id}`), 204);
    // Made behind the API, which would take its time for 200.
    await sql(
      pair.main,
      `insert into tables (id, base_id, workspace_id, key, name, name_folded, physical_name, schema_version, created_at, updated_at)
       select gen_random_uuid(), $1, $2, 'k' || n, 'k' || n, 'k' || n, 'k' || n, 1, now(), now() from generate_series(1, 200) n`,
      [base.id, at.workspace.id],
    );
    expect(refusal(await owner.post(`/tables/${gone.id}/restore`))).toEqual([422, 'limit_reached']);
    expect(refusal(await owner.post(`/bases/${base.id}/tables`, { name: 'One more' }))).toEqual([422, 'limit_reached']);
  });

  it('of a workspace lists its deleted bases, and gives them back with their tables and rows', async () => {
    const { id: workspaceId } = await newWorkspace();
    const base = await newBase({ name: 'Gone' }, workspaceId);
    const [table, before] = [await newTable(base), await newTable(base)];
    expectStatus(await owner.del(`/tables/${before.id}`), 204);
    const row = expectStatus(await owner.post<Row>(`/tables/${table.id}/rows`, { fields: { name: 'kept' } }), 201);
    const [node, path] = [client(other.base, owner.token), `/workspaces/${workspaceId}/bases`];
    expectStatus(await node.get(`/tables/${table.id}/rows`), 200);
    expect(refusal(await owner.post(`/bases/${base.id}/restore`))).toEqual([404, 'not_found']);
    expectStatus(await owner.del(`/bases/${base.id}`), 204);
    for (const each of [owner, node]) {
      expect(refusal(await each.post(`/tables/${table.id}/rows`, { fields: {} }))).toEqual([404, 'not_found']);
      expect(refusal(await each.post(`/tables/${before.id}/restore`))).toEqual([404, 'not_found']);
    }
    expect((await list<Base>(`${path}?trashed=true`)).data).toMatchObject([
      { id: base.id, name: 'Gone', daysLeft: 30 },
    ]);

    const second = await newBase({ name: 'gone' }, workspaceId);
    expect(refusal(await owner.post(`/bases/${base.id}/restore`))).toEqual([409, 'name_taken', '/name name_taken']);
    expectStatus(await owner.del(`/bases/${second.id}`), 204);
    await age('bases', base.id, 30);
    expect((await list<Base>(`${path}?trashed=true`)).data.map(({ id }) => id)).toEqual([second.id]);
    expect(refusal(await owner.post(`/bases/${base.id}/restore`))).toEqual([404, 'not_found']);
    await age('bases', base.id, 29);

    const answers = await Promise.all([owner, node, owner, node].map((each) => each.post(`/bases/${base.id}/restore`)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 404, 404, 404]);
    for (const each of [owner, node]) {
      expect((await each.get<{ data: Row[] }>(`/tables/${table.id}/rows`)).body.data[0]).toEqual(row);
      expectStatus(await each.post(`/tables/${table.id}/rows`, { fields: { name: 'more' } }), 201);
    }
    // What was in the trash by itself still is.
    expect((await list<Table>(`/bases/${base.id}/tables`)).data.map(({ id }) => id)).toEqual([table.id]);
    expectStatus(await node.post(`/tables/${before.id}/restore`), 200);
    expectStatus(await node.post(`/tables/${table.id}/columns`, { name: 'Second', type: 'text' }), 201);
  });
});
