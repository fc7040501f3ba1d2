import { beforeAll, describe, expect, it } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { expectStatus, type Row, type Table } from '../harness/index.js';
import { path, refusal, rowsFixture, type Page } from '../support/rows.js';

const rows = rowsFixture();
const { newTable, add, list } = rows;

const names = ({ data }: Page) => data.map(({ fields }) => fields.name);
const ask = async (table: Table, body: object): Promise<Page> =>
  expectStatus(await rows.owner.post<Page>(path(table, 'query'), body), 200);

describe('the trash', () => {
  let table: Table;
  const made = new Map<string, Row>();
  beforeAll(async () => {
    table = await newTable();
    for (const name of ['a', 'b', 'c', 'd', 'e']) made.set(name, await add(table, { name }));
    for (const name of ['d', 'b', 'e'])
      expectStatus(await rows.owner.del(path(table, must(made.get(name), 'made').id)), 204);
  });

  it('is listed with who deleted a row and when, by URL and by body', async () => {
    const page = await list(table, 'trashed=true&count=exact');
    expect([names(page), page.count?.value]).toEqual([['b', 'd', 'e'], 3]);
    for (const row of page.data)
      expect(row).toMatchObject({ version: 2, deletedBy: rows.owner.user.id, deletedAt: row.updatedAt });
    expect((await ask(table, { trashed: true, count: 'exact' })).data).toEqual(page.data);
  });

  it('is filtered, sorted and paged like rows that are there', async () => {
    const query = 'trashed=true&sort=-name&filter=name.neq.d&limit=1';
    const first = await list(table, query);
    const second = await list(table, `${query}&cursor=${first.page.nextCursor}`);
    expect([names(first), names(second), second.page.nextCursor]).toEqual([['e'], ['b'], undefined]);
    expect(
      refusal(await rows.owner.get(`${path(table)}?sort=-name&filter=name.neq.d&cursor=${first.page.nextCursor}`)),
    ).toEqual([400, 'cursor_mismatch']);
  });

  it('is nothing of the list without trashed', async () => {
    for (const page of [await list(table), await list(table, 'trashed=false'), await ask(table, { trashed: false })]) {
      expect(names(page)).toEqual(['a', 'c']);
      expect(page.data.some((row) => 'deletedAt' in row)).toBe(false);
    }
  });

  it('is asked for with true or false', async () => {
    expect(refusal(await rows.owner.get(`${path(table)}?trashed=yes`))).toEqual([
      422,
      'validation_failed',
      '/trashed is_in',
    ]);
    expect(refusal(await rows.owner.post(path(table, 'query'), { trashed: 'true' }))).toEqual([
      422,
      'validation_failed',
      '/trashed is_boolean',
    ]);
  });
});
