import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  databases,
  expectStatus,
  member,
  startNode,
  world,
  type ProblemBody,
  type Row,
  type Table,
  type TestNode,
  type World,
} from '../harness/index.js';

interface Base {
  readonly id: string;
  readonly name: string;
}
interface List<T> {
  readonly data: readonly T[];
}
interface Template {
  readonly tables: readonly { readonly rows: readonly object[] }[];
  readonly views: readonly { readonly name: string }[];
}

let node: TestNode;
beforeAll(async () => {
  node = await startNode({ databases: await databases() });
}, 120_000);

const FORMAT = 'live-tables/template@1';
const use = <T = Base>({ owner, workspace }: World, body: object) =>
  owner.post<T>(`/workspaces/${workspace.id}/bases/from-template`, body);
const exported = async ({ owner }: World, base: Base, query = ''): Promise<Template> =>
  expectStatus(await owner.get<Template>(`/bases/${base.id}/template${query}`), 200);

async function rowsOf({ owner }: World, base: Base, key: string): Promise<readonly Row[]> {
  const tables = expectStatus(await owner.get<List<Table>>(`/bases/${base.id}/tables`), 200).data;
  const id = tables.find((table) => table.key === key)?.id ?? '';
  return expectStatus(await owner.get<List<Row>>(`/tables/${id}/rows`), 200).data;
}
const named = (rows: readonly Row[], name: string) => rows.find(({ fields }) => (fields.name ?? fields.title) === name);

describe('a base from a template', () => {
  it('comes last in its workspace, as a new base and a copy do', async () => {
    const at = await world(node.base);
    expectStatus(await use(at, { templateId: 'crm', name: 'From a template' }), 201);
    expectStatus(await at.owner.post(`/bases/${at.base.id}/duplicate`, { name: 'Copy' }), 201);
    expectStatus(await at.owner.post(`/workspaces/${at.workspace.id}/bases`, { name: 'New' }), 201);
    const { data } = expectStatus(
      await at.owner.get<List<Base & { position: number }>>(`/workspaces/${at.workspace.id}/bases`),
      200,
    );
    expect(data.slice(1).map(({ name }) => name)).toEqual(['From a template', 'Copy', 'New']);
    expect(data.map(({ position }) => position)).toEqual([0, 1, 2, 3]);
  });

  it('is the CRM that comes with the product: people, companies, deals and tasks, with what follows from their links', async () => {
    const at = await world(node.base);
    const { data } = expectStatus(await at.owner.get<List<{ id: string }>>('/templates'), 200);
    expect(data).toMatchObject([{ id: 'crm', tables: ['Companies', 'People', 'Deals', 'Tasks'] }]);
    const base = expectStatus(await use(at, { templateId: 'crm', name: 'Ours' }), 201);
    expect(base.name).toBe('Ours');
    const companies = await rowsOf(at, base, 'companies');
    expect(named(companies, 'Northwind')?.fields).toMatchObject({
      deal_value: '60500.50',
      headcount: 2,
      open_tasks: '3',
    });
    expect(named(companies, 'Meridian')?.fields).toMatchObject({ deal_value: '0.00', headcount: 1, deals: [] });
    const deals = await rowsOf(at, base, 'deals');
    expect(named(deals, 'Store fit-out')?.fields).toMatchObject({
      stage: 'offer',
      contact_emails: ['ines@northwind.example', 'tomas@northwind.example'],
      task_count: 2,
    });
    const tasks = await rowsOf(at, base, 'tasks');
    expect(named(tasks, 'Measure the shop')?.fields).toMatchObject({
      deal_stage: 'offer',
      done: false,
      part_of: [named(tasks, 'Send the quote')?.id],
    });
  });

  it('is the same document again when it is exported, used and exported', async () => {
    const at = await world(node.base);
    const first = expectStatus(await use(at, { templateId: 'crm', name: 'First' }), 201);
    const [structure, whole] = [await exported(at, first), await exported(at, first, '?withRows=true')];
    expect(structure.tables.map(({ rows }) => rows.length)).toEqual([0, 0, 0, 0]);
    expect(whole.tables.map(({ rows }) => rows.length)).toEqual([3, 4, 3, 3]);
    expect(whole.views.map(({ name }) => name)).toEqual(['Pipeline', 'Tasks to do']);
    // Elsewhere, where the names of the views are free.
    const there = await world(node.base);
    const second = expectStatus(await use(there, { name: 'Again', template: whole }), 201);
    expect(await exported(there, second, '?withRows=true')).toEqual({ ...whole, name: 'Again' });
    const empty = await world(node.base);
    const third = expectStatus(await use(empty, { name: 'Empty', template: structure }), 201);
    expect(await exported(empty, third)).toEqual({ ...structure, name: 'Empty' });
  });

  it('comes out of every base, also of one that requires people and files, with all that makes it look as it does', async () => {
    const at = await world(node.base);
    const look = { color: 'teal', icon: '🤝' };
    const base = expectStatus(
      await at.owner.post<Base>(`/workspaces/${at.workspace.id}/bases`, { name: 'Real', description: 'All of it' }),
      201,
    );
    expectStatus(await at.owner.patch(`/bases/${base.id}`, look), 200);
    const tableOf = async (body: object) =>
      expectStatus(await at.owner.post<Table>(`/bases/${base.id}/tables`, body), 201);
    const firms = await tableOf({
      name: 'Firms',
      columns: [
        { name: 'Name', type: 'text', description: 'As in the register' },
        { name: 'Who', type: 'user', required: true },
        { name: 'By', type: 'user', required: true, default: 'me' },
        { name: 'Paper', type: 'attachment' },
      ],
    });
    await tableOf({ name: 'People', columns: [{ name: 'Firm', type: 'link', options: { tableId: firms.id } }] });
    expectStatus(await at.owner.patch(`/tables/${firms.id}`, look), 200);
    // The column that the link has brought stands first.
    const whole = expectStatus(await at.owner.get<Table>(`/tables/${firms.id}`), 200);
    expectStatus(await at.owner.patch(`/tables/${firms.id}/columns/${whole.columns.at(-1)?.id}`, { position: 0 }), 200);
    const structure = await exported(at, base);
    expect(structure.tables[0]).toMatchObject({ columns: [{}, { required: true }, { required: true }, {}] });
    const who = at.owner.user.id;
    expectStatus(await at.owner.post(`/tables/${firms.id}/rows`, { fields: { name: 'Acme', who } }), 201);
    const document = await exported(at, base, '?withRows=true');
    expect(document).toMatchObject({
      description: 'All of it',
      ...look,
      tables: [
        {
          ...look,
          order: ['people', 'name', 'who', 'by', 'paper'],
          columns: [{ description: 'As in the register' }, { required: false }, { required: true }, {}],
          rows: [{ fields: { name: 'Acme' } }],
        },
        {},
      ],
    });
    const again = expectStatus(await use(at, { name: 'Again', template: document }), 201);
    expect(await exported(at, again, '?withRows=true')).toEqual({ ...document, name: 'Again' });
    expect(await rowsOf(at, again, 'firms')).toMatchObject([{ fields: { name: 'Acme', who: null, by: who } }]);
  });

  it('names the table, the column and the rows where sample rows are not unique', async () => {
    const at = await world(node.base);
    const email = { name: 'Mail', type: 'email', unique: true };
    const rows = ['a@x.example', 'b@x.example', 'A@x.example'].map((mail) => ({ fields: { mail } }));
    const document = { format: FORMAT, name: 'Twice', tables: [table('A', []), table('Letters', [email], rows)] };
    const answer = await use<ProblemBody>(at, { template: document });
    expect(expectStatus(answer, 409)).toMatchObject({
      code: 'unique_violation',
      detail: 'Letters: row 0 has the same mail as row 2.',
      errors: [{ pointer: '/template/tables/1/rows/2/fields/mail', code: 'unique_violation' }],
    });
  });

  it('goes on with ordinary writes', async () => {
    const at = await world(node.base);
    const base = expectStatus(await use(at, { templateId: 'crm', name: 'Ours' }), 201);
    const tables = expectStatus(await at.owner.get<List<Table>>(`/bases/${base.id}/tables`), 200).data;
    const deals = tables.find(({ key }) => key === 'deals')?.id ?? '';
    const made = await at.owner.post<Row>(`/tables/${deals}/rows`, { fields: { name: 'New' } });
    expect(expectStatus(made, 201).fields).toMatchObject({ no: 4, stage: 'lead' });
  });

  const text = (name: string) => ({ name, type: 'text' });
  const table = (name: string, columns: readonly object[], rows: readonly object[] = []) => ({ name, columns, rows });
  const a = (...columns: object[]) => [table('A', columns)];
  it.each([
    ['an unknown member', { tables: [], macros: [] }, '/template/macros', 'unknown_property'],
    ['a limit that is no number', { tables: [], rowsCappedAt: 'x' }, '/template/rowsCappedAt', 'is_int'],
    [
      'an order of columns that are not there',
      { tables: [{ ...table('A', [text('N')]), order: ['n', 'm'] }] },
      '/template/tables/0/order/1',
      'unknown_field',
    ],
    ['another format', { format: 'x', tables: [] }, '/template/format', 'unknown_format'],
    ['two tables of one name', { tables: [table('A', []), table('a', [])] }, '/template/tables/1/name', 'name_taken'],
    ['two columns of one name', { tables: a(text('N'), text('n')) }, '/template/tables/0/columns/1/name', 'name_taken'],
    [
      'a key that is SQL',
      { tables: a({ ...text('N'), key: 'a"; drop' }) },
      '/template/tables/0/columns/0/key',
      'is_key',
    ],
    [
      'a link to nowhere',
      { tables: a({ name: 'L', type: 'link', options: { table: 'b' } }) },
      '/template/tables/0/columns/0/options/table',
      'unknown_table',
    ],
    [
      'lookups in a circle',
      {
        tables: a(
          { name: 'P', type: 'lookup', options: { linkColumn: 'self', column: 'q' } },
          { name: 'Q', type: 'lookup', options: { linkColumn: 'self', column: 'p' } },
          { name: 'Self', type: 'link', options: { table: 'a' } },
        ),
      },
      '/template/tables/0/columns/0/options/column',
      'lookup_cycle',
    ],
    [
      'a row that does not fit',
      { tables: [table('A', [{ name: 'Qty', type: 'integer' }], [{ fields: { qty: 'many' } }])] },
      '/template/tables/0/rows/0/fields/qty',
      'not_an_integer',
    ],
    [
      'a link to a row that is not there',
      {
        tables: [
          table(
            'A',
            [{ name: 'Self', type: 'link', options: { table: 'a' } }],
            [{ ref: 'x', fields: { self: ['y'] } }],
          ),
        ],
      },
      '/template/tables/0/rows/0/fields/self',
      'unknown_ref',
    ],
    ['a table that is none', { tables: ['__proto__'] }, '/template/tables/0', 'is_object'],
  ])('refuses %s, and makes nothing', async (_, document, pointer, code) => {
    const at = await world(node.base);
    const answer = await use<ProblemBody>(at, { name: 'Bad', template: { format: FORMAT, ...document } });
    expect(expectStatus(answer, 422).errors).toContainEqual(expect.objectContaining({ pointer, code }));
    const { data } = expectStatus(await at.owner.get<List<Base>>(`/workspaces/${at.workspace.id}/bases`), 200);
    expect(data.map(({ name }) => name)).toEqual(['CRM']);
  });

  it('refuses more tables, columns or rows than a template may have', async () => {
    const at = await world(node.base);
    const columns = Array.from({ length: 250 }, (_, n) => text(`c${n}`));
    const tables = Array.from({ length: 9 }, (_, n) => table(`t${n}`, columns));
    for (const many of [
      tables,
      [
        table(
          'A',
          [],
          Array.from({ length: 5_001 }, () => ({ fields: {} })),
        ),
      ],
    ]) {
      const answer = await use<ProblemBody>(at, { name: 'Big', template: { format: FORMAT, tables: many } });
      expect(expectStatus(answer, 422).code).toBe('limit_reached');
    }
  });

  it('is for admins, its export for everybody in the workspace, and neither for others', async () => {
    const at = await world(node.base);
    const [editor, viewer] = [await member(at, 'editor'), await member(at, 'viewer')];
    const path = `/workspaces/${at.workspace.id}/bases/from-template`;
    expectStatus(await editor.post(path, { templateId: 'crm' }), 403);
    expectStatus(await viewer.get(`/bases/${at.base.id}/template?withRows=true`), 200);
    const stranger = (await world(node.base)).owner;
    expectStatus(await stranger.post(path, { templateId: 'crm' }), 404);
    expectStatus(await stranger.get(`/bases/${at.base.id}/template`), 404);
    expectStatus(await use(at, { templateId: 'crm', name: 'crm' }), 409);
    expectStatus(await use(at, { templateId: 'crm', template: {} }), 422);
  });
});
