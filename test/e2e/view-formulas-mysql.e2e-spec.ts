import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { expectStatus, mysqlDatabase, startApp, world, type ProblemBody, type World } from '../harness/index.js';

jest.setTimeout(120_000);

/*
 * Formulas over what a MySQL or MariaDB holds, of all of its types and with values that no column of ours can have. What is shown of a
 * formula is computed in memory; what is sorted, grouped and filtered by it is computed there, and must be the same.
 */

type Value = string | number | boolean | null;
interface Page {
  readonly data: readonly {
    readonly fields: Readonly<Record<string, Value>>;
    readonly group: Readonly<Record<string, Value>>;
    readonly values: Readonly<Record<string, Value>>;
  }[];
  readonly page: { readonly nextCursor?: string };
  readonly meta: { readonly tier: string };
}

let at: World;
let source: Readonly<Record<string, string>>;

const TABLE = `create table odd (
  id integer primary key, t text, latin varchar(20) character set latin1 collate latin1_german1_ci, e enum('b', 'a', 'Ä'),
  bin varbinary(20), i int, u bigint unsigned, y year, b1 bit(1), b9 bit(9), d decimal(65, 2), wide decimal(65, 30), dbl double, flt float,
  truth boolean, day date, at datetime(6), stamp timestamp(6) null, span time, j json)`;
const ROWS = [
  "insert into odd values (1, 'Straße', 'Äb', 'a', x'00ff', 7, 18446744073709551615, 2026, b'1', b'101', 12.50, 1.123456789012345678901234567890, 0.1, 0.1, true, '2026-02-28', '2026-02-28 23:59:59.999999', '2026-01-01 00:00:00.000001', '-12:30:00', '{}')",
  "insert into odd values (2, '', '', 'b', x'', -7, 0, 1901, b'0', b'0', -99999999999999999999999999999999999999.99, -0.000000000000000001, 1e40, 1e30, false, '2024-02-29', '2024-12-31 00:00:00', '2024-02-29 12:00:00', '838:59:59', '[1]')",
  "insert into odd values (3, 'straße', 'äB', 'Ä', x'41', 0, 9007199254740993, 2155, null, b'111111111', 123456789012345678901234567890123456789012345678901234567890123.45, 99999999999999999999999999999999999.5, -1e36, 16777217, null, '9999-12-31', '9999-12-31 23:59:59', '2038-01-19 03:14:07', '00:00:00', 'null')",
  "insert into odd (id, t) values (4, '🎈 z')",
  "insert into odd (id, day, at, dbl, flt, i) values (5, '2026-00-10', '2026-00-00 10:00:00', 1e-20, 3.4e38, 2147483647)",
  "insert into odd (id, day, at, dbl, t) values (6, '0000-00-00', '0000-00-00 00:00:00', 123456789.123456789, ' a')",
  "insert into odd (id, day, at, dbl, t) values (7, '0000-05-05', '0000-05-05 00:00:00', 5e-324, 'a ')",
];

/** All that these servers have an exact form of. */
const FORMULAS = [
  '{t} & "|" & {id}',
  '{t}',
  'LEFT({latin}, 1)',
  '{latin} = "äb"',
  '{e} & ""',
  '{bin} & "!"',
  '{i} * {i} * {i}',
  '{i} / 3',
  '{u} + 1',
  '{u} * {u}',
  '{y} + 0',
  '{b1}',
  'NOT({b1})',
  '{b9} - 1',
  '{d} + 0',
  '{d} * 2',
  '{d} * {d}',
  '{d} / 7',
  'MOD({d}, 9)',
  '{wide} + 0',
  '{wide} * {wide}',
  'ROUND({wide}, 5)',
  '{dbl} + 0',
  '{dbl} * 3',
  '{flt} + 0',
  '1 / {i}',
  'IF({truth}, {i}, {id})',
  'IFERROR({d} + 0, -1)',
  'ISBLANK({day})',
  'YEAR({day})',
  'DATEADD({day}, 1, "months")',
  'DAY({at})',
  '{at}',
  '{stamp}',
  'YEAR({stamp}) + 1',
  '{span} & ""',
  'LEN({t})',
  'COALESCE({i}, {id})',
];

const definition = (formulas: readonly string[], rest: object) => ({
  source,
  as: 'o',
  computed: formulas.map((formula, i) => ({ key: `f${i}`, formula })),
  ...rest,
});

async function all(asked: object, limit = 200): Promise<{ readonly data: Page['data']; readonly tier: string }> {
  const data: Page['data'][number][] = [];
  for (let cursor: string | undefined, i = 0; i < 100; i++) {
    const answer = await at.owner.post<Page & ProblemBody>(`/workspaces/${at.workspace.id}/views/preview`, {
      definition: asked,
      page: { limit, ...(cursor ? { cursor } : {}) },
    });
    const page = expectStatus(answer, 200);
    data.push(...page.data);
    if ((cursor = page.page.nextCursor) === undefined) return { data, tier: page.meta.tier };
  }
  throw new Error('the pages do not end');
}

/** Numbers by their digits, texts by code points, null first. */
function compare(a: Value, b: Value): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (isNumeral(a) && isNumeral(b)) return Number(scaled(a) - scaled(b) > 0n) - Number(scaled(a) - scaled(b) < 0n);
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}
const isNumeral = (value: Value): boolean => /^-?\d+(\.\d+)?$/.test(String(value));
function scaled(value: Value): bigint {
  const [whole = '', fraction = ''] = String(value).split('.');
  return BigInt(whole + fraction.padEnd(40, '0'));
}

beforeAll(async () => {
  const [{ base }, mysql] = await Promise.all([startApp(), mysqlDatabase()]);
  at = await world(base);
  await mysql.sql(`set session sql_mode = 'ANSI_QUOTES', time_zone = '+00:00'`);
  await mysql.sql(TABLE);
  for (const statement of ROWS) await mysql.sql(statement);
  const { host, port, database, username, password } = mysql;
  const body = { name: 'MySQL', engine: 'mysql', host, port, database, username, password };
  const made = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, body);
  source = { connection: expectStatus(made, 201).id, object: 'odd' };
});

describe('formulas of a view of a MySQL or MariaDB', () => {
  it('are what memory makes of them, where rows are sorted, grouped and filtered by them', async () => {
    const sort = [{ field: 'id', dir: 'asc' }];
    const keys = FORMULAS.map((_, i) => `f${i}`);
    const shown = await all(definition(FORMULAS, { sort, columns: ['id', ...keys] }));
    expect(shown.tier).toBe('push-down');
    const wrong: unknown[] = [];
    for (const [i, formula] of FORMULAS.entries()) {
      const values = shown.data.map(({ fields }): readonly [Value, Value] => [fields[`f${i}`] ?? null, fields.id ?? null]); // prettier-ignore
      const ordered = values.toSorted((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
      const one = (rest: object) => definition([formula], rest);
      const sorted = await all(one({ sort: [{ field: 'f0', dir: 'asc' }, ...sort], columns: ['id'] }), 2);
      if (sorted.tier !== 'push-down') wrong.push([formula, sorted.tier]);
      const ids = sorted.data.map(({ fields }) => fields.id);
      if (JSON.stringify(ids) !== JSON.stringify(ordered.map(([, id]) => id)))
        wrong.push({ formula, sorted: ids, values: ordered });
      const groups = await all(
        one({
          groupBy: [{ field: 'f0' }],
          aggregates: [{ as: 'least', fn: 'min', field: 'id' }, { as: 'n', fn: 'count' }],
          sort: [{ field: 'f0', dir: 'asc' }],
        }),
        2,
      ); // prettier-ignore
      const expected = [...new Set(ordered.map(([value]) => value))].map((value) => {
        const of = ordered.filter((each) => each[0] === value);
        return [value, of[0]?.[1], of.length];
      });
      const found = groups.data.map(({ group, values: made }) => [group.f0, made.least, made.n]);
      if (groups.tier !== 'push-down') wrong.push([formula, groups.tier]);
      if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push({ formula, found, expected });
      const [some] = ordered.findLast(([value]) => value !== null && String(value).length < 38) ?? [null];
      const filter = some === null ? { field: 'f0', op: 'isNull' } : { field: 'f0', op: 'eq', value: some };
      const filtered = await all(one({ sort, columns: ['id'], filter }), 2);
      const right = values.filter(([value]) => value === some).map(([, id]) => id);
      if (JSON.stringify(filtered.data.map(({ fields }) => fields.id)) !== JSON.stringify(right))
        wrong.push({ formula, filter, filtered: filtered.data, right });
    }
    expect(wrong).toEqual([]);
  });

  it('go to the mini-DB where that database has no exact form of them', async () => {
    const sorted = (formula: string) => all(definition([formula], { sort: [{ field: 'f0', dir: 'asc' }], columns: ['id'] })); // prettier-ignore
    expect((await sorted('UPPER({t})')).tier).toBe('join-engine');
    expect((await sorted('LEFT({t}, 1)')).tier).toBe('push-down');
  });
});
