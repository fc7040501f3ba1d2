import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  expectStatus,
  sql,
  type Answer,
  type Client,
  type ProblemBody,
  type Row,
  type Table,
} from '../harness/index.js';
import { below, pick, randomOf, some } from '../support/random.js';
import { path, refusal, rowsFixture, type Page } from '../support/rows.js';
import { code, member, type MemberOf } from '../support/rules.js';

const fixture = rowsFixture();

interface Told {
  readonly rows: number;
  readonly counts: { readonly conflicts: number; readonly skipped: number };
  readonly tables: readonly {
    readonly tableId: string;
    readonly name: string;
    readonly rows: number;
    readonly conflicts: readonly {
      readonly rowId: string;
      readonly code: string;
      readonly column?: { readonly key: string };
    }[];
    readonly skipped: readonly {
      readonly rowId: string;
      readonly code: string;
      readonly column?: { readonly key: string };
    }[];
    readonly meta?: { readonly seq: number };
  }[];
  readonly inTrash: readonly string[];
  readonly confirmToken: string;
  readonly changeSet: string;
}

const ever = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };
const revert = (body: object, by: Client = fixture.owner, headers = {}): Promise<Answer<Told & ProblemBody>> =>
  by.post<Told & ProblemBody>(`/bases/${fixture.at.base.id}/revert`, body, headers);
const dry = async (body: object, by?: Client): Promise<Told> =>
  expectStatus(await revert({ ...body, dryRun: true }, by), 200);
/** A dry run, and what it said done. */
const undo = async (body: object, by?: Client): Promise<Told> => {
  const { confirmToken } = await dry(body, by);
  return expectStatus(await revert({ ...body, confirmToken }, by), 200);
};
const get = async (table: Table, id: string): Promise<Row['fields']> =>
  expectStatus(await fixture.owner.get<Row>(path(table, id)), 200).fields;
/** All rows by their ids; links as sets, since which comes first also follows from the other end. */
const shown = async (table: Table): Promise<ReadonlyMap<string, object>> => {
  const { data } = expectStatus(await fixture.owner.get<Page>(`${path(table)}?limit=1000`), 200);
  const sets = (fields: object) =>
    Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, Array.isArray(value) ? new Set(value as string[]) : value]),
    );
  return new Map(data.map(({ id, fields }) => [id, sets(fields)]));
};
const patch = async (by: Client, table: Table, id: string, fields: object): Promise<Row> =>
  expectStatus(await by.patch<Row>(path(table, id), { fields }), 200);
const made = async (by: Client, table: Table, fields: object): Promise<string> =>
  expectStatus(await by.post<Row>(path(table), { fields }), 201).id;

const NAME = { name: 'Name', type: 'text' };
const QTY = { name: 'Qty', type: 'integer' };
/** Projects have tasks, each of one project; tasks have people, and people tasks. */
async function three(): Promise<{ projects: Table; tasks: Table; people: Table }> {
  const [projects, tasks, people] = [await fixture.newTable([NAME]), await fixture.newTable([NAME, QTY]), await fixture.newTable([NAME])]; // prettier-ignore
  for (const [name, target, inverseName, multiple] of [
    ['Project', projects, 'Tasks', false],
    ['People', people, 'Tasks', true],
  ] as const)
    // prettier-ignore
    expectStatus(
      await fixture.owner.post(`/tables/${tasks.id}/columns`, { name, type: 'link', options: { tableId: target.id, inverseName, multiple } }), // prettier-ignore
      201,
    );
  return { projects, tasks, people };
}

/** Somebody new for each test: what she did is what is undone. */
let script: MemberOf;
beforeEach(async () => {
  script = await member(fixture.owner, fixture.at.workspace.id, 'editor');
});

describe('what somebody did in a base', () => {
  it('is undone in all its tables, with the links between them, but for what others have changed since', async () => {
    const { owner } = fixture;
    const { projects, tasks, people } = await three();
    const [p1, p2] = [await made(owner, projects, { name: 'p1' }), await made(owner, projects, { name: 'p2' })];
    const ada = await made(owner, people, { name: 'Ada' });
    const [t1, t2, t3] = [
      await made(owner, tasks, { name: 't1', qty: 1, project: [p1], people: [ada] }),
      await made(owner, tasks, { name: 't2', qty: 2, project: [p1] }),
      await made(owner, tasks, { name: 't3', qty: 3 }),
    ];
    const all = async () => Promise.all([projects, tasks, people].map(shown));
    const before = await all();
    // The script: a row deleted that another table is linked with, rows made in two tables and linked, values set.
    expectStatus(await script.del(path(projects, p1)), 204);
    const bea = await made(script, people, { name: 'Bea', tasks: [t1, t3] });
    await patch(script, tasks, t2, { qty: 20, project: [p2] });
    await patch(script, tasks, t3, { qty: 30 });
    await made(script, tasks, { name: 't4', project: [p2], people: [bea] });
    const after = await all();
    // Somebody else meanwhile.
    await patch(owner, tasks, t3, { qty: 300 });
    const which = { actorId: script.user.id, ...ever };
    const told = await dry(which);
    expect(told).toMatchObject({ rows: 7, counts: { conflicts: 1, skipped: 0 }, inTrash: [] });
    const ofTable = (table: Table, { tables }: Told = told) => tables.find(({ tableId }) => tableId === table.id);
    expect(ofTable(projects)).toMatchObject({ name: projects.name, rows: 2, conflicts: [], skipped: [] });
    expect(ofTable(people)).toMatchObject({ rows: 1, conflicts: [], skipped: [] });
    expect(ofTable(tasks)).toMatchObject({ rows: 4, conflicts: [{ rowId: t3, code: 'changed_since', column: { key: 'qty' } }] }); // prettier-ignore
    expect(await all()).not.toEqual(before);
    expect(refusal(await revert(which)).slice(0, 2)).toEqual([422, 'confirmation_required']);
    const done = expectStatus(await revert({ ...which, confirmToken: told.confirmToken }), 200);
    expect([done.rows, done.counts]).toEqual([told.rows, told.counts]);
    const [wasProjects, wasTasks, wasPeople] = before;
    const [isProjects, isTasks, isPeople] = await all();
    expect(isProjects).toEqual(wasProjects);
    expect(isPeople).toEqual(wasPeople);
    expect(isTasks).toEqual(new Map([...(wasTasks ?? [])].map(([id, fields]) => [id, id === t3 ? { ...fields, qty: 300 } : fields]))); // prettier-ignore
    for (const table of [projects, tasks, people]) {
      await fixture.proveLog(table);
      expect(ofTable(table, done)?.meta?.seq).toBe((await fixture.list(table)).meta.seq);
    }
    // The revert is one act, and is undone like any other.
    await undo({ changeSet: done.changeSet });
    const [, redone] = after;
    expect(await all()).toEqual([after[0], new Map([...(redone ?? [])].map(([id, fields]) => [id, id === t3 ? { ...fields, qty: 300 } : fields])), after[2]]); // prettier-ignore
    for (const table of [projects, tasks, people]) await fixture.proveLog(table);
  });

  it('is let be in other bases, and told of tables in the trash', async () => {
    const { owner, at } = fixture;
    const [here, gone] = [await fixture.newTable([NAME]), await fixture.newTable([NAME])];
    const base = expectStatus(await owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/bases`, { name: 'Other' }), 201); // prettier-ignore
    const there = expectStatus(await owner.post<Table>(`/bases/${base.id}/tables`, { name: 'There', columns: [NAME] }), 201); // prettier-ignore
    for (const table of [here, gone, there]) await made(script, table, { name: 'x' });
    expectStatus(await owner.del(`/tables/${gone.id}`), 204);
    const which = { actorId: script.user.id, ...ever };
    expect(await undo(which)).toMatchObject({ rows: 1, inTrash: [gone.id], tables: [{ tableId: here.id, rows: 1 }] });
    expect((await shown(there)).size).toBe(1);
    expect((await shown(here)).size).toBe(0);
    // And of one who did nothing there is nothing.
    const nothing = { actorId: randomUUID(), ...ever };
    const { confirmToken, ...told } = await dry(nothing);
    expect(told).toEqual({ rows: 0, counts: { conflicts: 0, skipped: 0 }, tables: [], inTrash: [] });
    expect(expectStatus(await revert({ ...nothing, confirmToken }), 200).rows).toBe(0);
  });

  it('is undone by one of two who do so at once, and once under an idempotency key', async () => {
    const { projects, tasks } = await three();
    const which = { actorId: script.user.id, ...ever };
    const p = await made(script, projects, { name: 'p' });
    await made(script, tasks, { project: [p] });
    const first = await dry(which);
    const both = await Promise.all([1, 2].map(() => revert({ ...which, confirmToken: first.confirmToken })));
    expect(both.map(code).sort()).toEqual(['200 ', '409 confirmation_stale']);
    await made(script, tasks, { name: 'again' });
    const { confirmToken } = await dry(which);
    const key = { 'Idempotency-Key': randomUUID() };
    const answers = await Promise.all([1, 2].map(() => revert({ ...which, confirmToken }, fixture.owner, key)));
    expect(answers.map(code)).toEqual(['200 ', '200 ']);
    expect(answers[0]?.body).toEqual(answers[1]?.body);
    expect((await revert({ ...which, confirmToken }, fixture.owner, key)).body).toEqual(answers[0]?.body);
    // A token is of its base, and of what was asked.
    expect(code(await revert({ ...which, from: '2021-01-01T00:00:00Z', confirmToken }))).toBe('409 confirmation_stale');
    for (const table of [projects, tasks]) await fixture.proveLog(table);
  });

  it('is undone but for a unique value that another row has by now', async () => {
    const { owner } = fixture;
    const codes = await fixture.newTable([{ name: 'Code', type: 'text', unique: true }]);
    const other = await fixture.newTable([NAME]);
    const [x, y] = [await made(owner, codes, { code: 'a' }), await made(owner, other, { name: 'kept' })];
    for (const table of [codes, other]) await patch(script, table, table === codes ? x : y, table === codes ? { code: 'b' } : { name: 'changed' }); // prettier-ignore
    await made(owner, codes, { code: 'a' });
    const which = { actorId: script.user.id, ...ever };
    const { confirmToken, ...told } = await dry(which);
    expect(told).toMatchObject({ rows: 1, counts: { conflicts: 0, skipped: 1 } });
    expect(told.tables.find(({ tableId }) => tableId === codes.id)?.skipped).toMatchObject([{ rowId: x, column: { key: 'code' }, code: 'value_taken' }]); // prettier-ignore
    expect(expectStatus(await revert({ ...which, confirmToken }), 200)).toMatchObject({ rows: 1, counts: told.counts });
    expect([(await get(codes, x)).code, (await get(other, y)).name]).toEqual(['b', 'kept']);
  });

  it('is undone while others link rows of these tables from both ends', async () => {
    const { owner } = fixture;
    const { tasks, people } = await three();
    const [ada, bea] = [await made(owner, people, { name: 'Ada' }), await made(owner, people, { name: 'Bea' })];
    const [t1, t2] = [await made(owner, tasks, { name: 't1' }), await made(owner, tasks, { name: 't2' })];
    await patch(script, tasks, t1, { name: 'changed' });
    await patch(script, people, ada, { name: 'changed' });
    const others = Array.from({ length: 24 }, (_, i) => {
      const links = i % 4 < 2 ? [] : i % 8 < 4 ? [t1, t2] : [t2];
      return i % 2 ? patch(owner, people, i % 3 ? ada : bea, { tasks: links }) : patch(owner, tasks, i % 3 ? t1 : t2, { people: i % 4 ? [ada, bea] : [bea] }); // prettier-ignore
    });
    const which = { actorId: script.user.id, ...ever };
    const reverts = Array.from({ length: 4 }, () => dry(which));
    await Promise.all([...others, ...reverts]);
    expect((await undo(which)).rows).toBe(2);
    expect([(await get(tasks, t1)).name, (await get(people, ada)).name]).toEqual(['t1', 'Ada']);
    for (const table of [tasks, people]) await fixture.proveLog(table);
  });

  it('is found by the id of its act, whenever the log says that it was', async () => {
    const { owner } = fixture;
    const { schema } = (await fixture.newTable([NAME])).physical;
    const set = (what: string, at: Table, values: readonly unknown[] = []) =>
      sql(fixture.app.config.miniDb, `update "${schema}"._change set ${what} where table_id = $1 and op = 'update'`, [at.id, ...values]); // prettier-ignore
    const act = randomUUID();
    const cases: readonly ((tables: readonly Table[]) => Promise<unknown>)[] = [
      () => Promise.resolve(),
      // By a clock that is wrong by minutes, hours, days, ahead or behind.
      ...['-9 minutes', '18 minutes', '2 hours', '-55 minutes', '-3 days', '3 days'].map((by) => (tables: readonly Table[]) => Promise.all(tables.map((table) => set(`at = at + interval '${by}'`, table)))), // prettier-ignore
      // One that went on for long, as imports do.
      ([first, second]) => Promise.all([first && set(`source = 'import'`, first), second && set(`at = at + interval '5 days', source = 'import'`, second)]), // prettier-ignore
      // An id that tells no time.
      (tables) => Promise.all(tables.map((table) => set('change_set = $2', table, [act]))),
    ];
    for (const [i, change] of cases.entries()) {
      const tables = [await fixture.newTable([NAME]), await fixture.newTable([NAME])];
      const [first, second] = tables as [Table, Table];
      expectStatus(await owner.post(`/tables/${second.id}/columns`, { name: 'Other', type: 'link', options: { tableId: first.id, inverseName: 'Others' } }), 201); // prettier-ignore
      const [a, b] = [await made(owner, first, { name: 'a' }), await made(owner, second, { name: 'b' })];
      // Both rows get an entry of one act.
      await patch(owner, second, b, { name: 'B', other: [a] });
      const [entry] = await sql<{ id: string }>(fixture.app.config.miniDb, `select change_set as id from "${schema}"._change where table_id = $1 and op = 'update'`, [second.id]); // prettier-ignore
      await change(tables);
      const which = { changeSet: i === cases.length - 1 ? act : (entry?.id ?? '') };
      expect([i, (await dry(which)).tables.map(({ tableId }) => tableId).sort()]).toEqual([i, tables.map(({ id }) => id).sort()]); // prettier-ignore
      const ofTable = await owner.post<Told>(`/tables/${second.id}/revert`, { ...which, dryRun: true });
      expect([i, expectStatus(ofTable, 200).rows]).toEqual([i, 1]);
      await undo(which);
      expect([i, await get(second, b), (await get(first, a)).others]).toEqual([i, { name: 'b', other: [] }, []]);
    }
    // One that is told to be from a time that there is not.
    expect((await dry({ changeSet: 'ffffffff-ffff-7fff-bfff-ffffffffffff' })).tables).toEqual([]);
  });

  it('has to be named in one of two ways', async () => {
    const bad = async (body: object) => refusal(await revert({ dryRun: true, ...body }));
    const which = [422, 'validation_failed', ' which_changes'];
    for (const body of [{}, { actorId: randomUUID() }, { changeSet: randomUUID(), ...ever }])
      expect(await bad(body)).toEqual(which);
    expect(await bad({ fromSeq: 1, toSeq: 2 })).toEqual([422, 'validation_failed', '/fromSeq unknown_property']);
    const [from, to] = [ever.to, ever.from];
    expect(await bad({ actorId: randomUUID(), from, to })).toEqual([422, 'validation_failed', '/to out_of_range']);
    expect(await bad({ changeSet: 7 })).toEqual([422, 'validation_failed', '/changeSet is_id']);
    expect(await bad({ changeSet: randomUUID(), onConflict: 'ask' })).toEqual([422, 'validation_failed', '/onConflict is_in']); // prettier-ignore
    expect(code(await fixture.owner.post(`/bases/${randomUUID()}/revert`, { changeSet: randomUUID(), dryRun: true }))).toBe('404 not_found'); // prettier-ignore
  });

  it('is undone within bounds that are those of all tables in sum', async () => {
    const tables = [await fixture.newTable([NAME]), await fixture.newTable([NAME])];
    for (const table of tables) {
      for (const name of ['a', 'b']) await made(script, table, { name });
      await sql(fixture.app.config.miniDb, `update "${table.physical.schema}"._change set after = json_build_object('name', repeat('x', 20000000)) where table_id = $1 and op = 'create'`, [table.id]); // prettier-ignore
    }
    const which = { actorId: script.user.id, ...ever };
    expect(code(await revert({ ...which, dryRun: true }))).toBe('422 limit_reached');
    for (const { id } of tables)
      expectStatus(await fixture.owner.post(`/tables/${id}/revert`, { ...which, dryRun: true }), 200);
  });
});

describe('a link both ends of which are undone', () => {
  it('stays as others have made it, at both', async () => {
    const { owner } = fixture;
    const { tasks, people } = await three();
    const [ada, bea, cyd] = [await made(owner, people, { name: 'Ada' }), await made(owner, people, { name: 'Bea' }), await made(owner, people, { name: 'Cyd' })]; // prettier-ignore
    const task = await made(owner, tasks, { name: 't', people: [ada] });
    await patch(script, tasks, task, { people: [ada, bea], qty: 5 });
    // From here on it is no longer what the script left.
    await patch(owner, tasks, task, { people: [ada, bea, cyd] });
    const done = await undo({ actorId: script.user.id, ...ever });
    expect(done).toMatchObject({ rows: 1, counts: { conflicts: 1 } });
    expect(await get(tasks, task)).toMatchObject({ qty: null, people: [ada, bea, cyd] });
    expect(await get(people, bea)).toMatchObject({ tasks: [task] });
    const forced = await undo({ actorId: script.user.id, ...ever, onConflict: 'overwrite' });
    expect(forced.counts.conflicts).toBe(0);
    expect(await get(tasks, task)).toMatchObject({ people: [ada] });
    for (const table of [tasks, people]) await fixture.proveLog(table);
  });

  it('is asked for at the end that holds one row: what others linked with the other one is no conflict', async () => {
    const { owner } = fixture;
    const { projects, tasks } = await three();
    const [p1, p2] = [await made(owner, projects, { name: 'p1' }), await made(owner, projects, { name: 'p2' })];
    const [mine, other] = [await made(owner, tasks, { project: [p1] }), await made(owner, tasks, {})];
    await patch(script, tasks, mine, { project: [p2] });
    await patch(owner, tasks, other, { project: [p2] });
    const done = await undo({ actorId: script.user.id, ...ever });
    expect(done.counts).toEqual({ conflicts: 0, skipped: 0 });
    expect(await get(projects, p1)).toMatchObject({ tasks: [mine] });
    expect(await get(projects, p2)).toMatchObject({ tasks: [other] });
    // Of a project that others link with by now the row stays, and they with it.
    const late = await member(owner, fixture.at.workspace.id, 'editor');
    const p3 = await made(late, projects, { name: 'p3', tasks: [mine] });
    await patch(owner, tasks, other, { project: [p3] });
    expect((await undo({ actorId: late.user.id, ...ever })).counts.conflicts).toBe(1);
    expect(await get(projects, p3)).toMatchObject({ name: 'p3', tasks: [other] });
    expect(await get(tasks, mine)).toMatchObject({ project: [p1] });
    for (const table of [projects, tasks]) await fixture.proveLog(table);
  });

  const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  it(`leads back to what was before, and forth again, whatever was done (SEED=${SEED})`, async () => {
    const random = randomOf(SEED);
    const { owner } = fixture;
    const { projects, tasks, people } = await three();
    const tables = [projects, tasks, people];
    const keys: Readonly<Record<string, Readonly<Record<string, Table>>>> = {
      [projects.id]: { tasks },
      [people.id]: { tasks },
      [tasks.id]: { project: projects, people },
    };
    const live = new Map(tables.map(({ id }) => [id, new Set<string>()]));
    const trash = new Map(tables.map(({ id }) => [id, new Set<string>()]));
    const of = (sets: typeof live, { id }: Table): Set<string> => sets.get(id) ?? new Set();
    const act = async (by: Client): Promise<void> => {
      const table = pick(random, tables);
      const gone = [...of(trash, table)];
      if (gone.length > 0 && random() < 0.15) {
        const id = pick(random, gone);
        expectStatus(await by.post(`${path(table, id)}/restore`, {}), 200);
        of(trash, table).delete(id);
        of(live, table).add(id);
        return;
      }
      const [key, target] = pick(random, Object.entries(keys[table.id] ?? {}));
      const links = some(random, [...of(live, target)], key === 'project' ? 1 : 3);
      const fields = random() < 0.3 ? { name: pick(random, ['a', 'b', 'c']) } : { [key]: links };
      const rows = [...of(live, table)];
      const dice = random();
      if (rows.length === 0 || dice < 0.2) of(live, table).add(await made(by, table, fields));
      else if (dice < 0.35) {
        const id = pick(random, rows);
        expectStatus(await by.del(path(table, id)), 204);
        of(live, table).delete(id);
        of(trash, table).add(id);
      } else await patch(by, table, pick(random, rows), fields);
    };
    for (let i = 0; i < 20; i++) await act(owner);
    const all = () => Promise.all(tables.map(shown));
    const before = await all();
    for (let i = 0; i < 30 + below(random, 20); i++) await act(script);
    const after = await all();
    const back = await undo({ actorId: script.user.id, ...ever });
    expect(back.counts).toEqual({ conflicts: 0, skipped: 0 });
    expect(await all()).toEqual(before);
    const forth = await undo({ changeSet: back.changeSet });
    expect([forth.counts, await all()]).toEqual([{ conflicts: 0, skipped: 0 }, after]);
    expect([(await undo({ changeSet: forth.changeSet })).counts, await all()]).toEqual([{ conflicts: 0, skipped: 0 }, before]); // prettier-ignore
    for (const table of tables) await fixture.proveLog(table);
  });
});

describe('what others did in a base', () => {
  it('is undone by owners and admins only', async () => {
    for (const role of ['viewer', 'editor'] as const) {
      const other = await member(fixture.owner, fixture.at.workspace.id, role);
      expect(code(await revert({ actorId: script.user.id, ...ever, dryRun: true }, other))).toBe('403 role_too_low');
    }
  });
});
