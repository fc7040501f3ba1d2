import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  databases,
  expectStatus,
  member,
  sql,
  startNode,
  waitFor,
  world,
  type ProblemBody,
  type Row,
  type Table,
  type TestDatabases,
  type TestNode,
  type World,
} from '../harness/index.js';

interface Base {
  readonly id: string;
  readonly name: string;
  readonly physical: { readonly schema: string };
}
interface List<T> {
  readonly data: readonly T[];
}

let pair: TestDatabases;
let node: TestNode;
beforeAll(async () => {
  pair = await databases();
  node = await startNode({ databases: pair });
}, 120_000);

const COMPANIES = [
  { name: 'Name', type: 'text', required: true, unique: true },
  { name: 'No', type: 'autonumber' },
];

/** Companies, and deals that link to a company and to the deal before, with what follows from the links. */
async function company() {
  const at = await world(node.base, { columns: COMPANIES });
  const companies = at.table;
  const { owner } = at;
  const deals = expectStatus(
    await owner.post<Table>(`/bases/${at.base.id}/tables`, {
      name: 'Sales',
      columns: [
        { name: 'Name', type: 'text' },
        { name: 'Amount', type: 'decimal', options: { scale: 2 } },
        { name: 'Company', type: 'link', options: { tableId: companies.id, multiple: false, inverseName: 'Sales' } },
        { name: 'Company name', type: 'lookup', options: { linkColumnId: 'company', columnId: 'name' } },
      ],
    }),
    201,
  );
  const previous = { name: 'Previous', type: 'link', options: { tableId: deals.id, inverseName: 'Next' } };
  expectStatus(await owner.post(`/tables/${deals.id}/columns`, previous), 201);
  const total = { name: 'Total', type: 'rollup', options: { linkColumnId: 'sales', columnId: 'amount', fn: 'sum' } };
  expectStatus(await owner.post(`/tables/${companies.id}/columns`, total), 201);
  const acme = await row(at, companies, { name: 'Acme' });
  const first = await row(at, deals, { name: 'First', amount: '10.50', company: [acme.id] });
  await row(at, deals, { name: 'Second', amount: '5.25', company: [acme.id], previous: [first.id] });
  return { at, companies, deals, acme, first };
}

const row = async ({ owner }: World, table: Table, fields: object): Promise<Row> =>
  expectStatus(await owner.post<Row>(`/tables/${table.id}/rows`, { fields }), 201);

const rowsOf = async ({ owner }: World, table: Table): Promise<readonly Row[]> =>
  expectStatus(await owner.get<List<Row>>(`/tables/${table.id}/rows`), 200).data;

const fieldsOf = async (at: World, table: Table) => (await rowsOf(at, table)).map(({ fields }) => fields);

const duplicate = ({ owner, base }: World, body: object, headers = {}) =>
  owner.post<Base>(`/bases/${base.id}/duplicate`, body, headers);

/** The tables of a base by key. */
async function tablesOf({ owner }: World, { id }: { readonly id: string }): Promise<(key: string) => Table> {
  const { data } = expectStatus(await owner.get<List<Table>>(`/bases/${id}/tables`), 200);
  return (key) => {
    const found = data.find((table) => table.key === key);
    if (!found) throw new Error(`no table ${key}`);
    return found;
  };
}

describe('a duplicated base', () => {
  it('has the rows, links, lookups and rollups of the original, which writes to it do not touch', async () => {
    const { at, companies, deals } = await company();
    const copy = expectStatus(await duplicate(at, { name: 'Copy', withRows: true }), 201);
    const table = await tablesOf(at, copy);
    expect(await fieldsOf(at, table('sales'))).toEqual(await fieldsOf(at, deals));
    expect(await fieldsOf(at, table('deals'))).toEqual(await fieldsOf(at, companies));
    const before = await rowsOf(at, companies);
    const [sale] = await rowsOf(at, table('sales'));
    const change = { fields: { amount: '100.00' } };
    expectStatus(await at.owner.patch(`/tables/${table('sales').id}/rows/${sale?.id ?? ''}`, change), 200);
    expect((await fieldsOf(at, table('deals')))[0]).toMatchObject({ total: '105.25' });
    expect(await rowsOf(at, companies)).toEqual(before);
    expect(await row(at, table('deals'), { name: 'Globex' })).toMatchObject({ fields: { no: 2 } });
  });

  it('says in its change log where it is from, and begins its rows at version 1', async () => {
    const { at, companies, acme } = await company();
    expectStatus(
      await at.owner.patch(`/tables/${companies.id}/rows/${acme.id}`, { fields: { name: 'Acme Ltd' } }),
      200,
    );
    const copy = expectStatus(await duplicate(at, { name: 'Copy', withRows: true }), 201);
    const table = (await tablesOf(at, copy))('deals');
    expect(await rowsOf(at, table)).toMatchObject([{ id: acme.id, version: 1, fields: { name: 'Acme Ltd' } }]);
    expect(
      await sql(pair.mini, `select seq, op, after from "${copy.physical.schema}"._change where table_id = $1`, [
        table.id,
      ]),
    ).toEqual([{ seq: '1', op: 'schema', after: { duplicated: { from: companies.id, rows: true } } }]);
  });

  it('is empty without rows, and its links work', async () => {
    const { at } = await company();
    const copy = expectStatus(await duplicate(at, { name: 'Empty' }), 201);
    const table = await tablesOf(at, copy);
    expect(await rowsOf(at, table('sales'))).toEqual([]);
    const made = await row(at, table('deals'), { name: 'New' });
    const sale = await row(at, table('sales'), { name: 'Sale', amount: 7, company: [made.id] });
    expect(sale.fields).toMatchObject({ company: [made.id], company_name: 'New' });
    expect((await fieldsOf(at, table('deals')))[0]).toMatchObject({ no: 1, sales: [sale.id], total: '7.00' });
  });

  it('leaves out rows of the trash', async () => {
    const { at, deals, first } = await company();
    expectStatus(await at.owner.del(`/tables/${deals.id}/rows/${first.id}`), 204);
    const copy = expectStatus(await duplicate(at, { name: 'Copy', withRows: true }), 201);
    expect(await fieldsOf(at, (await tablesOf(at, copy))('sales'))).toMatchObject([{ name: 'Second', previous: [] }]);
  });

  it('is made once of two at once with one name, and once of a request that is repeated', async () => {
    const { at } = await company();
    const both = await Promise.all([1, 2].map(() => duplicate(at, { name: 'Twice', withRows: true })));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    const key = { 'idempotency-key': 'copy-1' };
    const [once, again] = [
      expectStatus(await duplicate(at, { name: 'Once' }, key), 201),
      expectStatus(await duplicate(at, { name: 'Once' }, key), 201),
    ];
    expect(again.id).toBe(once.id);
  });

  it('is refused to an editor, hidden from others, and refused for members that are not known', async () => {
    const { at } = await company();
    const editor = await member(at, 'editor');
    const path = `/bases/${at.base.id}/duplicate`;
    expectStatus(await editor.post(path, { name: 'Mine' }), 403);
    expectStatus(await (await world(node.base)).owner.post(path, { name: 'Mine' }), 404);
    expectStatus(await at.owner.post(path, { name: 'Mine', rows: true }), 422);
  });

  it('leaves nothing half when the server is killed while rows are copied, and the name is free again', async () => {
    const doomed = await startNode({ databases: pair });
    const at = await world(doomed.base, { columns: COMPANIES });
    const { schema, table } = at.table.physical;
    await sql(
      pair.mini,
      `insert into "${schema}"."${table}" (_id, _version, _created_at, _updated_at, name)
       select gen_random_uuid(), 1, now(), now(), 'c' || n from generate_series(1, 60000) n`,
    );
    const before = await schemas();
    const answer = duplicate(at, { name: 'Copy', withRows: true }).catch(() => undefined);
    await waitFor(
      async () =>
        (
          await sql(
            pair.mini,
            `select 1 from pg_stat_activity where query like 'insert into%' and query like '%select _id, 1%' and state = 'active' and pid <> pg_backend_pid()`,
          )
        ).length > 0,
    );
    await doomed.kill9();
    await answer;
    await waitFor(
      async () => (await sql(pair.main, `select 1 from schema_ops where state = 'pending'`)).length === 0,
      60_000,
    );
    const bases = await sql(pair.main, `select name from bases where workspace_id = $1`, [at.workspace.id]);
    expect(await schemas()).toEqual(before);
    expect(bases).toEqual([{ name: 'CRM' }]);
  }, 120_000);
});

const schemas = () => sql(pair.mini, `select nspname from pg_namespace where nspname !~ '^pg_' order by 1`);

describe('a duplicated table', () => {
  it('links to the same rows by links of its own, and to itself where the original did', async () => {
    const { at, companies, deals, acme } = await company();
    const body = { name: 'Archive', withRows: true };
    const copy = expectStatus(await at.owner.post<Table>(`/tables/${deals.id}/duplicate`, body), 201);
    expect(copy).toMatchObject({ key: 'archive', name: 'Archive', schemaVersion: 1 });
    expect(await fieldsOf(at, copy)).toEqual(await fieldsOf(at, deals));
    const [customer] = await fieldsOf(at, companies);
    expect(customer).toMatchObject({ archive: customer?.sales, total: '15.75' });
    const [sale] = await rowsOf(at, copy);
    expectStatus(await at.owner.patch(`/tables/${copy.id}/rows/${sale?.id ?? ''}`, { fields: { company: [] } }), 200);
    expect(await fieldsOf(at, deals)).toMatchObject([{ company: [acme.id] }, { company: [acme.id] }]);
  });

  it('of the other end of a link that is single there copies all pairs', async () => {
    const { at, companies, deals } = await company();
    const body = { name: 'Partners', withRows: true };
    const copy = expectStatus(await at.owner.post<Table>(`/tables/${companies.id}/duplicate`, body), 201);
    expect(await fieldsOf(at, copy)).toEqual(await fieldsOf(at, companies));
    expect((await fieldsOf(at, deals))[0]).toMatchObject({ partners: await idsOf(at, copy) });
  });

  it('is refused under a name that is taken, and hidden from others', async () => {
    const { at, deals } = await company();
    const path = `/tables/${deals.id}/duplicate`;
    expect(expectStatus(await at.owner.post<ProblemBody>(path, { name: 'sales' }), 409).code).toBe('name_taken');
    expectStatus(await (await member(at, 'editor')).post(path, { name: 'Mine' }), 403);
    expectStatus(await (await world(node.base)).owner.post(path, { name: 'Mine' }), 404);
  });
});

const idsOf = async (at: World, table: Table) => (await rowsOf(at, table)).map(({ id }) => id);
