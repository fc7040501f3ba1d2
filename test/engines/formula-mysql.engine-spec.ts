import { describe, expect, it } from '@jest/globals';
import mysql from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import {
  comma,
  ident,
  join,
  kindOf,
  mysqlFormulaSql,
  plainDecimal,
  sql,
  toPositional,
  type CellValue,
  type ColumnSchema,
  type Expression,
  type Sql,
} from '../../src/query/index.js';
import { afterThisFile, mysqlDatabase } from '../harness/index.js';
import { computed, expressionOf, FORMULA_COLUMNS, FULL, randomFormulas, randomRow, type FormulaRow } from '../query/formulas.js'; // prettier-ignore
import { randomOf } from '../support/random.js';
import { GOLDEN, GOLDEN_OF_NOTHING, type Golden } from './formula-golden.js';

/** As sessions of the product are, see the engine's flavours. */
const SESSION =
  "set names utf8mb4 collate utf8mb4_bin, session sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,NO_UNSIGNED_SUBTRACTION,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO', session time_zone='+00:00'";

const COLUMNS = FORMULA_COLUMNS.filter((column) => !kindOf(column).list && column.type !== 'json');

function typeOf(column: ColumnSchema): string {
  const { type, options } = kindOf(column);
  switch (type) {
    case 'integer':
    case 'rating':
      return 'bigint';
    case 'currency':
      return 'decimal(38, 2)';
    case 'decimal':
      return `decimal(65, ${options.scale ?? 26})`;
    case 'boolean':
      return 'boolean';
    case 'date':
      return 'date';
    case 'datetime':
      return 'datetime(6)';
    default:
      return 'text character set utf8mb4';
  }
}

async function connected(): Promise<Connection> {
  const { host, port, database, username: user, password } = await mysqlDatabase();
  const session = await mysql.createConnection({ host, port, database, user, password, charset: 'utf8mb4', dateStrings: true, supportBigNumbers: true, bigNumberStrings: true }); // prettier-ignore
  afterThisFile(() => session.end());
  await session.query(SESSION);
  return session;
}

async function table(session: Connection, rows: readonly FormulaRow[]): Promise<void> {
  await session.query('drop table if exists formulas');
  await session.query(
    `create table formulas (n int, ${COLUMNS.map((column) => `"${column.physical}" ${typeOf(column)}`).join()})`,
  );
  for (const [n, row] of rows.entries()) {
    const values = COLUMNS.map(({ key, type }) => stored(row[key] ?? null, type));
    await session.execute(`insert into formulas values (${[n, ...values].map(() => '?').join()})`, [n, ...values]);
  }
}

function stored(value: CellValue, type: string): string | number | null {
  if (value === null) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return type === 'datetime' ? String(value).replace('T', ' ').replace('Z', '') : String(value);
}

const cell = (column: ColumnSchema): Sql => ident('t', column.physical);

/** As {@link shown}: canonical values of all kinds as texts. */
function shownSql(made: Sql, { kind }: Expression): Sql {
  return kind.type === 'datetime' ? sql`date_format(${made}, '%Y-%m-%d %H:%i:%s.%f')` : sql`cast(${made} as char character set utf8mb4)`; // prettier-ignore
}

function canonical(text: string | null, { kind }: Expression): CellValue {
  if (text === null) return null;
  switch (kind.type) {
    case 'integer':
      return Number(text);
    case 'boolean':
      return text === '1';
    case 'decimal': {
      const plain = plainDecimal(text) ?? text;
      const bare = plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
      const [whole = '', fraction = ''] = bare.split('.');
      const { scale } = kind.options;
      return scale === undefined || scale === 0 ? bare : `${whole}.${fraction.padEnd(scale, '0')}`;
    }
    case 'datetime':
      return `${text.replace(' ', 'T').slice(0, 23)}Z`;
    default:
      return text;
  }
}

interface Asked {
  readonly text: string;
  readonly expression: Expression;
  readonly made: Sql;
}

/** Those that MySQL can compute. */
const asked = (formulas: Iterable<readonly [string, Expression]>): readonly Asked[] =>
  [...formulas].flatMap(([text, expression]) => {
    const made = mysqlFormulaSql(expression, cell);
    return made && expression.shape.of !== 'null' ? [{ text, expression, made }] : [];
  });

async function wrongAnswers(
  session: Connection,
  formulas: readonly Asked[],
  expected: (each: Asked, row: number) => CellValue,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const each of formulas) {
    const outputs = join([sql`n`, sql`${shownSql(each.made, each.expression)} as a`], comma);
    const { text, values } = toPositional(sql`select ${outputs} from formulas t order by n`);
    try {
      const [rows] = await session.execute(text, [...values] as string[]);
      for (const { n, a } of rows as { n: number; a: string | null }[]) {
        const [found, right] = [canonical(a, each.expression), expected(each, n)];
        if (JSON.stringify(found) !== JSON.stringify(right)) wrong.push(`${each.text}: ${JSON.stringify(found)} and not ${JSON.stringify(right)}, row ${n}`); // prettier-ignore
      }
    } catch (error) {
      wrong.push(`${each.text}: ${String(error)}: ${text.slice(0, 300)}`);
    }
  }
  return wrong;
}

const entries = (golden: readonly Golden[]) => golden.map(([formula]) => [formula, expressionOf(formula)] as const);
const first = (wrong: readonly string[]) => [...wrong].sort((a, b) => a.length - b.length).slice(0, 15);

describe('formulas in MySQL and MariaDB', () => {
  it('give what is golden, where they are computed there, which are many', async () => {
    const session = await connected();
    await table(session, [FULL]);
    const formulas = asked(entries(GOLDEN));
    expect(formulas.length).toBeGreaterThan(200);
    const results = new Map(GOLDEN);
    expect(first(await wrongAnswers(session, formulas, ({ text }) => results.get(text) as CellValue))).toEqual([]);
  });

  it('give what is golden of nothing', async () => {
    const session = await connected();
    await table(session, [{}]);
    const results = new Map(GOLDEN_OF_NOTHING);
    const formulas = asked(entries(GOLDEN_OF_NOTHING));
    expect(first(await wrongAnswers(session, formulas, ({ text }) => results.get(text) as CellValue))).toEqual([]);
  });

  it.each([1, 2])(
    'give what memory gives, for any formula and any rows, and never an error (seed %i)',
    async (seed) => {
      const session = await connected();
      const random = randomOf(Number(process.env.SEED ?? 0) * 100 + seed);
      const rows = Array.from({ length: 15 }, () => randomRow(random));
      await table(session, rows);
      const formulas = asked(randomFormulas(random, Number(process.env.COUNT ?? 600)));
      expect(formulas.length).toBeGreaterThan(100);
      expect(first(await wrongAnswers(session, formulas, ({ expression }, n) => computed(expression, rows[n] ?? {})))).toEqual([]); // prettier-ignore
    },
  );
});
