import { describe, expect, it } from '@jest/globals';
import type { CellValue, ColumnSchema } from '../../../../query/index.js';
import { contest, type Demands, type Settled } from './unique-contest.js';

const column = (key: string, more: Partial<ColumnSchema> = {}): ColumnSchema => ({
  ...{
    id: key,
    key,
    name: key,
    type: 'text',
    options: {},
    required: false,
    unique: true,
    default: null,
    physical: key,
  },
  ...more,
});
const CODE = column('code');
const [A, B] = [column('a'), column('b')];
const demands: Demands = {
  keys: [
    { columns: [CODE], comparing: 'as unique columns' },
    { columns: [A, B], comparing: 'as they are' },
  ],
  required: [],
  canBeEmpty: ({ required }) => !required,
};

type Fields = Readonly<Record<string, CellValue>>;
const columnOf = (key: string): ColumnSchema => [CODE, A, B].find((each) => each.key === key) ?? CODE;
/** Rows by `id`, with what they hold and what they are to get; `back` come out of the trash. Others hold `taken` codes. */
const settle = (rows: readonly [string, Fields, Fields, 'back'?][], taken: readonly string[] = [], given = demands) =>
  contest(
    given,
    rows.map(([id, held, values, back]) => ({
      ...{ id, comes: back !== undefined, held: ({ key }) => held[key] ?? null },
      values: new Map(Object.entries(values).map(([key, value]) => [columnOf(key), value])),
    })),
    (key, tuples) => Promise.resolve(tuples.map(([value]) => key.columns[0] === CODE && taken.includes(String(value)))),
  );
const got = (settled: readonly Settled[]) =>
  settled.map(({ values, withIt, lost, staysFor, gives }) => ({
    gets: Object.fromEntries([...withIt, ...values].map(([{ key }, value]) => [key, value])),
    ...(lost.length > 0 ? { lost: lost.map(({ key }) => key) } : {}),
    ...(staysFor ? { stays: staysFor.code } : {}),
    ...(gives ? { gives } : {}),
  }));

describe('a contest for unique values', () => {
  it('lets rows swap, and hand a value on, also one who has none after it', async () => {
    expect(got(await settle([['1', { code: 'x' }, { code: 'y' }], ['2', { code: 'y' }, { code: 'x' }]]))).toEqual([
      { gets: { code: 'y' }, gives: true },
      { gets: { code: 'x' }, gives: true },
    ]); // prettier-ignore
    expect(got(await settle([['1', { code: 'x' }, { code: null }], ['2', { code: 'z' }, { code: 'x' }]]))).toEqual([
      { gets: { code: null }, gives: true },
      { gets: { code: 'x' } },
    ]); // prettier-ignore
  });

  it('lets everybody keep what he has who cannot have more, and those after him too', async () => {
    const chain: [string, Fields, Fields][] = ['a', 'b', 'c', 'd'].map((code, i) => [String(i), { code }, { code: i === 0 ? 'taken' : 'abcd'[i - 1] ?? '' }]); // prettier-ignore
    expect(got(await settle(chain, ['taken']))).toEqual(chain.map(() => ({ gets: {}, lost: ['code'] })));
    expect(got(await settle(chain))).toEqual([
      { gets: { code: 'taken' }, gives: true },
      { gets: { code: 'a' }, gives: true },
      { gets: { code: 'b' }, gives: true },
      { gets: { code: 'c' } },
    ]);
  });

  it('gives a value to the first, and what a row merely had in the trash to nobody before it', async () => {
    expect(got(await settle([['1', { code: 'p' }, { code: 'x' }], ['2', { code: 'q' }, { code: 'x' }]]))).toEqual([
      { gets: { code: 'x' } },
      { gets: {}, lost: ['code'] },
    ]); // prettier-ignore
    const rows: [string, Fields, Fields, 'back'?][] = [['1', { code: 'had' }, { code: 'taken' }, 'back'], ['2', { code: 'q' }, { code: 'had' }]]; // prettier-ignore
    expect(got(await settle(rows, ['taken']))).toEqual([
      { gets: { code: null }, lost: ['code'] },
      { gets: { code: 'had' } },
    ]);
  });

  it('leaves a row in the trash that cannot be without its value, or would be another with one of several', async () => {
    const must = column('code', { required: true });
    const keys = [{ columns: [must], comparing: 'as unique columns' } as const];
    const [row] = await contest(
      { ...demands, keys, required: [must] },
      [{ id: '1', comes: true, held: () => 'taken', values: new Map() }],
      (_, tuples) => Promise.resolve(tuples.map(() => true)),
    );
    expect(row?.staysFor).toEqual({ code: 'row_value_taken', columns: [must] });
    const pair = { a: '1', b: '2' };
    expect(got(await settle([['1', pair, {}, 'back'], ['2', pair, {}, 'back']]))).toEqual([
      { gets: {} },
      { gets: {}, stays: 'row_value_taken' },
    ]); // prettier-ignore
  });

  it('is over soon, however many rows hand a value on', async () => {
    const many = 20_000;
    const rows: [string, Fields, Fields][] = Array.from({ length: many }, (_, i) => [String(i), { code: `c${i}` }, { code: i === 0 ? 'taken' : `c${i - 1}` }]); // prettier-ignore
    const looks: number[] = [];
    const settled = await contest(
      demands,
      rows.map(([id, held, values]) => ({
        ...{ id, comes: false, held: ({ key }) => held[key] ?? null },
        values: new Map([[CODE, values.code ?? null]]),
      })),
      (_, tuples) => {
        looks.push(tuples.length);
        return Promise.resolve(tuples.map(([value]) => value === 'taken'));
      },
    );
    expect(settled.every(({ lost }) => lost.length === 1)).toBe(true);
    expect(looks).toEqual([many]);
  });

  it('leaves others their turn where rows give in one after the other, for one index and the other', async () => {
    const many = 100;
    const keys = [[A, CODE], [CODE, B]].map((columns) => ({ columns, comparing: 'as they are' }) as const); // prettier-ignore
    const held = (i: number): Fields => ({ a: `p${i >> 1}`, b: `p${(i + 1) >> 1}`, code: `c${i}` });
    let [turns, isOver] = [0, false];
    const turn = (): void => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    const settled = await contest(
      { ...demands, keys },
      Array.from({ length: many }, (_, i) => ({
        ...{ id: String(i), comes: false, held: ({ key }: ColumnSchema) => held(i)[key] ?? null },
        values: new Map([[CODE, `c${i - 1}`]]),
      })),
      (_, tuples) => Promise.resolve(tuples.map((values) => values.includes('c-1'))),
    );
    isOver = true;
    expect(settled.every(({ lost }) => lost.length === 1)).toBe(true);
    expect(turns).toBeGreaterThan(many / 4);
  });
});
