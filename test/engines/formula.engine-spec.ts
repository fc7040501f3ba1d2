import { describe, expect, it } from '@jest/globals';
import { checkFormula, columnType, comma, formulaSql, ident, join, kindOf, literal, physicalType, sql, toStatement, type CellValue, type ColumnSchema, type Expression, type Scalar, type Sql } from '../../src/query/index.js'; // prettier-ignore
import { allAside } from '../../src/query/compile/formula/fragments.js';
import { asSuperuser, databases } from '../harness/index.js';
import {
  computed,
  expressionOf,
  FORMULA_COLUMNS,
  FULL,
  randomFormulas,
  randomRow,
  type FormulaRow,
} from '../query/formulas.js';
import { GOLDEN, GOLDEN_OF_NOTHING, type Golden } from './formula-golden.js';
import { column } from '../query/index.js';
import { pick, randomOf, some, type Random } from '../support/random.js';
import type pg from 'pg';

/** The canonical value as JSON would hold it, or a list of such. */
function shownSql(expression: Expression, made: Sql): Sql {
  const { type, list } = expression.kind;
  if (list) return sql`to_json((${made})::text[])`;
  return type === 'datetime'
    ? sql`to_json(to_char(${made}, ${literal('YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')}))`
    : sql`to_json((${made})::text)`;
}

/** As {@link shownSql} shows it. */
function shown(value: CellValue, { kind }: Expression): unknown {
  if (value === null) return null;
  const one = (each: Scalar): string =>
    kind.list && typeof each === 'boolean'
      ? String(each)
      : kind.list && kind.type === 'datetime'
        ? String(each)
            .replace('T', ' ')
            .replace(/\.?0*Z$/, '+00')
        : String(each);
  return Array.isArray(value) ? value.map((each) => one(each as Scalar)) : one(value as Scalar);
}

const cell = (column: ColumnSchema): Sql => ident('t', column.physical);

/** PostgreSQL's type of the cells of a column, lists of any type included, which tables of ours do not all have. */
function typeOf(column: ColumnSchema): Sql {
  const { type, options, list } = kindOf(column);
  const one = physicalType({ type, options });
  if (!list) return one;
  return columnType(type).collation ? sql`text[] collate "C"` : sql`${one}[]`;
}

async function table(client: pg.Client, rows: readonly FormulaRow[]): Promise<void> {
  await client.query("set timezone = 'UTC'");
  const columns = FORMULA_COLUMNS.map((column) => sql`${ident(column.physical)} ${typeOf(column)}`);
  await client.query(toStatement(sql`create temp table formulas (n int, ${join(columns, comma)})`).text);
  for (const [n, row] of rows.entries()) {
    const values = [n, ...FORMULA_COLUMNS.map(({ key }) => row[key] ?? null)];
    await client.query(`insert into formulas values (${values.map((_, i) => `$${i + 1}`).join()})`, values);
  }
}

async function answers(
  client: pg.Client,
  expressions: readonly Expression[],
  make = formulaSql,
): Promise<readonly (readonly unknown[])[]> {
  const { text, values } = toStatement(
    sql`select json_build_array(${join(
      expressions.map((each) => shownSql(each, make(each, cell))),
      comma,
    )}) as a from formulas t order by n`,
  );
  const { rows } = await client.query<{ a: unknown[] }>(text, values);
  return rows.map(({ a }) => a);
}

/** Golden formulas that come to something else for the row; all of them in few statements. */
async function wrongGolden(golden: readonly Golden[], row: FormulaRow, make = formulaSql): Promise<readonly string[]> {
  const { mini } = await databases({ migrated: false });
  return asSuperuser(mini.database, async (client) => {
    await table(client, [row]);
    const wrong: string[] = [];
    for (const [formula, result] of golden) {
      const expression = expressionOf(formula);
      const [found] = await answers(client, [expression], make);
      const expected = shown(result as CellValue, expression);
      if (JSON.stringify(found?.[0]) !== JSON.stringify(expected))
        wrong.push(`${formula}: ${JSON.stringify(found?.[0])} and not ${JSON.stringify(expected)}`);
    }
    return wrong;
  });
}

/** What nobody can write into our tables but by SQL. */
const BEYOND_DAYS = ['infinity', '-infinity', '0044-03-15 BC', '10000-01-01', '5874897-12-31'];
const BEYOND_TIMES = [...BEYOND_DAYS.slice(0, 4), '294276-12-31T23:59:59Z'];

function rowBeyond(random: Random): FormulaRow {
  const [days, times] = [
    [...BEYOND_DAYS, '2026-12-01'],
    [...BEYOND_TIMES, '2026-11-22T15:04:05.678Z'],
  ];
  return {
    ...randomRow(random),
    due: pick(random, days),
    ends: pick(random, days),
    seen: pick(random, times),
    done: pick(random, times),
    days: some(random, days, 3),
    times: some(random, times, 3),
  };
}

/** Random formulas that come to something else than in memory, for random rows; the shortest of them. */
async function wrongRandom(
  seed: number,
  count: number,
  make: typeof formulaSql,
  rowOf: (random: Random) => FormulaRow = randomRow,
): Promise<readonly string[]> {
  const { mini } = await databases({ migrated: false });
  const random = randomOf(Number(process.env.SEED ?? 0) * 100 + seed);
  const rows = Array.from({ length: 25 }, () => rowOf(random));
  const formulas = [...randomFormulas(random, count)];
  const wrong: string[] = [];
  await asSuperuser(mini.database, async (client) => {
    await table(client, rows);
    for (let i = 0; i < formulas.length; i += 10) {
      const batch = formulas.slice(i, i + 10);
      const expected = rows.map((row) => batch.map(([, expression]) => shown(computed(expression, row), expression)));
      let found: readonly (readonly unknown[])[];
      try {
        found = await answers(
          client,
          batch.map(([, expression]) => expression),
        );
      } catch {
        for (const [text, expression] of batch)
          await answers(client, [expression], make).catch((error: unknown) => wrong.push(`${text}: ${String(error)}`));
        continue;
      }
      batch.forEach(([text], at) => {
        const row = rows.findIndex((_, n) => JSON.stringify(found[n]?.[at]) !== JSON.stringify(expected[n]?.[at]));
        if (row >= 0)
          wrong.push(
            `${text}: ${JSON.stringify(found[row]?.[at])} and not ${JSON.stringify(expected[row]?.[at])} for ${JSON.stringify(rows[row])}`,
          );
      });
    }
  });
  return wrong.sort((a, b) => a.length - b.length).slice(0, 12);
}

const asideSql: typeof formulaSql = (expression, cells) => allAside(() => formulaSql(expression, cells));

describe('formulas in PostgreSQL', () => {
  it('give what is golden', async () => expect(await wrongGolden(GOLDEN, FULL)).toEqual([]));
  it('give what is golden of nothing', async () => expect(await wrongGolden(GOLDEN_OF_NOTHING, {})).toEqual([]));

  it('give what is golden where every part is computed aside', async () => {
    expect(await wrongGolden(GOLDEN, FULL, asideSql)).toEqual([]);
    expect(await wrongGolden(GOLDEN_OF_NOTHING, {}, asideSql)).toEqual([]);
  });

  it('take what no column of ours can hold for an error, and go on', async () => {
    const { mini } = await databases({ migrated: false });
    const foreign = (key: string, type: ColumnSchema['type'], options: ColumnSchema['options'] = {}) =>
      Object.assign(column(key, type, { options }), { form: 'numeric', alias: 't' });
    const columns = [
      foreign('n', 'decimal'),
      foreign('m', 'decimal', { scale: 2 }),
      foreign('d', 'date'),
      foreign('s', 'datetime'),
    ];
    const scope = { find: (name: string) => columns.find(({ key }) => key === name), names: () => [] };
    const formulas = [
      '{n} + 1',
      '{n} * {m}',
      '{n} ^ 2',
      'SQRT({n})',
      'ROUND({n}, 2)',
      'TEXT({n})',
      'MAX({n}, 1)',
      'EXP({n})',
      '{n} / 3',
      'FLOOR({m})',
      'YEAR({d})',
      'DATEADD({d}, 1, "month")',
      'TEXT({d}, "YYYY")',
      'STARTOF({s}, "day")',
      'HOUR({s}, "Asia/Tokyo")',
      'DATEDIF({s}, NOW(), "month")',
      '"" & {s}',
      '{d} = NULL',
      'COUNT({n})',
    ];
    const checked = formulas
      .flatMap((text) => [text, `ISERROR(${text})`])
      .map((text) => {
        const found = checkFormula(text, scope);
        if (!found.ok) throw new Error(`${text}: ${JSON.stringify(found.flaws)}`);
        return found.expression;
      });
    const rows = [
      `'NaN', 'NaN', 'infinity', 'infinity'`,
      `'Infinity', 'NaN', '-infinity', '-infinity'`,
      `'-Infinity', 'NaN', '0044-03-15 BC', '0044-03-15 12:00 BC'`,
      `1e1000, 'NaN', '5874897-01-01', '294276-12-31'`,
    ];
    const found = await asSuperuser(mini.database, async (client) => {
      await client.query("set timezone = 'UTC'");
      await client.query('create temp table formulas (n numeric, m numeric(10, 2), d date, s timestamptz)');
      for (const row of rows) await client.query(`insert into formulas values (${row})`);
      const { text, values } = toStatement(
        sql`select json_build_array(${join(
          checked.map((each) => shownSql(each, formulaSql(each, cell))),
          comma,
        )}) as a from formulas t`,
      );
      return (await client.query<{ a: unknown[] }>(text, values)).rows.map(({ a }) => a);
    });
    expect(found).toEqual(rows.map(() => formulas.flatMap(() => [null, 'true'])));
  });

  it('change letter cases of every character as memory does', async () => {
    const { mini } = await databases({ migrated: false });
    const upper = formulaSql(expressionOf('UPPER({name})'), cell);
    const lower = formulaSql(expressionOf('LOWER({name})'), cell);
    const found = await asSuperuser(mini.database, async (client) => {
      const each = sql`from (select chr(c) collate "C" as name from generate_series(1, 131071) c where c not between 55296 and 57343) t`;
      const { text, values } = toStatement(sql`select name, ${upper} as up, ${lower} as down ${each}`);
      return (await client.query<{ name: string; up: string; down: string }>(text, values)).rows;
    });
    const [up, down] = [expressionOf('UPPER({name})'), expressionOf('LOWER({name})')];
    const others = found.filter(
      (row) => computed(up, { name: row.name }) !== row.up || computed(down, { name: row.name }) !== row.down,
    );
    expect(others.map(({ name }) => name.codePointAt(0)?.toString(16))).toEqual([]);
  });

  it.each([1, 2, 3, 4])(
    'give what memory gives, for any formula and any rows, and never an error (seed %i)',
    async (seed) => expect(await wrongRandom(seed, Number(process.env.COUNT ?? 300), formulaSql)).toEqual([]),
  );

  it.each([7, 8])('take days and moments that only SQL can write for nothing (seed %i)', async (seed) =>
    expect(await wrongRandom(seed, Number(process.env.COUNT ?? 300), formulaSql, rowBeyond)).toEqual([]),
  );

  it('make nothing of infinite days and moments in our tables, whatever is asked of them', async () => {
    const { mini } = await databases({ migrated: false });
    const days = ['YEAR({due})', 'DATEADD({due}, 1, "day")', 'DATEADD({due}, {stars}, "month")', 'DATEDIF({due}, DATE(2026, 1, 1), "day")', 'DATEDIF(DATE(2026, 1, 1), {due}, "month")', 'STARTOF({due}, "month")', 'ENDOFMONTH({due})', 'WEEKNUM({due})', 'TEXT({due}, "YYYY")', 'TEXT({due})', 'DATETIME({due})', 'DATETIME({due}, "Asia/Tokyo")', 'MAX({due}, {ends})', 'FIRST({days})', 'YEAR(LAST({days}))', 'YEAR(MAX({days}))']; // prettier-ignore
    const times = days.slice(0, 10).map((text) => text.replaceAll('due', 'seen').replaceAll(/DATE\((?=2)/g, 'DATETIME(')); // prettier-ignore
    const zoned = ['HOUR({seen}, "Asia/Tokyo")', 'DATE({seen}, "Asia/Tokyo")', 'DATEADD({seen}, 1, "hour")', 'DATEADD({seen}, {stars}, "second")', 'DATEDIF({seen}, {done}, "second")', 'YEAR(FIRST({times}))']; // prettier-ignore
    const formulas = [...days, ...times, ...zoned].map(expressionOf);
    const rows = ['infinity', '-infinity'].map((at) => ({ stars: 1, due: at, ends: at, seen: at, done: at, days: [at, at], times: [at] })); // prettier-ignore
    const found = await asSuperuser(mini.database, async (client) => {
      await table(client, rows);
      return answers(client, formulas);
    });
    expect(found).toEqual(rows.map(() => formulas.map(() => null)));
  });

  it.each([5, 6])('give the same where every part is computed aside (seed %i)', async (seed) =>
    expect(await wrongRandom(seed, Number(process.env.COUNT ?? 150), asideSql)).toEqual([]),
  );
});
