import { describe, expect, it } from '@jest/globals';
import { expectStatus, type Row, type Table } from '../harness/index.js';
import { rowsFixture } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable, add } = fixture;

const COLUMNS = [
  { name: 'Name', type: 'text' },
  { name: 'No', type: 'autonumber' },
];
const COUNT = 40;
const given = Array.from({ length: COUNT }, (_, i) => `n${i}`);
const expected = given.map((name, i) => [name, i + 1]);

const numbered = async (table: Table): Promise<unknown[][]> => {
  const { data } = expectStatus(
    await fixture.owner.get<{ data: readonly Row[] }>(`/tables/${table.id}/rows?sort=no&limit=100`),
    200,
  );
  return data.map(({ fields }) => [fields.name, fields.no]);
};

describe('an autonumber', () => {
  it.each(['atomic', 'partial'])('counts the rows of a bulk write (%s) in the order of its ops', async (mode) => {
    const table = await newTable(COLUMNS);
    const ops = given.map((name) => ({ op: 'create', fields: { name } }));
    expectStatus(await fixture.owner.post(`/tables/${table.id}/rows/bulk`, { mode, ops }), 200);
    expect(await numbered(table)).toEqual(expected);
  });

  it('counts them so among ops of other kinds, too', async () => {
    const table = await newTable(COLUMNS);
    const first = await add(table, { name: 'first' });
    const ops = given.map((name) => ({ op: 'create', fields: { name } }));
    const update = { op: 'update', id: first.id, fields: { name: 'changed' } };
    expectStatus(
      await fixture.owner.post(`/tables/${table.id}/rows/bulk`, {
        ops: [...ops.slice(0, 20), update, ...ops.slice(20)],
      }),
      200,
    );
    expect(await numbered(table)).toEqual([['changed', 1], ...given.map((name, i) => [name, i + 2])]);
  });

  it.each([
    ['text/csv', ['name', ...given].join('\n')],
    ['application/x-ndjson', given.map((name) => JSON.stringify({ name })).join('\n')],
  ])('counts the rows of an import of %s in the order of its lines', async (type, body) => {
    const table = await newTable(COLUMNS);
    expectStatus(await fixture.owner.call('POST', `/tables/${table.id}/import`, body, { 'content-type': type }), 200);
    expect(await numbered(table)).toEqual(expected);
  });

  it('counts the sample rows of a template in the order of the document', async () => {
    const template = {
      format: 'live-tables/template@1',
      name: 'Numbers',
      tables: [{ key: 't', name: 'T', columns: COLUMNS, rows: given.map((name) => ({ fields: { name } })) }],
    };
    const made = await fixture.owner.post<{ id: string }>(
      `/workspaces/${fixture.at.workspace.id}/bases/from-template`,
      { template },
    );
    const tables = await fixture.owner.get<{ data: readonly Table[] }>(`/bases/${expectStatus(made, 201).id}/tables`);
    const [table] = expectStatus(tables, 200).data;
    if (!table) throw new Error('the template has a table');
    expect(await numbered(table)).toEqual(expected);
  });
});
