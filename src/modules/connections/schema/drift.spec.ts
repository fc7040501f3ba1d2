import { describe, expect, it } from '@jest/globals';
import type { FoundColumn, FoundObject } from '../../../engines/index.js';
import { driftBetween, NO_DRIFT } from './drift.js';

const column = (key: string, nativeType = 'text', nullable = true): FoundColumn => ({
  key,
  nativeType,
  type: 'text',
  options: {},
  form: 'text',
  nullable,
});

const table = (name: string, columns: readonly FoundColumn[], over: Partial<FoundObject> = {}): FoundObject => ({
  schema: 'public',
  name,
  kind: 'table',
  columns,
  primaryKey: ['id'],
  uniqueKeys: [],
  foreignKeys: [],
  estimatedRows: 0,
  ...over,
});

const id = column('id', 'bigint', false);

describe('the drift of a schema', () => {
  const before = [table('customers', [id, column('name'), column('city')]), table('orders', [id])];

  it('is empty where nothing is another, however many rows there are and in whichever order', () => {
    const after = before.map((object) => ({ ...object, estimatedRows: 7 })).reverse();
    expect(driftBetween(before, after)).toEqual(NO_DRIFT);
  });

  it('tells what came and went, objects as a whole', () => {
    const after = [
      table('customers', [id, column('name'), column('city'), column('zip', 'integer')]),
      table('visits', [id, column('at')]),
    ];
    expect(driftBetween(before, after)).toEqual({
      ...NO_DRIFT,
      added: [{ object: 'public.visits' }, { object: 'public.customers', column: 'zip' }],
      removed: [{ object: 'public.orders' }],
    });
  });

  it('tells what is another', () => {
    const after = [
      table('customers', [id, column('name', 'varchar(50)'), column('city', 'text', false)], {
        primaryKey: ['id', 'name'],
      }),
      table('orders', [id], { kind: 'view' }),
    ];
    expect(driftBetween(before, after).changed).toEqual([
      { object: 'public.customers', what: 'primaryKey', before: 'id', after: 'id, name' },
      { object: 'public.customers', column: 'name', what: 'nativeType', before: 'text', after: 'varchar(50)' },
      { object: 'public.customers', column: 'city', what: 'nullable', before: 'true', after: 'false' },
      { object: 'public.orders', what: 'kind', before: 'table', after: 'view' },
    ]);
  });

  it('guesses a rename where one of the same type stands in the place of one that is gone', () => {
    const after = [table('customers', [id, column('title'), column('city')]), table('bills', [id])];
    expect(driftBetween(before, after)).toEqual({
      ...NO_DRIFT,
      renamed: [
        { object: 'public.bills', from: 'public.orders' },
        { object: 'public.customers', column: 'title', from: 'name' },
      ],
    });
  });

  it('guesses it also where columns came in front', () => {
    const after = [
      table('customers', [id, column('first', 'integer'), column('name'), column('town')]),
      table('orders', [id]),
    ];
    expect(
      driftBetween([table('customers', [id, column('name'), column('city')]), table('orders', [id])], after),
    ).toEqual({
      ...NO_DRIFT,
      added: [{ object: 'public.customers', column: 'first' }],
      renamed: [{ object: 'public.customers', column: 'town', from: 'city' }],
    });
  });

  it('guesses none where it could be several, or the type is another', () => {
    const several = driftBetween(
      before,
      [before[0], table('a', [id]), table('b', [id])].flatMap((one) => one ?? []),
    );
    expect([several.renamed, several.added.length, several.removed.length]).toEqual([[], 2, 1]);
    const retyped = driftBetween(before, [
      table('customers', [id, column('title', 'integer'), column('city')]),
      table('orders', [id]),
    ]);
    expect([retyped.renamed, retyped.added.length, retyped.removed.length]).toEqual([[], 1, 1]);
  });

  it('has no trouble with names that are members of every object', () => {
    const odd = [table('__proto__', [column('constructor'), column('__proto__')])];
    expect(driftBetween(odd, odd)).toEqual(NO_DRIFT);
    expect(driftBetween([], odd).added).toEqual([{ object: 'public.__proto__' }]);
  });
});
