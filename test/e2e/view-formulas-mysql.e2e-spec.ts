import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { expectStatus, mysqlDatabase, startApp, world } from '../harness/index.js';
import { FormulasOfObject } from '../support/formulas-of-object.js';

jest.setTimeout(120_000);

/*
 * Formulas over what a MySQL or MariaDB holds, of all of its types and with values that no column of ours can have. What is shown of a
 * formula is computed in memory; what is sorted, grouped and filtered by it is computed there, and must be the same.
 */

let formulas: FormulasOfObject;

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

beforeAll(async () => {
  const [{ base }, mysql] = await Promise.all([startApp(), mysqlDatabase()]);
  const at = await world(base);
  await mysql.sql(`set session sql_mode = 'ANSI_QUOTES', time_zone = '+00:00'`);
  await mysql.sql(TABLE);
  for (const statement of ROWS) await mysql.sql(statement);
  const { host, port, database, username, password } = mysql;
  const body = { name: 'MySQL', engine: 'mysql', host, port, database, username, password };
  const made = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, body);
  formulas = new FormulasOfObject(at, { connection: expectStatus(made, 201).id, object: 'odd' });
});

describe('formulas of a view of a MySQL or MariaDB', () => {
  it('are what memory makes of them, where rows are sorted, grouped and filtered by them', async () => {
    await formulas.expectPushedDown(FORMULAS);
  });

  it('go to the mini-DB where that database has no exact form of them', async () => {
    expect(await formulas.tierOf('UPPER({t})')).toBe('join-engine');
    expect(await formulas.tierOf('LEFT({t}, 1)')).toBe('push-down');
  });
});
