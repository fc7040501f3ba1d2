import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectStatus, type Table } from '../harness/index.js';
import { path, refusal, rowsFixture, type Page } from '../support/rows.js';

const rows = rowsFixture();
const { newTable, bulk, list } = rows;

describe('a list of rows', () => {
  let table: Table;
  const NAMES = ['Acme', 'acme', 'Ärger', 'a%b', 'a_b', 'a, b', 'x"y', '\u{1F600}', '', 'Zoo'];
  beforeAll(async () => {
    table = await newTable();
    const ops = NAMES.map((name, i) => ({
      op: 'create',
      fields: {
        name,
        qty: i % 4 || null,
        amount: `${i}.50`,
        status: ['open', 'won', null][i % 3],
        due: `2026-11-${10 + i}`,
        seen: `2026-11-${10 + i}T12:00:00Z`,
      },
    }));
    expectStatus(await bulk(table, ops), 200);
  });
  const names = ({ data }: Page) => data.map(({ fields }) => fields.name);
  const filtered = async (text: string) => names(await list(table, `filter=${encodeURIComponent(text)}`)).toSorted();

  it('is filtered, by URL and by body alike', async () => {
    const cases: [string, object, string[]][] = [
      ['name.eq.acme', { field: 'name', op: 'eq', value: 'acme' }, ['acme']],
      ['name.contains.ACM', { field: 'name', op: 'contains', value: 'ACM' }, ['Acme', 'acme']],
      ['name.contains.%', { field: 'name', op: 'contains', value: '%' }, ['a%b']],
      ['name.contains._', { field: 'name', op: 'contains', value: '_' }, ['a_b']],
      ['name.eq."a, b"', { field: 'name', op: 'eq', value: 'a, b' }, ['a, b']],
      ['name.eq."x\\"y"', { field: 'name', op: 'eq', value: 'x"y' }, ['x"y']],
      ['name.startsWith.äR', { field: 'name', op: 'startsWith', value: 'äR' }, ['Ärger']],
      ['name.isEmpty', { field: 'name', op: 'isEmpty' }, ['']],
      [
        'and(qty.gte.2,not(status.eq.Won))',
        { and: [{ field: 'qty', op: 'gte', value: 2 }, { not: { field: 'status', op: 'eq', value: 'Won' } }] },
        ['Ärger', 'a%b', 'x"y'],
      ],
      ['qty.isNull', { field: 'qty', op: 'isNull' }, ['Acme', 'a_b', '']],
      ['amount.between.(1,"2.50")', { field: 'amount', op: 'between', value: [1, '2.50'] }, ['acme', 'Ärger']],
      ['due.on.2026-11-12', { field: 'due', op: 'on', value: '2026-11-12' }, ['Ärger']],
      ['seen.before.2026-11-11', { field: 'seen', op: 'before', value: '2026-11-11' }, ['Acme']],
      ['seen.after.2026-11-18', { field: 'seen', op: 'after', value: '2026-11-18' }, ['Zoo']],
      ['qty.gt.{amount}', { field: 'qty', op: 'gt', valueField: 'amount' }, []],
    ];
    for (const [text, filter, expected] of cases) {
      expect([text, await filtered(text)]).toEqual([text, expected.toSorted()]);
      const answer = await rows.owner.post<Page>(path(table, 'query'), { filter });
      expect([text, names(expectStatus(answer, 200)).toSorted()]).toEqual([text, expected.toSorted()]);
    }
  });

  it('is sorted, null first, by code point, by the order of choices', async () => {
    expect(names(await list(table, 'sort=name'))).toEqual([
      '',
      'Acme',
      'Zoo',
      'a%b',
      'a, b',
      'a_b',
      'acme',
      'x"y',
      'Ärger',
      '\u{1F600}',
    ]);
    expect(names(await list(table, 'sort=-name'))).toEqual(
      ['', 'Acme', 'Zoo', 'a%b', 'a, b', 'a_b', 'acme', 'x"y', 'Ärger', '\u{1F600}'].toReversed(),
    );
    const { data } = await list(table, 'sort=status,-qty,name');
    expect(data.map(({ fields: { status, qty, name } }) => `${String(status)} ${String(qty)} ${String(name)}`)).toEqual([
      'null 2 Ärger', 'null 1 a, b', 'null null ', 'open 3 a%b', 'open 2 x"y', 'open 1 Zoo', 'open null Acme', 'won 3 \u{1F600}', 'won 1 acme', 'won null a_b',
    ]); // prettier-ignore
  });

  it('comes in pages that end, by URL and by body', async () => {
    for (const query of ['', 'sort=qty', 'sort=-status,name', 'filter=qty.isNotNull&sort=-qty']) {
      const whole = names(await list(table, query));
      const found: unknown[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const page: Page = await list(table, `${query}&limit=3${cursor && `&cursor=${cursor}`}`);
        expect(page.page.limit).toBe(3);
        found.push(...names(page));
        cursor = page.page.nextCursor;
      }
      expect(found).toEqual(whole);
    }
    const first = expectStatus(
      await rows.owner.post<Page>(path(table, 'query'), { sort: [{ field: 'name', dir: 'desc' }], page: { limit: 9 } }),
      200,
    );
    const last = expectStatus(
      await rows.owner.post<Page>(path(table, 'query'), {
        sort: [{ field: 'name', dir: 'desc' }],
        page: { limit: 9, cursor: first.page.nextCursor },
      }),
      200,
    );
    expect([names(last), last.page]).toEqual([[''], { limit: 9, prevCursor: expect.any(String) as unknown }]);
  });

  it('begins with the first page in a loop that has no cursor yet', async () => {
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const question = { page: { limit: 4, cursor }, sort: [{ field: 'name', dir: 'asc' }] };
      const page: Page = expectStatus(await rows.owner.post<Page>(path(table, 'query'), question), 200);
      seen.push(page.data.length);
      cursor = page.page.nextCursor ?? null;
    } while (cursor !== null);
    expect(seen).toEqual([4, 4, 2]);
  });

  it('has the fields asked for, counts when asked, and tells where the stream stands', async () => {
    const page = await list(table, 'fields=qty,name&limit=1&count=exact&filter=qty.isNotNull');
    expect(page).toMatchObject({
      data: [{ fields: { name: 'acme', qty: 1 } }],
      count: { mode: 'exact', value: 7, relation: 'exact' },
      meta: { schemaVersion: 1, seq: 1 },
    });
    expect(Object.keys(page.data[0]?.fields ?? {})).toEqual(['name', 'qty']);
    expect(page.meta.epoch).toMatch(/^[0-9a-f-]{36}$/);
    expect((await list(table, 'count=bounded')).count).toEqual({ mode: 'bounded', value: 10, relation: 'exact' });
    expect((await list(table, 'count=estimated')).count).toMatchObject({ mode: 'estimated', relation: 'estimate' });
    expect('count' in (await list(table))).toBe(false);
    expect((await list(table, 'limit=5000')).page.limit).toBe(1000);
    expect((await list(table)).page.limit).toBe(50);
  });

  it.each([
    ['limit=0', 422, '/limit min'], ['limit=-1', 422, '/limit min'], ['limit=ten', 422, '/limit min'], ['limit=1.5', 422, '/limit min'],
    ['filter=', 400, '/filter invalid_syntax'], ['filter=and()', 400, '/filter invalid_syntax'], ['filter=nope.eq.1', 422, '/filter unknown_field'],
    ['filter=name.like.1', 422, '/filter unknown_operator'], ['sort=nope', 422, '/sort/0 unknown_field'], ['sort=name,name', 422, '/sort/1 duplicate_key'],
    ['sort=', 422, '/sort empty_name'], ['sort=name,,qty', 422, '/sort empty_name'], ['fields=nope', 422, '/fields unknown_field'], ['fields=', 422, '/fields empty_name'],
    ['count=all', 422, '/count is_in'], ['cursor=abc', 400, undefined], ['cursor=', 400, undefined], ['colour=red', 422, '/colour unknown_property'], ['sort=name&sort=qty', 422, '/sort max_length'],
    ['filter[and]=x', 422, '/filter[and] unknown_property'], ['filter=name.eq.%00', 422, '/filter nul_character'], ['search=', 422, '/search search_length'], ['search=%20', 422, '/search search_length'],
    [`search=${'x'.repeat(201)}`, 422, '/search search_length'], [`search=${'x+'.repeat(11)}`, 422, '/search too_many_words'], ['search=%00', 422, '/search nul_character'],
    ['expand=', 422, '/expand empty_name'], ['expand=nope', 422, '/expand unknown_field'], ['expand=name', 422, '/expand not_a_link'], [`expand=${'x,'.repeat(10)}x`, 422, '/expand too_many_keys'], ['group=name', 422, '/group unknown_property'],
  ])('refuses ?%s: %d', async (query, status, finding) => {
    const [got, , ...findings] = refusal(await rows.owner.get(`${path(table)}?${query}`));
    expect([got, findings[0]]).toEqual([status, finding]);
  }); // prettier-ignore

  it.each<[unknown, string]>([
    [{ filter: {} }, '/filter field_missing'], [{ filter: { and: [] } }, '/filter/and empty_group'], [{ filter: 'name.isNull' }, '/filter not_a_filter'], [{ filter: [] }, '/filter not_a_filter'],
    [{ filter: { and: [{ field: 'x', op: 'isNull' }] } }, '/filter/and/0/field unknown_field'], [{ sort: 'name' }, '/sort is_array'], [{ sort: [{ field: 'name', dir: 'up' }] }, '/sort/0/dir is_in'],
    [{ sort: [{ field: 'name', nulls: 'last' }] }, '/sort/0/nulls unknown_property'], [{ sort: [{}] }, '/sort/0/field is_string'], [{ page: { limit: 0 } }, '/page/limit min'], [{ page: { limit: '5' } }, '/page/limit min'],
    [{ page: { offset: 5 } }, '/page/offset unknown_property'], [{ page: { cursor: 5 } }, '/page/cursor is_string'], [{ fields: 'name' }, '/fields is_array'], [{ fields: [1] }, '/fields/0 is_string'], [{ limit: 5 }, '/limit unknown_property'],
    [{ search: 5 }, '/search is_string'], [{ search: '\ud800' }, '/search lone_surrogate'], [{ search: ' ' }, '/search search_length'], [{ expand: 'name' }, '/expand is_array'], [{ expand: [5] }, '/expand/0 is_string'],
    [{ count: 'all' }, '/count is_in'], [{ where: {} }, '/where unknown_property'],
  ])('refuses a body of %j', async (body, finding) => {
    expect(refusal(await rows.owner.post(path(table, 'query'), body)).slice(0, 3)).toEqual([422, expect.any(String), finding]);
  }); // prettier-ignore

  it('refuses a cursor of another filter, sort or table', async () => {
    const { page } = await list(table, 'sort=qty&limit=2');
    const second = await newTable();
    for (const url of [
      `${path(table)}?sort=-qty`,
      `${path(table)}?sort=qty&filter=qty.gt.1`,
      `${path(second)}?sort=qty`,
      `${path(table)}?limit=2`,
    ])
      expect(refusal(await rows.owner.get(`${url}${url.includes('?') ? '&' : '?'}cursor=${page.nextCursor}`))).toEqual([
        400,
        'cursor_mismatch',
      ]);
    expect(names(await list(table, `sort=qty&limit=1&fields=name&cursor=${page.nextCursor}`))).toHaveLength(1);
  });

  it('takes null for no filter', async () => {
    expect(names(expectStatus(await rows.owner.post<Page>(path(table, 'query'), { filter: null }), 200))).toHaveLength(
      10,
    );
  });

  it('goes on behind a row with a long text, asked by a body, since a URL cannot be that long', async () => {
    const long = await newTable([{ name: 'Text', type: 'text' }]);
    for (const n of [1, 2, 3])
      expectStatus(await rows.owner.post(path(long), { fields: { text: `${'long '.repeat(2_000)}${n}` } }), 201);
    const sort = [{ field: 'text' }];
    const first = expectStatus(await rows.owner.post<Page>(path(long, 'query'), { sort, page: { limit: 2 } }), 200);
    const { nextCursor: cursor = '' } = first.page;
    const second = await rows.owner.post<Page>(path(long, 'query'), { sort, page: { limit: 2, cursor } });
    expect(expectStatus(second, 200).data).toHaveLength(1);
    expect(refusal(await rows.owner.get(`${path(long)}?sort=text&cursor=${cursor}`))).toEqual([
      422,
      'validation_failed',
      '/cursor max_length',
    ]);
  });
});
