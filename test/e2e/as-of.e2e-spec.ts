import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import {
  databases,
  expectStatus,
  sql,
  startApp,
  world,
  type Answer,
  type Column,
  type Row,
  type Table,
  type TestApp,
  type World,
} from '../harness/index.js';
import { form, type Attachment } from '../support/attachments.js';
import { loggedChanges, type LoggedChange } from '../support/changes.js';
import { EVERY_TYPE } from '../support/every-type.js';
import { COMMON_COLUMNS, heardOf, randomCalls, type LoadedTable } from '../support/random-calls.js';
import { pick, randomOf } from '../support/random.js';
import { path, refusal, type Page } from '../support/rows.js';

const SEED = Number(process.env.AS_OF_SEED ?? Date.now() % 1_000_000);
const CALLS = 120;
/** A question of everything: filter, order, pages. */
const ASKED =
  'filter=or(lane.lt.1000,active.eq.true,tags.hasAny.(red),name.contains.e)&sort=-status,due,-amount&search=a';

let app: TestApp;
let at: World;
let table: Table;
/** What a reader saw behind each number. */
const seen = new Map<number, { readonly rows: Page['data']; readonly asked: Page['data'] }>();
const random = randomOf(SEED);

const list = (query: string) => at.owner.get<Page>(`${path(table)}?${query}`);
const rows = async (query: string): Promise<Page['data']> => expectStatus(await list(query), 200).data;
/** Page by page, by cursors. */
async function paged(query: string): Promise<Page['data']> {
  const found: Row[] = [];
  for (let cursor = ''; ;) {
    const { data, page } = expectStatus(await list(`${query}&limit=9${cursor}`), 200);
    found.push(...data);
    if (page.nextCursor === undefined) return found;
    cursor = `&cursor=${page.nextCursor}`;
  }
}
async function look(): Promise<number> {
  const { data, meta } = expectStatus(await list('limit=1000'), 200);
  seen.set(meta.seq, { rows: data, asked: await rows(`${ASKED}&limit=1000`) });
  return meta.seq;
}

beforeAll(async () => {
  app = await startApp({ databases: await databases() });
  at = await world(app.base);
  const columns = [
    ...COMMON_COLUMNS,
    ...EVERY_TYPE,
    { name: 'Files', type: 'attachment' },
    { name: 'Owner', type: 'user' },
    { name: 'Team', type: 'user', options: { multiple: true } },
    { name: 'Double', type: 'formula', options: { formula: '{lane} * 2' } },
    { name: 'Changed', type: 'updated_at' },
  ];
  table = expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: 'Random', columns }), 201);
  await look();
  const file = expectStatus(
    await at.owner.post<{ data: Attachment[] }>(`/tables/${table.id}/attachments`, form('one', 'two')),
    201,
  ).data.map(({ id }) => id);
  const me = at.owner.user.id;
  const row = expectStatus(
    await at.owner.post<Row>(path(table), { fields: { files: file, owner: me, team: [me], data: { a: [1.5, null] } } }),
    201,
  );
  await look();
  for (const fields of [
    { files: file.slice(1), data: null },
    { files: [], team: [], owner: null },
  ]) {
    expectStatus(await at.owner.patch(path(table, row.id), { fields }), 200);
    await look();
  }
  const on: LoadedTable = { table, rows: new Map(), trash: new Set(), links: {} };
  const next = randomCalls(random, [on]);
  for (let i = 0; i < CALLS; i++) {
    const call = await next(`0.${i}`, at.owner);
    const answer: Answer<unknown> = await at.owner.call(call.method, call.path, call.body, call.headers);
    if (answer.status < 300) heardOf(call, answer);
    else if (answer.status >= 500) throw new Error(answer.text);
    await look();
  }
}, 120_000);

/** Some of the numbers, the first and the last among them. */
const numbers = (count: number): readonly number[] => {
  const all = [...seen.keys()];
  return [0, must(all.at(-1), 'a number'), ...Array.from({ length: count }, () => pick(random, all))];
};
const compare = async (seq: number): Promise<void> => {
  const then = must(seen.get(seq), 'a number that was looked at');
  const { data, meta } = expectStatus(await list(`asOf=${seq}&limit=1000`), 200);
  expect([seq, meta.seq, data]).toEqual([seq, seq, then.rows]);
  expect([seq, await paged(`${ASKED}&asOf=${seq}`)]).toEqual([seq, then.asked]);
};

describe(`a table as it was, with AS_OF_SEED=${SEED}`, () => {
  it('is what a reader saw then, filtered, sorted and paged alike', async () => {
    for (const seq of numbers(25)) await compare(seq);
    expect(Math.max(...[...seen.values()].map(({ asked }) => asked.length))).toBeGreaterThan(9);
  });

  it('and each of its rows, which was not there before it was made nor after it was deleted', async () => {
    for (const seq of numbers(10)) {
      const then = must(seen.get(seq), 'a number that was looked at').rows;
      const row = then[0];
      if (row) expect(expectStatus(await at.owner.get(`${path(table, row.id)}?asOf=${seq}`), 200)).toEqual(row);
      const ids = new Set(then.map(({ id }) => id));
      const other = [...seen.values()].flatMap((each) => each.rows).find(({ id }) => !ids.has(id));
      if (other)
        expect(refusal(await at.owner.get(`${path(table, other.id)}?asOf=${seq}`))).toEqual([404, 'not_found']);
    }
  });

  it('is counted and grouped as it was, page by page', async () => {
    const body = {
      groupBy: [{ field: 'status' }, { field: 'due', bucket: 'year' }],
      aggregates: [
        { as: 'n', fn: 'count' },
        { as: 'lanes', fn: 'sum', field: 'lane' },
        { as: 'doubles', fn: 'max', field: 'double' },
        { as: 'tags', fn: 'countDistinct', field: 'tags' },
      ],
      filter: { field: 'lane', op: 'isNotNull' },
      having: { field: 'n', op: 'gte', value: 1 },
      count: 'exact',
      page: { limit: 1000 },
    };
    const groups = async (more: object) =>
      expectStatus(await at.owner.post<Page>(path(table, 'query'), { ...body, ...more }), 200);
    const marked = await groups({});
    const { seq: now } = marked.meta;
    // Behind the newest number it is what is there.
    const { data, count } = await groups({ asOf: now });
    expect({ data, count }).toEqual({ data: marked.data, count: marked.count });
    let most = 0;
    for (const asOf of numbers(8)) {
      const { rows: then } = must(seen.get(asOf), 'a number that was looked at');
      const told = await groups({ asOf });
      expect(told.meta.seq).toBe(asOf);
      const counts = told.data as unknown as readonly { group: { status: unknown }; values: { n: number; lanes: number } }[]; // prettier-ignore
      const filtered = then.filter(({ fields }) => fields.lane !== null);
      const sum = (numbers: readonly unknown[]) => numbers.reduce<number>((all, each) => all + Number(each), 0);
      expect(sum(counts.map(({ values }) => values.n))).toBe(filtered.length);
      expect(sum(counts.map(({ values }) => values.lanes))).toBe(sum(filtered.map(({ fields }) => fields.lane)));
      for (const status of new Set(filtered.map(({ fields }) => fields.status)))
        expect(sum(counts.filter(({ group }) => group.status === status).map(({ values }) => values.n))).toBe(
          filtered.filter(({ fields }) => fields.status === status).length,
        );
      most = Math.max(most, counts.length);
      const paged: unknown[] = [];
      for (let cursor: string | undefined; ;) {
        const one = await groups({ asOf, page: { limit: 20, ...(cursor === undefined ? {} : { cursor }) } });
        paged.push(...one.data);
        expect(one).toMatchObject({ count: { value: counts.length } });
        cursor = one.page.nextCursor;
        if (cursor === undefined) break;
      }
      expect(paged).toEqual(told.data);
    }
    expect(most).toBeGreaterThan(2);
    const { nextCursor: cursor } = (await groups({ asOf: now, page: { limit: 1 } })).page;
    for (const other of [{}, { asOf: now - 1 }]) {
      const answer = await at.owner.post(path(table, 'query'), { ...body, ...other, page: { limit: 1, cursor } });
      expect(refusal(answer)).toEqual([400, 'cursor_mismatch']);
    }
  });

  it('is taken out as a file as it was', async () => {
    const file = async (query: string): Promise<string> => {
      const answer = await at.owner.get(`/tables/${table.id}/export?${query}`);
      expect([answer.status, answer.text.slice(0, 300)]).toEqual([200, expect.any(String)]);
      return answer.text;
    };
    for (const seq of numbers(6)) {
      const then = must(seen.get(seq), 'a number that was looked at');
      const lines = (await file(`format=ndjson&asOf=${seq}`)).split('\n').filter((line) => line !== '');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(then.rows);
      const some = (await file(`format=csv&fields=name,lane&asOf=${seq}&${ASKED}`)).split('\r\n');
      expect(some.length).toBe(then.asked.length + 2);
    }
    const [newest] = numbers(0).slice(-1);
    for (const format of ['csv', 'ndjson'])
      expect(await file(`format=${format}&asOf=${newest}`)).toBe(await file(`format=${format}`));
    const { data } = expectStatus(
      await at.owner.get<{ data: { after: object }[] }>(
        `/workspaces/${at.workspace.id}/audit-logs?action=table.exported&limit=4`,
      ),
      200,
    );
    expect(data.map(({ after }) => after)).toContainEqual({ format: 'csv', asOf: String(newest) });
    for (const [query, code] of [
      ['asOf=99999999', 'in_the_future'],
      ['asOf=yesterday', 'not_a_moment'],
    ])
      expect(refusal(await at.owner.get(`/tables/${table.id}/export?${query}`))).toEqual([
        422,
        'validation_failed',
        `/asOf ${code}`,
      ]);
  });

  it('at a time is as it was behind the newest number of then', async () => {
    const log = await sql<{ seq: number; at: Date }>(
      app.config.miniDb,
      `select max(seq)::int as seq, at from "${table.physical.schema}"._change where table_id = $1 group by at`,
      [table.id],
    );
    for (let i = 0; i < 5; i++) {
      const one = pick(random, log);
      const { meta, data } = expectStatus(await list(`asOf=${one.at.toISOString()}&limit=1000`), 200);
      expect([meta.seq, data]).toEqual([one.seq, must(seen.get(one.seq), 'a number').rows]);
    }
    const early = expectStatus(await list('asOf=2020-01-01T00:00:00Z'), 200);
    expect([early.meta.seq, early.data]).toEqual([0, []]);
    const { body } = await at.owner.post<Page>(path(table, 'query'), {
      asOf: log[0]?.at.toISOString(),
      page: { limit: 1000 },
    });
    expect(body.data).toEqual(must(seen.get(must(log[0], 'an entry').seq), 'a number').rows);
  });

  it('stays so when rows of the trash are purged, for as long as the log is kept', async () => {
    await sql(
      app.config.miniDb,
      `delete from "${table.physical.schema}"."${table.physical.table}" where _deleted_at is not null`,
    );
    for (const seq of numbers(10)) await compare(seq);
  });

  it('agrees with the log, in which what a row became is what it was before the next change', async () => {
    const states = new Map<string, Record<string, unknown>>();
    const log = (await loggedChanges(app.config.miniDb, table)).filter(({ op }) => op !== 'schema');
    for (const { rowId, before, after, op, seq } of log) {
      const state = states.get(rowId ?? '') ?? {};
      for (const [key, was] of Object.entries(before ?? {}))
        if (!isStamp(key)) expect([seq, key, was]).toEqual([seq, key, key in state ? state[key] : was]);
      states.set(rowId ?? '', { ...(op === 'delete' ? before : state), ...after });
    }
    expect(countOf(log)).toBeGreaterThan(CALLS / 3);
  });

  it('has the links of then, from both ends, in their order, whatever happened to them and to the rows that they led to', async () => {
    const make = async (name: string) =>
      expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name, columns: [{ name: 'Name', type: 'text' }] }), 201); // prettier-ignore
    const [deals, people] = [await make('Deals then'), await make('People then')];
    for (const [name, multiple, inverseName] of [
      ['Team', true, 'Deals'],
      ['Lead', false, 'Leads'],
    ])
      expectStatus(
        await at.owner.post(`/tables/${deals.id}/columns`, { name, type: 'link', options: { tableId: people.id, multiple, inverseName } }), // prettier-ignore
        201,
      );
    const rowsIn = async (of: Table, query = ''): Promise<Page> =>
      expectStatus(await at.owner.get<Page>(`${path(of)}?limit=200${query}`), 200);
    const ids: Record<string, string[]> = { [deals.id]: [], [people.id]: [] };
    const moments: { readonly of: Table; readonly seq: number; readonly rows: Page['data'] }[] = [];
    const create = async (of: Table, fields: object) => {
      const made = await at.owner.post<Row>(path(of), { fields });
      must(ids[of.id], 'ids').push(expectStatus(made, 201).id);
    };
    const some = (of: Table) => (ids[of.id] ?? []).filter(() => random() < 0.3).sort(() => random() - 0.5);
    for (let i = 0; i < 6; i++) await create(people, { name: `p${i}` });
    for (let i = 0; i < 5; i++)
      await create(deals, { name: `d${i}`, team: some(people), lead: some(people).slice(0, 1) });
    for (let call = 0; call < 60; call++) {
      const of = pick(random, [deals, people]);
      const id = pick(random, ids[of.id] ?? []);
      const way = random();
      const fields = of === deals ? { team: some(people), ...(random() < 0.5 ? { lead: some(people).slice(0, 1) } : {}) } : { deals: some(deals) }; // prettier-ignore
      const { status } =
        way < 0.6
          ? await at.owner.patch(path(of, id), { fields })
          : way < 0.75
            ? await at.owner.del(path(of, id))
            : way < 0.9
              ? await at.owner.post(path(of, id, 'restore'))
              : await at.owner.patch(path(of, id), { fields: { name: `n${call}` } });
      expect([200, 204, 404, 409, 422]).toContain(status);
      for (const each of [deals, people]) {
        const { data, meta } = await rowsIn(each);
        moments.push({ of: each, seq: meta.seq, rows: data });
      }
    }
    let lists = 0;
    for (const { of, seq, rows: then } of moments) {
      const { data, meta } = await rowsIn(of, `&asOf=${seq}`);
      expect({ seed: SEED, seq, data }).toEqual({ seed: SEED, seq, data: then });
      expect(meta).toMatchObject({ leftOut: [] });
      lists += data.flatMap(({ fields }) => Object.values(fields).filter((cell) => Array.isArray(cell) && cell.length > 1)).length; // prettier-ignore
    }
    expect(lists).toBeGreaterThan(0);
    const [moment] = moments;
    const [row] = must(moment, 'a moment').rows;
    if (moment && row)
      expect(expectStatus(await at.owner.get<Row>(`${path(moment.of, row.id)}?asOf=${moment.seq}`), 200).fields).toEqual(row.fields); // prettier-ignore
    // Nothing is found by them, and their rows are not looked into.
    const past = `${path(deals)}?asOf=${must(moment, 'a moment').seq}`;
    for (const query of ['filter=team.isEmpty', 'expand=team', 'filter=team.name.eq.p1'])
      expect((await at.owner.get(`${past}&${query}`)).status).toBe(422);
    // Groups of rows that lead to the same.
    const { seq, rows: linked } = must(moments.filter(({ of }) => of === deals).at(-1), 'a moment');
    const body = { groupBy: [{ field: 'lead' }], aggregates: [{ as: 'n', fn: 'count' }], asOf: seq };
    const groups = expectStatus(await at.owner.post<{ data: { group: { lead: string[] }; values: { n: number } }[] }>(path(deals, 'query'), body), 200); // prettier-ignore
    const lead = ({ fields }: { readonly fields: Record<string, unknown> }): string =>
      JSON.stringify(fields.lead ?? []);
    const expected = new Map<string, number>();
    for (const row of linked) expected.set(lead(row), (expected.get(lead(row)) ?? 0) + 1);
    expect(new Map(groups.data.map(({ group, values }) => [JSON.stringify(group.lead), values.n]))).toEqual(expected);
    expect((await at.owner.get(`${past}&fields=team`)).status).toBe(200);
  });

  it('is told without a link whose lists were so long that the log has but what changed in them', async () => {
    const make = async (name: string) =>
      expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name, columns: [{ name: 'Name', type: 'text' }] }), 201); // prettier-ignore
    const [many, one] = [await make('Many'), await make('One')];
    const options = { tableId: one.id, multiple: true, inverseName: 'Back' };
    expectStatus(await at.owner.post(`/tables/${many.id}/columns`, { name: 'Ones', type: 'link', options }), 201);
    const { id } = expectStatus(await at.owner.post<Row>(path(one), { fields: { name: 'one' } }), 201);
    const ops = Array.from({ length: 100 }, () => ({ op: 'create', fields: { ones: [id] } }));
    expectStatus(await at.owner.post(path(many, 'bulk'), { mode: 'atomic', ops }), 200);
    const { meta } = expectStatus(await at.owner.get<Page>(path(one)), 200);
    expectStatus(await at.owner.post(path(many), { fields: { ones: [id] } }), 201);
    const then = expectStatus(await at.owner.get<Page>(`${path(one)}?asOf=${meta.seq}`), 200);
    expect(then.meta).toMatchObject({ leftOut: ['back'] });
    expect(then.data[0]?.fields).toEqual({ name: 'one' });
  });

  it('is told without what nobody knows of then, and refuses to speak of it', async () => {
    const before = await look();
    const columnOf = (key: string): Column =>
      must(
        table.columns.find((column) => column.key === key),
        key,
      );
    const later = { name: 'Later', type: 'text', default: 'new' };
    expectStatus(await at.owner.post(`/tables/${table.id}/columns`, later), 201);
    const link = {
      name: 'Friends',
      type: 'link',
      options: { tableId: at.table.id, multiple: true, inverseName: 'Of' },
    };
    expectStatus(await at.owner.post(`/tables/${table.id}/columns`, link), 201);
    const url = `/tables/${table.id}/columns/${columnOf('stars').id}`;
    const to = { type: 'text' };
    const { confirmToken } = expectStatus(
      await at.owner.post<{ confirmToken: string }>(`${url}/convert`, { to, dryRun: true }),
      200,
    );
    expectStatus(await at.owner.post(`${url}/convert`, { to, confirmToken }), 200);
    expectStatus(await at.owner.del(`/tables/${table.id}/columns/${columnOf('notes').id}`), 204);
    const { data, meta } = expectStatus(await list(`asOf=${before}&limit=1000`), 200);
    expect((meta as object as { leftOut: string[] }).leftOut.toSorted()).toEqual(['friends', 'later', 'stars']);
    const known = (fields: object) =>
      Object.fromEntries(Object.entries(fields).filter(([key]) => !['stars', 'notes'].includes(key)));
    expect(data.map(({ fields }) => fields)).toEqual(seen.get(before)?.rows.map(({ fields }) => known(fields)));
    for (const query of [
      'fields=name,later',
      'filter=later.eq.new',
      'sort=stars',
      'filter=friends.isEmpty',
      'expand=friends',
      'trashed=true',
    ])
      expect((await list(`asOf=${before}&${query}`)).status).toBe(422);
    expect(refusal(await list(`asOf=${before}&sort=later`))).toEqual([422, 'validation_failed', '/asOf not_told']);
    expect((await list(`asOf=${before}&fields=name&sort=name`)).status).toBe(200);
    const untold = [422, 'validation_failed', '/asOf not_told'];
    for (const body of [{ groupBy: [{ field: 'later' }] }, { aggregates: [{ as: 'n', fn: 'count', field: 'stars' }] }])
      expect(refusal(await at.owner.post(path(table, 'query'), { ...body, asOf: before }))).toEqual(untold);
    for (const query of ['fields=later', 'sort=stars'])
      expect(refusal(await at.owner.get(`/tables/${table.id}/export?asOf=${before}&${query}`))).toEqual(untold);
  });

  it('is refused where it has not come, is none, or is forgotten', async () => {
    for (const moment of ['99999999', '2999-01-01T00:00:00Z'])
      expect(refusal(await list(`asOf=${moment}`))).toEqual([422, 'validation_failed', '/asOf in_the_future']);
    for (const moment of ['', '-1', '1.5', 'yesterday', '2020-01-01', "1';--"])
      expect(refusal(await list(`asOf=${encodeURIComponent(moment)}`))).toEqual([
        422,
        'validation_failed',
        '/asOf not_a_moment',
      ]);
    const cursor = expectStatus(await list('asOf=20&limit=1'), 200).page.nextCursor ?? '';
    expect(refusal(await list(`asOf=21&limit=1&cursor=${cursor}`))).toEqual([400, 'cursor_mismatch']);
    expect(refusal(await list(`limit=1&cursor=${cursor}`))).toEqual([400, 'cursor_mismatch']);
    await sql(app.config.miniDb, `delete from "${table.physical.schema}"._change where table_id = $1 and seq < 20`, [
      table.id,
    ]);
    for (const moment of ['18', '2020-01-01T00:00:00Z'])
      expect(refusal(await list(`asOf=${moment}`))).toEqual([410, 'changes_gone']);
    expect((await list('asOf=19')).status).toBe(200);
    const groups = { aggregates: [{ as: 'n', fn: 'count' }], asOf: 18 };
    expect(refusal(await at.owner.post(path(table, 'query'), groups))).toEqual([410, 'changes_gone']);
    expect(refusal(await at.owner.get(`/tables/${table.id}/export?asOf=18`))).toEqual([410, 'changes_gone']);
  });
});

/** Changes with every change, and is not told with it. */
const isStamp = (key: string): boolean => key === 'changed';
const countOf = (log: readonly LoggedChange[]): number => new Set(log.map(({ seq }) => seq)).size;
