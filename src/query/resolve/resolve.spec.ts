import { describe, expect, it } from '@jest/globals';
import { Problem, type ProblemItem } from '../../common/index.js';
import { column, everyType, NOW, table } from '../../../test/query/index.js';
import { CursorCodec } from '../keyset.js';
import { parseTextFilter } from '../filter/text-filter.js';
import type { ReadPlan } from '../plan.js';
import { resolveRead, type ReadRequest } from './resolve-read.js';
import { completeNewRow, resolveFieldValues } from './resolve-write.js';

const DEALS = everyType();
const cursors = new CursorCodec(Buffer.alloc(32, 1));

const read = (request: Partial<ReadRequest>, scope: ReadPlan['where'] = { kind: 'true' }, of = DEALS) =>
  resolveRead({ sort: [], limit: 50, count: 'none', ...request }, of, { where: scope }, cursors, { now: NOW });

function problem(work: () => unknown): {
  status: number;
  code: string;
  items: readonly Pick<ProblemItem, 'pointer' | 'code'>[];
} {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const items = (error.errors ?? []).map(({ pointer, code }) => ({ pointer, code }));
    return { status: error.status, code: error.code, items };
  }
  throw new Error('nothing was refused');
}

const keys = (plan: ReadPlan) => plan.orderBy.map(({ by, dir }) => `${by.kind === 'id' ? 'id' : by.column.key} ${dir}`);

describe('resolveRead', () => {
  it('ends every order with the id, in the direction of the last key', () => {
    expect(keys(read({}).plan)).toEqual(['id asc']);
    expect(keys(read({ sort: [{ field: 'qty', dir: 'desc' }] }).plan)).toEqual(['qty desc', 'id desc']);
    const sort = [
      { field: 'qty', dir: 'desc' },
      { field: 'name', dir: 'asc' },
    ] as const;
    expect(keys(read({ sort }).plan)).toEqual(['qty desc', 'name asc', 'id asc']);
  });

  it('ANDs what the caller may see into what it asked for, and never the other way round', () => {
    const mine = { kind: 'isNull', column: DEALS.columns[0] } as unknown as ReadPlan['where'];
    const filter = parseTextFilter('or(qty.gt.1,qty.isNull)');
    expect(read({}).plan.where).toEqual({ kind: 'true' });
    expect(read({}, mine).plan.where).toBe(mine);
    expect(read({ filter }, mine).plan.where).toMatchObject({ kind: 'and', items: [mine, { kind: 'or' }] });
    const searched = { kind: 'and', items: [{ kind: 'or' }, { kind: 'or' }] };
    expect(read({ search: 'a b' }, mine).plan.where).toMatchObject({ kind: 'and', items: [mine, searched] });
    expect(read({ filter, search: 'a b' }, mine).plan.where).toMatchObject({
      kind: 'and',
      items: [mine, { kind: 'and', items: [{ kind: 'or' }, searched] }],
    });
  });

  it('searches for fewer words where what it looks into is long', () => {
    const long = table([...DEALS.columns, column('long', 'long_text', { size: 240_000 })]);
    expect(read({ search: 'a b c d' }, undefined, long).plan.where).toMatchObject({ kind: 'and' });
    const refused = { code: 'validation_failed', items: [{ pointer: '/search', code: 'too_many_words' }] };
    expect(problem(() => read({ search: 'a b c d e' }, undefined, long))).toMatchObject(refused);
    const longest = table([column('long', 'long_text', { size: 1_200_000 })]);
    expect(read({ search: 'a' }, undefined, longest).plan.where).toMatchObject({ kind: 'and' });
    expect(problem(() => read({ search: 'a b' }, undefined, longest))).toMatchObject(refused);
  });

  it('selects all columns, or those asked for in the order of the table', () => {
    expect(read({}).plan.select).toEqual(DEALS.columns);
    expect(read({ fields: ['qty', 'name', 'qty'] }).plan.select.map(({ key }) => key)).toEqual(['name', 'qty']);
    expect(read({ fields: [] }).plan.select).toEqual([]);
  });

  it.each<[string, Partial<ReadRequest>, object]>([
    [
      'an unknown field',
      { fields: ['name', 'nam'] },
      { code: 'validation_failed', items: [{ pointer: '/fields', code: 'unknown_field' }] },
    ],
    ['a system column', { fields: ['_deleted_at'] }, { code: 'validation_failed' }],
    [
      'an unknown sort key',
      {
        sort: [
          { field: 'qty', dir: 'asc' },
          { field: 'x', dir: 'asc' },
        ],
      },
      { code: 'sort_invalid', items: [{ pointer: '/sort/1', code: 'unknown_field' }] },
    ],
    [
      'a sort key twice',
      {
        sort: [
          { field: 'qty', dir: 'asc' },
          { field: 'qty', dir: 'desc' },
        ],
      },
      { code: 'sort_invalid', items: [{ pointer: '/sort/1', code: 'duplicate_key' }] },
    ],
    [
      'six sort keys',
      { sort: ['name', 'title', 'notes', 'qty', 'amount', 'due'].map((field) => ({ field, dir: 'asc' as const })) },
      { code: 'sort_invalid', items: [{ pointer: '/sort', code: 'too_many_keys' }] },
    ],
    ['sort by __proto__', { sort: [{ field: '__proto__', dir: 'asc' }] }, { code: 'sort_invalid' }],
  ])('refuses %s', (_, request, expected) => {
    expect(problem(() => read(request))).toMatchObject({ status: 422, ...expected });
  });

  it('takes a cursor back only for the filter, sort and table that it was made for', () => {
    const other = everyType();
    const filter = parseTextFilter('qty.gt.1');
    const sort = [{ field: 'qty', dir: 'asc' }] as const;
    const asked = read({ filter, sort });
    const cursor = cursors.seal(asked.query, [3, 'id']);
    expect(read({ filter, sort, cursor, limit: 7, fields: ['name'], count: 'exact' }).plan.after).toEqual([3, 'id']);
    for (const request of [
      { sort },
      { filter },
      { filter: parseTextFilter('qty.gt.2'), sort },
      { filter, sort: [{ field: 'qty', dir: 'desc' }] as const },
    ])
      expect(problem(() => read({ ...request, cursor }))).toMatchObject({ status: 400, code: 'cursor_mismatch' });
    expect(problem(() => read({ filter, sort, cursor }, undefined, other))).toMatchObject({ code: 'cursor_mismatch' });
  });

  it('takes a cursor of a filter that names now, on the next page', () => {
    const filter = parseTextFilter('due.gte.@today-7d');
    const { query } = read({ filter });
    const later = new Date(NOW.getTime() + 86_400_000);
    const next = resolveRead(
      { filter, sort: [], limit: 50, count: 'none', cursor: cursors.seal(query, ['x']) },
      DEALS,
      { where: { kind: 'true' } },
      cursors,
      { now: later },
    );
    expect(next.plan.after).toEqual(['x']);
  });
});

describe('resolveFieldValues', () => {
  const resolve = (input: unknown, of = DEALS) => {
    const errors: ProblemItem[] = [];
    const values = resolveFieldValues(input, of, '/fields', errors);
    return {
      values: Object.fromEntries([...values].map(([{ key }, value]) => [key, value])),
      errors: errors.map(({ pointer, code }) => `${pointer} ${code}`),
    };
  };

  it('gives canonical values', () => {
    expect(resolve({ name: 'e\u0301', amount: '007.10', status: 'Lost for good', qty: null })).toEqual({
      values: { name: '\u00e9', amount: '7.10', status: 'lost', qty: null },
      errors: [],
    });
  });

  it('finds everything that is wrong, each with its pointer', () => {
    const body: unknown = JSON.parse(
      '{"a/b~c":1,"__proto__":1,"constructor":1,"title":null,"qty":9007199254740993,"due":"2026-02-30","_id":"x","name":"ok"}',
    );
    expect(resolve(body).errors).toEqual([
      '/fields/a~1b~0c unknown_field',
      '/fields/__proto__ unknown_field',
      '/fields/constructor unknown_field',
      '/fields/title required',
      '/fields/qty out_of_range',
      '/fields/due no_such_date',
      '/fields/_id unknown_field',
    ]);
  });

  it.each([[null], [undefined], [[]], ['x'], [1]])('refuses %j', (input) =>
    expect(resolve(input).errors).toEqual(['/fields not_an_object']),
  );

  it('completes a new row with defaults and names the required columns that have no value', () => {
    const made = table([
      column('a', 'text', { default: 'x' }),
      column('b', 'integer', { default: 0, required: true }),
      column('c', 'text', { required: true }),
      column('d', 'text'),
    ]);
    const complete = (fields: unknown) => {
      const errors: ProblemItem[] = [];
      const values = completeNewRow(resolveFieldValues(fields, made, '/fields', errors), made, '/fields', errors, {
        now: NOW,
        me: null,
      });
      return {
        values: Object.fromEntries([...values].map(([{ key }, value]) => [key, value])),
        errors: errors.map(({ pointer, code }) => `${pointer} ${code}`),
      };
    };
    expect(complete({})).toEqual({ values: { a: 'x', b: 0 }, errors: ['/fields/c required'] });
    expect(complete({ a: null, c: '' })).toEqual({ values: { a: null, b: 0, c: '' }, errors: [] });
    // Said once, not twice.
    expect(complete({ c: null })).toMatchObject({ errors: ['/fields/c required'] });
  });
});
