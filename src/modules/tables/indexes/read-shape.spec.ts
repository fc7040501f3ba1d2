import { describe, expect, it } from '@jest/globals';
import { CursorCodec, parseJsonFilter, resolveRead, type SortInput, type TableSchema } from '../../../query/index.js';
import { column, NOW, table as tableOf } from '../../../../test/query/index.js';
import { readShape, shapeOf } from './read-shape.js';
import { serves, suggestIndex } from './suggest-index.js';

const table: TableSchema = tableOf([
  column('name', 'text'),
  column('notes', 'long_text'),
  column('qty', 'integer'),
  column('due', 'date'),
  column('status', 'single_select'),
  column('code', 'text', { unique: true }),
]);
const cursors = new CursorCodec(Buffer.alloc(32, 7));
const asc = (...fields: string[]): SortInput[] => fields.map((field) => ({ field, dir: 'asc' }));
const desc = (...fields: string[]): SortInput[] => fields.map((field) => ({ field, dir: 'desc' }));

function textOf(filter: unknown, sort: readonly SortInput[] = []): string {
  const { plan } = resolveRead(
    { sort, limit: 50, count: 'none', ...(filter === undefined ? {} : { filter: parseJsonFilter(filter, '/filter') }) },
    table,
    { where: { kind: 'true' } },
    cursors,
    { now: NOW },
  );
  return shapeOf(plan);
}

const suggestionFor = (filter: unknown, sort: readonly SortInput[] = []) => {
  const shape = readShape(textOf(filter, sort));
  return shape && suggestIndex(shape, table);
};

/** Such as `sort due -qty`. */
const suggested = (filter: unknown, sort: readonly SortInput[] = []): string | undefined => {
  const plan = suggestionFor(filter, sort)?.plan;
  return (
    plan && [plan.kind, ...plan.keys.map(({ column: { key }, dir }) => (dir === 'desc' ? `-${key}` : key))].join(' ')
  );
};

const eq = (field: string, value: unknown) => ({ field, op: 'eq', value });

describe('the shape of a read', () => {
  it('is the same whatever the values, the order of conditions and the page are', () => {
    const a = textOf({ and: [eq('name', 'secret'), { field: 'qty', op: 'gt', value: 5 }] }, desc('due'));
    const b = textOf({ and: [{ field: 'qty', op: 'lte', value: 7 }, eq('name', 'other')] }, desc('due'));
    expect(a).toBe(b);
    expect(a).not.toContain('secret');
  });

  it('is empty where no index could help', () => {
    expect(textOf(undefined)).toBe('');
    expect(textOf({ field: 'name', op: 'neq', value: 'x' })).toBe('');
    expect(textOf({ or: [eq('name', 'x'), eq('qty', 1)] })).toBe('');
    expect(textOf({ not: eq('name', 'x') })).toBe('');
    const where = { kind: 'isNull', column: column('name', 'text') } as const;
    expect(shapeOf({ where, orderBy: [], trashed: true })).toBe('');
  });

  it('comes back from its text, and nothing comes of another text', () => {
    const text = textOf({ and: [eq('name', 'x'), { field: 'notes', op: 'contains', value: 'x' }] }, [
      ...asc('due'),
      ...desc('qty'),
    ]);
    const [name, notes, qty, due] = table.columns.map(({ id }) => id);
    expect(readShape(text)).toEqual({
      equal: [name],
      range: [],
      match: [notes],
      sort: [
        { columnId: due, dir: 'asc' },
        { columnId: qty, dir: 'desc' },
      ],
    });
    for (const other of ['', 'x', '|||', '||||', '|||x', `${text}|`]) expect(readShape(other)?.sort ?? []).toEqual([]);
  });
});

describe('the index that is suggested', () => {
  it.each([
    ['a sort', undefined, asc('due'), 'sort due'],
    ['a sort backwards, which is the same', undefined, desc('due', 'qty'), 'sort due qty'],
    ['a mixed sort', undefined, [...desc('due'), ...asc('qty')], 'sort due -qty'],
    ['equality before a sort', eq('name', 'x'), desc('due'), 'sort name due'],
    ['a choice before a sort: by its value', eq('status', 'won'), asc('due'), 'filter status due'],
    ['a sort by choices: by their order', eq('name', 'x'), asc('status'), 'sort name status'],
    ['a bound', { field: 'qty', op: 'between', value: [1, 2] }, [], 'sort qty'],
    ['a list of choices', { field: 'status', op: 'in', value: ['won', 'open'] }, [], 'filter status'],
    ['a bound beside a sort, which wins', { field: 'qty', op: 'gt', value: 1 }, asc('due'), 'sort due'],
    ['a search', { field: 'notes', op: 'contains', value: 'x' }, asc('due'), 'search notes'],
    ['a sort by what no index takes', undefined, asc('notes'), undefined],
  ])('for %s', (_, filter, sort, expected) => {
    expect(suggested(filter, sort)).toBe(expected);
  });

  it('is not needed where one serves that has the same equal columns in any order, and the sort in either direction', () => {
    const key = (name: string, dir: 'asc' | 'desc' = 'asc') => {
      const found = table.columns.find((each) => each.key === name);
      if (!found) throw new Error(name);
      return { column: found, dir };
    };
    const sort = (...keys: ReturnType<typeof key>[]) => ({ kind: 'sort' as const, keys });
    const equal = suggestionFor({ and: [eq('name', 'x'), eq('qty', 1)] }, desc('due'));
    if (!equal) throw new Error('none');
    expect(serves(sort(key('qty'), key('name'), key('due')), equal)).toBe(true);
    expect(serves(sort(key('name'), key('qty'), key('due', 'desc')), equal)).toBe(true);
    expect(serves({ kind: 'filter', keys: [key('name'), key('qty'), key('due')] }, equal)).toBe(true);
    expect(serves(sort(key('name'), key('due'), key('qty')), equal)).toBe(false);
    expect(serves(sort(key('name'), key('qty')), equal)).toBe(false);

    const two = suggestionFor(undefined, asc('due', 'qty'));
    if (!two) throw new Error('none');
    expect(serves(sort(key('due', 'desc'), key('qty', 'desc')), two)).toBe(true);
    expect(serves(sort(key('due'), key('qty', 'desc')), two)).toBe(false);
    expect(serves(sort(key('due'), key('qty'), key('name')), two)).toBe(false);

    const choices = suggestionFor(undefined, asc('status'));
    if (!choices) throw new Error('none');
    expect(serves({ kind: 'filter', keys: [key('status')] }, choices)).toBe(false);
    expect(serves(sort(key('status')), choices)).toBe(true);

    const search = suggestionFor({ field: 'notes', op: 'endsWith', value: 'x' });
    if (!search) throw new Error('none');
    expect(serves({ kind: 'search', keys: [key('notes')] }, search)).toBe(true);
    expect(serves({ kind: 'search', keys: [key('name')] }, search)).toBe(false);
  });
});
