import { describe, expect, it } from '@jest/globals';
import { Decimal128, Int32, Long } from 'mongodb';
import { cellJson } from '../../src/engines/external/mongodb/cells.js';
import { value as toBson } from '../../src/engines/external/mongodb/to-bson.js';
import {
  kindOf,
  mongoFormula,
  plainDecimal,
  type CellValue,
  type ColumnSchema,
  type Expression,
  type MongoForm,
} from '../../src/query/index.js';
import { documentCell, type MongoCell } from '../../src/query/compile/mongo/forms.js';
import { startMongo, type TestMongo } from '../harness/mongo/index.js';
import { computed, expressionOf, FORMULA_COLUMNS, FULL, randomFormulas, randomRow, type FormulaRow } from '../query/formulas.js'; // prettier-ignore
import { randomOf } from '../support/random.js';
import { GOLDEN, GOLDEN_OF_NOTHING, type Golden } from './formula-golden.js';

/** As a collection keeps values of a column; what is a list, JSON or a day has no form here that formulas take. */
function formOf(column: ColumnSchema): MongoForm {
  const { type, list } = kindOf(column);
  if (list || type === 'json' || type === 'date') return 'json';
  switch (type) {
    case 'integer':
    case 'rating':
      return 'int';
    case 'currency':
    case 'decimal':
      return 'decimal';
    case 'boolean':
      return 'bool';
    case 'datetime':
      return 'date';
    default:
      return 'string';
  }
}

function stored(value: CellValue, form: MongoForm): unknown {
  if (value === null) return null;
  switch (form) {
    case 'int':
      return Number(value) === (Number(value) | 0) ? new Int32(Number(value)) : Long.fromNumber(Number(value));
    case 'decimal':
      return Decimal128.fromString(String(value));
    case 'date':
      return new Date(String(value));
    default:
      return value;
  }
}

const cellOf = (column: ColumnSchema): MongoCell => documentCell({ ...column, form: formOf(column) } as ColumnSchema);

/** Digits that no Decimal128 has cannot be kept there. */
const fits = (value: CellValue): boolean =>
  typeof value !== 'string' || !/^-?[\d.]+$/.test(value) || value.replace(/\D/g, '').replace(/^0+/, '').length <= 34;

async function filled(rows: readonly FormulaRow[]): Promise<TestMongo> {
  const mongo = await startMongo();
  const columns = FORMULA_COLUMNS.filter((column) => formOf(column) !== 'json');
  await mongo.load(
    'formulas',
    rows.map((row, n) => ({
      _id: n,
      ...Object.fromEntries(
        columns.map((column) => [column.physical, stored(row[column.key] ?? null, formOf(column))]),
      ),
    })),
  );
  return mongo;
}

interface Asked {
  readonly text: string;
  readonly expression: Expression;
  readonly made: MongoCell;
}

/** Those that MongoDB can compute. */
const asked = (formulas: Iterable<readonly [string, Expression]>): readonly Asked[] =>
  [...formulas].flatMap(([text, expression]) => {
    const made = mongoFormula(expression, cellOf);
    return made ? [{ text, expression, made }] : [];
  });

function canonical(found: unknown, { kind }: Expression): CellValue {
  const value = JSON.parse(cellJson(found ?? null, kind.type)) as CellValue;
  return kind.type === 'decimal' && value !== null ? withScale(value, kind.options.scale) : value;
}

/** Without the noughts that say nothing, and with those that the kind has. */
function withScale(value: CellValue, scale: number | undefined): CellValue {
  if (typeof value !== 'string' && typeof value !== 'number') return value;
  const plain = plainDecimal(String(value)) ?? String(value);
  const bare = plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
  const [whole = '', fraction = ''] = bare.split('.');
  return scale === undefined || scale === 0 ? bare : `${whole}.${fraction.padEnd(scale, '0')}`;
}

async function wrongAnswers(
  mongo: TestMongo,
  formulas: readonly Asked[],
  expected: (each: Asked, row: number) => CellValue,
): Promise<readonly string[]> {
  return mongo.run(async (client) => {
    const wrong: string[] = [];
    for (const each of formulas)
      try {
        const pipeline = [{ $sort: { _id: 1 } }, { $project: { a: toBson(each.made.value) } }];
        const options = { collation: { locale: 'simple' }, promoteValues: false };
        const docs = await client.db(mongo.database).collection('formulas').aggregate(pipeline, options).toArray();
        for (const [n, doc] of docs.entries()) {
          const [found, right] = [canonical(doc.a, each.expression), expected(each, n)];
          if (JSON.stringify(found) !== JSON.stringify(right)) wrong.push(`${each.text}: ${JSON.stringify(found)} and not ${JSON.stringify(right)}, row ${n}`); // prettier-ignore
        }
      } catch (error) {
        wrong.push(`${each.text}: ${String(error)}`);
      }
    return wrong.sort((a, b) => a.length - b.length).slice(0, 15);
  });
}

const entries = (golden: readonly Golden[]) => golden.map(([formula]) => [formula, expressionOf(formula)] as const);

describe('formulas in MongoDB', () => {
  it('give what is golden, where they are computed there', async () => {
    const mongo = await filled([FULL]);
    const formulas = asked(entries(GOLDEN));
    expect(formulas.length).toBeGreaterThan(120);
    const results = new Map(GOLDEN);
    expect(await wrongAnswers(mongo, formulas, ({ text }) => results.get(text) as CellValue)).toEqual([]);
  });

  it('give what is golden of nothing', async () => {
    const mongo = await filled([{}]);
    const formulas = asked(entries(GOLDEN_OF_NOTHING));
    expect(formulas.length).toBeGreaterThan(20);
    const results = new Map(GOLDEN_OF_NOTHING);
    expect(await wrongAnswers(mongo, formulas, ({ text }) => results.get(text) as CellValue)).toEqual([]);
  });

  it('take of a decimal the 18 digits that numbers of formulas have, as memory does', async () => {
    const rows = ['1E-38', '-1E-38', '5E-19', '-4.9E-19', '1.0000000000000000005', '0'].map((amount) => ({
      amount: plainDecimal(amount) ?? '',
    }));
    const mongo = await filled(rows);
    const texts = ['{amount}', '{amount} = 0', '{amount} > 0', 'SIGN({amount})', 'ABS({amount})', 'CEILING({amount})', 'IF({amount} = 1, "one", "none")']; // prettier-ignore
    const formulas = asked(texts.map((text) => [text, expressionOf(text)] as const));
    expect(formulas.map(({ text }) => text)).toEqual(texts);
    expect(await wrongAnswers(mongo, formulas, ({ expression }, n) => computed(expression, rows[n] ?? {}))).toEqual([]);
  });

  it.each([1, 2])('give what memory gives, for any formula and any rows (seed %i)', async (seed) => {
    const random = randomOf(Number(process.env.SEED ?? 0) * 100 + seed);
    const rows = Array.from({ length: 15 }, () => randomRow(random)).map((row) =>
      Object.fromEntries(Object.entries(row).map(([key, value]) => [key, fits(value ?? null) ? value : null])),
    );
    const mongo = await filled(rows);
    const formulas = asked(randomFormulas(random, Number(process.env.COUNT ?? 600)));
    expect(formulas.length).toBeGreaterThan(60);
    expect(await wrongAnswers(mongo, formulas, ({ expression }, n) => computed(expression, rows[n] ?? {}))).toEqual([]); // prettier-ignore
  });

  it('refuse what 34 digits are too few for', () => {
    const hasForm = (text: string): boolean => mongoFormula(expressionOf(text), cellOf) !== undefined;
    expect([hasForm('{qty} * {other}'), hasForm('{qty} / 7'), hasForm('{amount} > 0.1')]).toEqual([true, true, true]);
    expect([hasForm('{price} * {cost}'), hasForm('{amount} + 1'), hasForm('{qty} ^ 2'), hasForm('UPPER({name})')]).toEqual([false, false, false, false]); // prettier-ignore
  });
});
