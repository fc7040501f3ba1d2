import { beforeAll, describe, expect, it } from '@jest/globals';
import { DriftChecker } from '../../src/modules/tables/drift/drift-checker.js';
import {
  client,
  databases,
  expectStatus,
  sql,
  startApp,
  startNode,
  waitFor,
  world,
  type Client,
  type Column,
  type Row,
  type Table,
  type TestApp,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { form, type Attachment } from '../support/attachments.js';
import { columnPath, convertColumn, type Converted } from '../support/conversions.js';
import { refusal } from '../support/rows.js';
import { member, putRules } from '../support/rules.js';

let pair: TestDatabases;
let app: TestApp;
let large: TestApp;
let at: World;
let owner: Client;
const ways = new Map<string, Client>();
beforeAll(async () => {
  pair = await databases();
  app = await startApp({ databases: pair });
  at = await world(app.base);
  ({ owner } = at);
  // Each table with a row is large for this one.
  large = await startApp({ databases: pair, env: { CONVERSION_BACKGROUND_ROWS: '0' } });
  ways.set('at once', owner).set('in the background', client(large.base, at.owner.token));
}, 60_000);

const way = (name: string): Client => ways.get(name) ?? owner;
const add = async ({ id }: Table, fields: object): Promise<Row> =>
  expectStatus(await owner.post<Row>(`/tables/${id}/rows`, { fields }), 201);
const fieldsOf = async ({ id }: Table): Promise<Row['fields'][]> => {
  const { data } = expectStatus(await owner.get<{ data: readonly Row[] }>(`/tables/${id}/rows`), 200);
  return data.map(({ fields }) => fields);
};
const again = async ({ id }: Table): Promise<Table> => (await owner.get<Table>(`/tables/${id}`)).body;
const noDrift = async () =>
  expect(await app.app.get(DriftChecker).check()).toMatchObject({ skipped: [], findings: [] });
/** The column that a conversion has left in the trash, restored under another key. */
async function hadBack(table: Table, name: string): Promise<Column> {
  const trash = await owner.get<{ data: readonly Column[] }>(`/tables/${table.id}/columns?trashed=true`);
  const old = trash.body.data.find((column) => column.name === `${name} (before conversion)`);
  return expectStatus(await owner.post<Column>(`/tables/${table.id}/columns/${old?.id}/restore`, {}), 200);
}

let made = 0;
/** Films of studios: Alien of two, Brazil of one without a name, Cube of none. */
async function films() {
  const nr = ++made;
  const newTable = async (name: string, columns: readonly object[]): Promise<Table> =>
    expectStatus(await owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `${name} ${nr}`, columns }), 201);
  const studios = await newTable('Studios', [
    { name: 'Name', type: 'text' },
    { name: 'Size', type: 'integer' },
    { name: 'Papers', type: 'attachment' },
  ]);
  const link = { name: 'Studios', type: 'link', options: { tableId: studios.id, inverseName: 'Films' } };
  const through = (columnId: string, more = {}) => ({ linkColumnId: 'studios', columnId, ...more });
  const table = await newTable('Films', [
    { name: 'Title', type: 'text' },
    { name: 'Year', type: 'integer' },
    link,
    { name: 'Main', type: 'link', options: { tableId: studios.id, multiple: false, inverseName: 'Main of' } },
    { name: 'Names', type: 'lookup', options: through('name') },
    { name: 'Main size', type: 'lookup', options: { linkColumnId: 'main', columnId: 'size' } },
    { name: 'Sum', type: 'rollup', options: through('size', { fn: 'sum' }) },
    { name: 'How many', type: 'count', options: { linkColumnId: 'studios' } },
    { name: 'Next', type: 'formula', options: { formula: '{year} + 1' } },
    { name: 'Nr', type: 'autonumber' },
    { name: 'Made', type: 'created_at' },
    { name: 'By', type: 'created_by' },
    { name: 'Files', type: 'attachment' },
    { name: 'Papers', type: 'lookup', options: through('papers') },
  ]);
  const files = expectStatus(
    await owner.post<{ data: Attachment[] }>(
      `/tables/${table.id}/attachments`,
      form({ content: 'one', name: 'one.txt' }, { content: 'two', name: 'two.txt' }),
    ),
    201,
  ).data;
  const papers = expectStatus(
    await owner.post<{ data: Attachment[] }>(`/tables/${studios.id}/attachments`, form('three')),
    201,
  ).data;
  const fox = await add(studios, { name: 'Fox, Inc.', size: 20, papers });
  const brandywine = await add(studios, { name: 'Brandywine', size: 3 });
  const nameless = await add(studios, { size: 1 });
  await add(table, {
    title: 'Alien',
    year: 1979,
    studios: [brandywine.id, fox.id],
    main: [fox.id],
    files: [files[1], files[0]],
  });
  await add(table, { title: 'Brazil', year: 1985, studios: [nameless.id], main: [nameless.id] });
  await add(table, { title: 'Cube' });
  return { table, studios, fox, brandywine, nameless, names: { files, papers } };
}

type Films = Awaited<ReturnType<typeof films>>;

describe.each(['at once', 'in the background'])('a column without values of its own that is converted %s', (name) => {
  it('keeps what people read in it, whatever it was computed from', async () => {
    const { table, nameless, names } = await films();
    const convert = (key: string, to: object) => convertColumn(way(name), columnPath(table, key), to);
    const before = await fieldsOf(table);
    const done = { state: 'done' };
    expect(await convert('names', { type: 'json' })).toMatchObject(done);
    expect(await convert('main_size', { type: 'integer' })).toMatchObject(done);
    expect(await convert('sum', { type: 'text' })).toMatchObject(done);
    expect(await convert('how_many', { type: 'rating', options: { max: 5 } })).toMatchObject({ state: 'failed' });
    expect(await convert('how_many', { type: 'decimal' })).toMatchObject(done);
    expect(await convert('next', { type: 'integer' })).toMatchObject(done);
    expect(await convert('nr', { type: 'integer' })).toMatchObject(done);
    expect(await convert('made', { type: 'datetime' })).toMatchObject(done);
    expect(await convert('by', { type: 'user' })).toMatchObject(done);
    expect(await convert('files', { type: 'text' })).toMatchObject(done);
    expect(await convert('papers', { type: 'multi_select' })).toMatchObject(done);
    expect(await convert('studios', { type: 'text' })).toMatchObject(done);
    expect(await convert('main', { type: 'single_select' })).toMatchObject(done);
    const { columns } = await again(table);
    const after = await fieldsOf(table);
    const choice = (key: string, label: string): unknown =>
      (columns.find((column) => column.key === key)?.options.choices as { key: string; label: string }[]).find(
        (each) => each.label === label,
      )?.key;
    expect(after.map(({ names: cell }) => cell)).toEqual([['Brandywine', 'Fox, Inc.'], null, null]);
    expect(after.map(({ main_size: cell }) => cell)).toEqual([20, 1, null]);
    expect(after.map(({ sum }) => sum)).toEqual(['23', '1', '0']);
    expect(after.map(({ how_many: cell }) => cell)).toEqual(['2', '1', '0']);
    expect(after.map(({ next }) => next)).toEqual([1980, 1986, null]);
    for (const key of ['nr', 'made', 'by'])
      expect(after.map((fields) => fields[key])).toEqual(before.map((fields) => fields[key]));
    const [one, two] = names.files.map((file) => file.name);
    expect(after.map(({ files }) => files)).toEqual([`${two}, ${one}`, null, null]);
    expect(after.map(({ papers }) => papers)).toEqual([[choice('papers', names.papers[0]?.name ?? '')], [], []]);
    expect(after.map(({ studios }) => studios)).toEqual(['Brandywine, Fox, Inc.', nameless.id, null]);
    expect(after.map(({ main }) => main)).toEqual([choice('main', 'Fox, Inc.'), choice('main', nameless.id), null]);
    // They are columns like others now.
    const own = await add(table, { studios: 'by hand', sum: '7', nr: 4, made: '2026-01-01T00:00:00.000Z' });
    expect(own.fields).toMatchObject({ studios: 'by hand', sum: '7', nr: 4, made: '2026-01-01T00:00:00.000Z' });
    await noDrift();
  });

  it('is had back from the trash, a link with its other end', async () => {
    const { table, studios, fox, brandywine } = await films();
    const [alien] = expectStatus(await owner.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows`), 200).data;
    for (const key of ['names', 'sum', 'how_many', 'papers'])
      expectStatus(await owner.del(columnPath(table, key)), 204);
    expect(await convertColumn(way(name), columnPath(table, 'studios'), { type: 'text' })).toMatchObject({
      state: 'done',
    });
    expect((await again(studios)).columns.map(({ key }) => key)).not.toContain('films');
    const { key } = await hadBack(table, 'Studios');
    const [first] = await fieldsOf(table);
    expect(first).toMatchObject({ studios: 'Brandywine, Fox, Inc.', [key]: [brandywine.id, fox.id] });
    const [shown] = await fieldsOf(studios);
    expect(shown?.films).toEqual([alien?.id]);
    expectStatus(await owner.patch(`/tables/${studios.id}/rows/${fox.id}`, { fields: { films: [] } }), 200);
    expect((await fieldsOf(table))[0]?.[key]).toEqual([brandywine.id]);
    const next = await convertColumn(way(name), columnPath(table, 'next'), { type: 'text' });
    expect(next).toMatchObject({ state: 'done' });
    const formula = await hadBack(table, 'Next');
    expect(formula).toMatchObject({ type: 'formula', options: { formula: '{year} + 1' } });
    expect((await fieldsOf(table))[0]).toMatchObject({ next: '1980', [formula.key]: '1980' });
    await noDrift();
  });
});

describe('a list that is computed', () => {
  it('of whatever values becomes a select of their texts, and is shown in samples as such', async () => {
    const { table, studios } = await films();
    for (const column of [
      { name: 'Since', type: 'date' },
      { name: 'Open', type: 'boolean' },
      { name: 'Seen', type: 'datetime' },
      { name: 'Boss', type: 'user' },
    ])
      expectStatus(await owner.post(`/tables/${studios.id}/columns`, column), 201);
    for (const key of ['size', 'since', 'open', 'seen', 'boss']) {
      const options = { linkColumnId: 'studios', columnId: key };
      expectStatus(
        await owner.post(`/tables/${table.id}/columns`, { name: `List ${key}`, type: 'lookup', options }),
        201,
      );
    }
    const { data } = expectStatus(await owner.get<{ data: readonly Row[] }>(`/tables/${studios.id}/rows`), 200);
    const seen = '2026-01-02T03:04:05.000Z';
    for (const { id } of data) {
      const fields = { since: '2020-01-02', open: true, seen, boss: at.owner.user.id };
      expectStatus(await owner.patch(`/tables/${studios.id}/rows/${id}`, { fields }), 200);
    }
    const now = await again(table);
    const to = { type: 'integer' };
    const tried = await owner.post(`${columnPath(now, 'list_seen')}/convert`, { to, onError: 'null', dryRun: true });
    expect(tried).toMatchObject({ status: 200, body: { samples: [{ value: `${seen}, ${seen}` }, { value: seen }] } });
    const users = await owner.post(`${columnPath(now, 'list_boss')}/convert`, {
      to: { type: 'multi_select' },
      dryRun: true,
    });
    expect(refusal(users)).toEqual([422, 'validation_failed', '/to/type not_convertible']);
    const labels = [];
    for (const key of ['list_size', 'list_since', 'list_open', 'list_seen']) {
      expect(await convertColumn(owner, columnPath(now, key), { type: 'multi_select' })).toEqual({ state: 'done' });
      const { choices } = (await again(table)).columns.find((column) => column.key === key)?.options ?? {};
      labels.push((choices as { label: string }[]).map(({ label }) => label));
    }
    expect(labels).toEqual([['1', '20', '3'], ['2020-01-02'], ['true'], [seen]]);
    await noDrift();
  });
});

describe('a column that rules show in part or not at all, for what it is computed from', () => {
  it.each([
    ['rows', { read: { filter: { field: 'size', op: 'gt', value: 2 } } }, ['names', 'main_size', 'sum', 'main']],
    ['a column', { columns: { hidden: ['size'] } }, ['main_size', 'sum']],
    ['the titles', { columns: { hidden: ['name'] } }, ['names', 'main']],
    ['the other end of the link', { columns: { hidden: ['films'] } }, ['names', 'sum', 'how_many']],
  ])('does not come to show all of it: %s', async (_, rule, keys) => {
    const { table, studios } = await films();
    const to = { type: 'text' };
    const tried = async (key: string) =>
      refusal(await owner.post(`${columnPath(table, key)}/convert`, { to, dryRun: true }));
    const appliesTo = { roles: ['viewer'] };
    await putRules(owner, studios, { name: 'some', appliesTo, ...rule });
    // Its own rows are seen by the same people as before.
    await putRules(owner, table, { name: 'own', read: { filter: { field: 'year', op: 'gt', value: 1980 } } });
    for (const key of keys) expect([key, ...(await tried(key))]).toEqual([key, ...RULED]);
    expect((await owner.post(`${columnPath(table, 'next')}/convert`, { to, dryRun: true })).status).toBe(200);
    await putRules(owner, table, { name: 'own', appliesTo: { roles: ['editor'] }, columns: { hidden: keys } });
    for (const key of keys) expect([key, ...(await tried(key))]).toEqual([key, ...RULED]);
    await putRules(owner, table, { name: 'own', appliesTo, columns: { hidden: keys } });
    const free = keys.filter((key) => key !== 'main');
    for (const key of free) expect(await convertColumn(owner, columnPath(table, key), to)).toEqual({ state: 'done' });
  });

  it.each(['at once', 'in the background'])('is kept from the same people when it is had back, %s', async (how) => {
    const { table, studios } = await films();
    const hidden = ['year', 'next', 'main', 'main_size'];
    const viewer = await member(at.owner, at.workspace.id, 'viewer');
    await putRules(owner, table, { name: 'own', appliesTo: { roles: ['viewer'] }, columns: { hidden } });
    expectStatus(await owner.del(columnPath(table, 'main_size')), 204);
    for (const [key, type] of Object.entries({ next: 'decimal', year: 'decimal', main: 'text' })) {
      const path = columnPath(table, key);
      expect(await convertColumn(way(how), path, { type })).toMatchObject({ state: 'done' });
    }
    const log = await owner.get<{ data: readonly { action: string; after: { rules?: readonly object[] } | null }[] }>(
      `/workspaces/${at.workspace.id}/audit-logs?resourceId=${table.id}&action=table.rules_changed`,
    );
    const [latest, ...earlier] = expectStatus(log, 200).data;
    expect([earlier.length, latest?.after?.rules]).toEqual([
      3,
      [
        expect.objectContaining({
          columns: expect.objectContaining({
            hidden: expect.arrayContaining(['main_before_conversion']) as unknown,
          }) as unknown,
        }),
      ],
    ]);
    // Rules that are read and written again mean the same as before, of the trash, too.
    const { rules } = expectStatus(await owner.get<{ rules: readonly object[] }>(`/tables/${table.id}/rules`), 200);
    expect(rules).toMatchObject([
      { columns: { hidden: expect.arrayContaining(['year_before_conversion']) as unknown } },
    ]);
    expectStatus(await owner.call('PUT', `/tables/${table.id}/rules`, { rules }), 200);
    for (const name of ['Year', 'Next', 'Main']) await hadBack(table, name);
    for (const name of ['Year', 'Next', 'Main'])
      expect((await again(table)).columns).toContainEqual(
        expect.objectContaining({ name: `${name} (before conversion)` }),
      );
    const rows = async ({ id }: Table): Promise<Row['fields']> => {
      const { data } = expectStatus(await viewer.get<{ data: readonly Row[] }>(`/tables/${id}/rows`), 200);
      return data[0]?.fields ?? {};
    };
    expect(Object.keys(await rows(table)).filter((key) => /year|next|main/.test(key))).toEqual([]);
    expect(Object.keys(await rows(studios))).not.toContain('main_of');
    await noDrift();
  });

  it('nor does it in the background, where the rules come meanwhile', async () => {
    const { table, ended } = await meanwhile('next', async (its) => {
      await putRules(owner, its.table, {
        name: 'own',
        appliesTo: { roles: ['viewer'] },
        columns: { hidden: ['year'] },
      });
    });
    expect(ended).toMatchObject({ state: 'failed', error: { errors: [{ code: 'rules_in_the_way' }] } });
    expect((await again(table)).columns).toContainEqual(expect.objectContaining({ key: 'next', type: 'formula' }));
    await noDrift();
  }, 120_000);
});

const RULED = [422, 'validation_failed', '/to/type rules_in_the_way'];

describe('a link that is converted', () => {
  it('is refused while a column follows it from either end, which is named', async () => {
    const { table, studios } = await films();
    const refused = await owner.post(`${columnPath(table, 'main')}/convert`, { to: { type: 'text' }, dryRun: true });
    expect(refusal(refused)).toEqual([422, 'validation_failed', '/to/type link_in_the_way']);
    const titles = { name: 'Titles', type: 'lookup', options: { linkColumnId: 'films', columnId: 'title' } };
    expectStatus(await owner.post(`/tables/${studios.id}/columns`, titles), 201);
    for (const key of ['names', 'sum', 'how_many', 'papers'])
      expectStatus(await owner.del(columnPath(table, key)), 204);
    const other = await owner.post(`${columnPath(table, 'studios')}/convert`, {
      to: { type: 'text' },
      dryRun: true,
    });
    expect(refusal(other)).toEqual([422, 'validation_failed', '/to/type link_in_the_way']);
    expect((other.body as { errors: readonly object[] }).errors).toMatchObject([
      { tableId: studios.id, detail: expect.stringContaining('lookup titles') as unknown },
    ]);
  });

  it('within one table takes its other end along', async () => {
    const { table } = await films();
    const options = { tableId: table.id, inverseName: 'Sequel of' };
    const sequel = expectStatus(
      await owner.post<Column>(`/tables/${table.id}/columns`, { name: 'Sequel', type: 'link', options }),
      201,
    );
    const aliens = await add(table, { title: 'Aliens' });
    const [alien] = expectStatus(await owner.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows`), 200).data;
    const row = `/tables/${table.id}/rows/${alien?.id}`;
    expectStatus(await owner.patch(row, { fields: { sequel: [aliens.id] } }), 200);
    const path = `/tables/${table.id}/columns/${sequel.id}`;
    expect(await convertColumn(owner, path, { type: 'text' })).toEqual({ state: 'done' });
    expect((await fieldsOf(table)).map((fields) => [fields.title, fields.sequel, fields.sequel_of])).toEqual([
      ['Alien', 'Aliens', undefined],
      ['Brazil', null, undefined],
      ['Cube', null, undefined],
      ['Aliens', null, undefined],
    ]);
    await noDrift();
  });
});

const ENDED = `select state, error from column_conversions where column_id = $1 and state in ('done', 'failed')`;

/** Converts a column on a node that fills it, comes no further and dies, after `work`; another one brings it to its end. */
async function meanwhile(key: string, work: (made: Films) => Promise<unknown>): Promise<Films & { ended: Converted }> {
  // Whoever has the lock of a conversion, converts.
  await Promise.all([app.close(), large.close()]);
  const env = { CONVERSION_BACKGROUND_ROWS: '0', FAULT_POINT: 'conversion.exchange*99' };
  const node = await startNode({ databases: pair, env });
  owner = client(node.base, at.owner.token);
  const its = await films();
  const path = columnPath(its.table, key);
  const to = { type: 'text' };
  const tried = await owner.post<{ confirmToken: string }>(`${path}/convert`, { to, dryRun: true });
  const { confirmToken } = expectStatus(tried, 200);
  expectStatus(await owner.post(`${path}/convert`, { to, confirmToken }), 202);
  const state = async () => (await owner.get<Converted & { rowsDone: number }>(`${path}/conversion`)).body;
  await waitFor(async () => (await state()).rowsDone === 3, 20_000);
  await work(its);
  await node.kill9();
  app = await startApp({ databases: pair });
  owner = client(app.base, at.owner.token);
  const columnId = path.slice(path.lastIndexOf('/') + 1);
  const ended = await waitFor(async () => {
    const [found] = await sql<{ state: string; error: Converted['error'] }>(pair.main, ENDED, [columnId]);
    return found;
  }, 30_000);
  return { ...its, ended };
}

describe('a computed column of a large table', () => {
  it('has what it would have at the end of its conversion, whatever has changed meanwhile', async () => {
    const { table, ended } = await meanwhile('names', async ({ table: its, studios, fox, nameless }) => {
      const rename = { fields: { name: 'Embassy' } };
      expectStatus(await owner.patch(`/tables/${studios.id}/rows/${nameless.id}`, rename), 200);
      expectStatus(await owner.del(`/tables/${studios.id}/rows/${fox.id}`), 204);
      await add(its, { title: 'Dune', studios: [nameless.id] });
    });
    expect(ended).toMatchObject({ state: 'done' });
    expect((await fieldsOf(table)).map(({ names }) => names)).toEqual(['Brandywine', 'Embassy', null, 'Embassy']);
    await noDrift();
  }, 120_000);

  it('is left as it is, in the trash, when what it is computed from goes there', async () => {
    const { table, studios, ended } = await meanwhile('main_size', async (its) =>
      expectStatus(await owner.del(columnPath(its.studios, 'size')), 204),
    );
    expect(ended).toMatchObject({ state: 'failed', error: { code: 'not_found' } });
    expectStatus(await owner.post(`${columnPath(studios, 'size')}/restore`, {}), 200);
    expect((await fieldsOf(table)).map((fields) => fields.main_size)).toEqual([20, 1, null]);
    await noDrift();
  }, 120_000);
});
