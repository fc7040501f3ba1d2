import {
  checkFormula,
  evaluateFormula,
  FORMULA_FUNCTIONS,
  FORMULA_OPERATORS,
  type CellValue,
  type ColumnSchema,
  type ColumnTypeName,
  type Expression,
  type FormulaScope,
} from '../../src/query/index.js';
import { NOW, column } from './schema.js';
import { below, pick, type Random } from '../support/random.js';

const listOf = (key: string, type: ColumnTypeName, options: ColumnSchema['options'] = {}): ColumnSchema =>
  column(key, 'lookup', { holds: { type, options, list: true } });

/** Columns of every type that formulas tell apart, some twice. */
export const FORMULA_COLUMNS: readonly ColumnSchema[] = [
  column('qty', 'integer'),
  column('other', 'integer'),
  column('price', 'currency', { options: { code: 'EUR', scale: 2 } }),
  column('cost', 'currency', { options: { code: 'EUR', scale: 2 } }),
  column('amount', 'decimal'),
  column('tiny', 'decimal', { options: { scale: 18 } }),
  column('stars', 'rating', { options: { max: 5 } }),
  column('name', 'text'),
  column('code', 'text', { options: { maxLength: 20 } }),
  column('notes', 'long_text'),
  column('status', 'single_select'),
  column('who', 'user', { options: { multiple: false } }),
  column('active', 'boolean'),
  column('paid', 'boolean'),
  column('due', 'date'),
  column('ends', 'date'),
  column('seen', 'datetime'),
  column('done', 'datetime'),
  column('tags', 'multi_select'),
  listOf('names', 'text'),
  listOf('marks', 'integer'),
  listOf('sums', 'decimal', { scale: 2 }),
  listOf('shares', 'decimal'),
  listOf('days', 'date'),
  listOf('times', 'datetime'),
  listOf('flags', 'boolean'),
  column('extra', 'json'),
];

export const FORMULA_SCOPE: FormulaScope = {
  find: (name) => FORMULA_COLUMNS.find(({ key }) => key === name),
  names: () => FORMULA_COLUMNS.map((known) => ({ name: known.key, column: known })),
};

export type FormulaRow = Readonly<Record<string, CellValue | undefined>>;

/** The row that most golden formulas are computed for. */
export const FULL: FormulaRow = {
  qty: 3,
  other: -7,
  price: '12.50',
  cost: '4.25',
  amount: '0.125',
  tiny: '0.000000000000000001',
  stars: 4,
  name: 'Ada Lovelace',
  code: 'a-1',
  notes: 'first\nsecond',
  status: 'open',
  who: '01890000-0000-7000-8000-00000000000a',
  active: true,
  paid: false,
  due: '2026-12-01',
  ends: '2028-02-29',
  seen: '2026-11-22T15:04:05.678Z',
  done: '2027-03-28T00:30:00.000Z',
  tags: ['won', 'open'],
  names: ['b', 'a', 'b', 'B'],
  marks: [5, 1, 5],
  sums: ['1.50', '2.25'],
  shares: ['0.5', '0.50', '3'],
  days: ['2026-12-01', '2025-01-31'],
  times: ['2026-11-22T15:04:05.678Z'],
  flags: [true, false],
  extra: '{"a":1}',
};

/** The expression of a formula that makes sense. */
export function expressionOf(text: string): Expression {
  const checked = checkFormula(text, FORMULA_SCOPE);
  if (!checked.ok) throw new Error(`${text}: ${JSON.stringify(checked.flaws)}`);
  return checked.expression;
}

export const computed = (expression: Expression, row: FormulaRow): CellValue =>
  evaluateFormula(expression, ({ key }) => row[key] ?? null, { now: NOW });

const TEXTS = ['', ' ', 'a', 'A', 'ab-ba', 'ß', 'İi', 'ΟΔΟΣ', 'ς', '😀x', 'é', '1.5', '-3', '1e2', '2026-12-01', '2026-12-01T10:00:00Z', "it's", '"', '\\', '%', '\u00a0x\u3000', 'x'.repeat(300)]; // prettier-ignore
const NUMBERS = ['0', '1', '2', '-1', '3', '10', '0.5', '1.5', '2.50', '-2.5', '0.1', '1e9', '99999999999999999999', '0.000000000000000001', '100', '7']; // prettier-ignore
const DATES = ['0001-01-01', '9999-12-31', '2026-12-01', '2024-02-29', '2025-01-31', '1900-03-01'];
const TIMES = ['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z', '2026-03-29T00:59:59.999Z', '2026-10-25T01:30:00.000Z', '2026-11-22T15:04:05.678Z', '1969-12-31T23:59:59.999Z']; // prettier-ignore
const DECIMALS = ['0', '0.5', '-0.5', '1', '-1.25', '99999999999999999999999999999999999999', '-12345678901234567890.123456789', '0.00000000000000000000000000000000000001', '1000']; // prettier-ignore
const MONEY = ['0.00', '0.01', '-0.01', '12.50', '-99.99', '999999999999999999999999999999999999.99', '1000.00'];
const WHOLES = [0, 1, 2, 3, -1, -7, 12, 31, 100, 2026, 9_007_199_254_740_991, -9_007_199_254_740_991];

const maybe = <T>(random: Random, value: T): T | null => (random() < 0.15 ? null : value);
const some = <T>(random: Random, values: readonly T[]): T[] | null =>
  maybe(
    random,
    Array.from({ length: 1 + below(random, 4) }, () => pick(random, values)),
  );

/** Cells on which arithmetic, calendars and texts are known to break. */
export function randomRow(random: Random): FormulaRow {
  const of = <T>(values: readonly T[]): T | null => maybe(random, pick(random, values));
  return {
    qty: of(WHOLES),
    other: of(WHOLES),
    price: of(MONEY),
    cost: of(MONEY),
    amount: of(DECIMALS),
    tiny: of(['0.000000000000000001', '-1.500000000000000000', '99999999999999999999.999999999999999999']),
    stars: of([1, 2, 5]),
    name: of(TEXTS),
    code: of(TEXTS.filter(({ length }) => length < 20)),
    notes: of(TEXTS),
    status: of(['open', 'won', 'lost']),
    who: of(['01890000-0000-7000-8000-00000000000a']),
    active: of([true, false]),
    paid: of([true, false]),
    due: of(DATES),
    ends: of(DATES),
    seen: of(TIMES),
    done: of(TIMES),
    tags: some(random, ['open', 'won', 'lost']),
    names: some(random, TEXTS),
    marks: some(random, WHOLES),
    sums: some(random, MONEY),
    shares: some(random, DECIMALS),
    days: some(random, DATES),
    times: some(random, TIMES),
    flags: some(random, [true, false]),
    extra: of(['{"a":1}']),
  };
}

const quoted = (text: string): string => JSON.stringify(text).replaceAll('\\b', '\\u0008').replaceAll('\\f', '\\u000c');
/** Constants by what parameters are called. */
const CONSTANTS: Readonly<Record<string, readonly string[]>> = {
  digits: ['0', '1', '2', '5', '10'],
  unit: ['"day"', '"week"', '"month"', '"quarter"', '"year"', '"hour"', '"minute"', '"second"'],
  zone: ['"Europe/Berlin"', '"America/New_York"', '"Asia/Kathmandu"', '"UTC"'],
  pattern: ['"YYYY-MM-DD HH:mm:ss.SSS"', '"D MMMM YY, dddd h A"', '"[Q]Q MMM ddd hh"'],
};
const LEAVES: readonly string[] = [
  ...FORMULA_COLUMNS.map(({ key }) => `{${key}}`),
  ...TEXTS.slice(0, 14).map(quoted),
  ...NUMBERS,
  'TRUE',
  'FALSE',
  'NULL',
  'DATE(2026, 12, 1)',
];

const sortOf = ({ shape }: Expression): string => `${shape.of}${shape.list ? ' list' : ''}`;

/** Formulas that make sense, grown from columns and constants by putting functions around what is there. */
export function* randomFormulas(random: Random, count: number): Generator<readonly [string, Expression], void> {
  const known = new Map<string, Expression>();
  const leaves = new Map<string, string[]>();
  const bySort = new Map<string, string[]>();
  const keep = (text: string, expression: Expression): void => {
    known.set(text, expression);
    const texts = bySort.get(sortOf(expression)) ?? [];
    bySort.set(sortOf(expression), [...texts, text].slice(-60));
  };
  /** As often a column or constant as something made of them. */
  const anyOf = (sort: string): string =>
    pick(random, (random() < 0.5 ? leaves : bySort).get(sort) ?? bySort.get(sort) ?? ['NULL']);
  for (const leaf of LEAVES) {
    const checked = checkFormula(leaf, FORMULA_SCOPE);
    if (checked.ok) keep(leaf, checked.expression);
    else if (leaf === '{extra}') bySort.set('opaque', [leaf]);
  }
  for (const [sort, texts] of bySort) leaves.set(sort, texts);
  const functions = [...FORMULA_FUNCTIONS, ...FORMULA_OPERATORS].filter(({ name }) => !['NOW', 'TODAY'].includes(name));
  for (let made = 0, tries = 0; made < count && tries < 200 * count; tries++) {
    const entry = pick(random, functions);
    const { params, tail } = pick(random, entry.overloads);
    const single = params.filter(({ repeats }) => !repeats);
    const group = params.filter(({ repeats }) => repeats);
    const taken = single.filter(({ optional }) => !optional || random() < 0.6);
    const times = entry.category === 'operator' ? 2 : 1 + below(random, 3);
    const wanted = [
      ...taken,
      ...Array.from({ length: group.length === 0 ? 0 : times }, () => group).flat(),
      ...(tail && random() < 0.5 ? [tail] : []),
    ];
    const shared: Record<string, string> = {};
    const args = wanted.map((param) => {
      const constants = CONSTANTS[param.label];
      if (param.constant)
        return pick(random, constants ?? [pick(random, TEXTS.slice(0, 14).map(quoted)), pick(random, NUMBERS), 'TRUE']);
      const sorts = [...bySort.keys()].filter((sort) => {
        const [of = 'text', list] = sort.split(' ');
        return param.accepts({ of, list: list !== undefined } as never);
      });
      const sort =
        param.same && shared[param.same] !== undefined && random() < 0.95
          ? String(shared[param.same])
          : pick(random, sorts.length > 1 && random() < 0.9 ? sorts.filter((each) => each !== 'null') : sorts);
      if (param.same && sort !== 'null') shared[param.same] ??= sort;
      return anyOf(sort);
    });
    const [first = '', second = ''] = args;
    const text =
      entry.category !== 'operator'
        ? `${entry.name}(${args.join(', ')})`
        : params.length === 1 && group.length === 0
          ? `${entry.name === 'NEGATE' ? '-' : '+'}(${first})`
          : `(${first} ${entry.name} ${second})`;
    if (text.length > 1500 || known.has(text)) continue;
    const checked = checkFormula(text, FORMULA_SCOPE);
    if (!checked.ok) continue;
    keep(text, checked.expression);
    made++;
    yield [text, checked.expression];
  }
}
