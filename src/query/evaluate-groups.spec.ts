import { describe, expect, it } from '@jest/globals';
import { newId } from '../common/index.js';
import { everyType, NOW } from '../../test/query/index.js';
import type { EvaluatedRow } from './evaluate.js';
import { evaluateGroups } from './evaluate-groups.js';
import { parseJsonFilter } from './filter/json-filter.js';
import { CursorCodec } from './keyset.js';
import { resolveGroups, type GroupRequest } from './resolve/resolve-groups.js';
import type { CellValue } from './schema.js';

const DEALS = everyType();
const row = (fields: Readonly<Record<string, CellValue>>): EvaluatedRow => ({ id: newId(), fields });

function groups(request: Partial<GroupRequest>, rows: readonly EvaluatedRow[]) {
  const whole = {
    groupBy: [],
    aggregates: [],
    sort: [],
    limit: 50,
    count: 'none',
    timeZone: 'UTC',
    ...request,
  } as const;
  const { plan } = resolveGroups(whole, DEALS, { where: { kind: 'true' } }, new CursorCodec(Buffer.alloc(32)), { now: NOW }); // prettier-ignore
  return evaluateGroups(plan, rows);
}

describe('groups in memory', () => {
  it.each([
    ['day', '2024-02-29', '2024-02-29'],
    ['week', '2024-02-29', '2024-02-26'],
    ['week', '2024-03-03', '2024-02-26'],
    ['week', '2024-03-04', '2024-03-04'],
    ['month', '2024-02-29', '2024-02-01'],
    ['quarter', '2024-03-31', '2024-01-01'],
    ['quarter', '2024-12-31', '2024-10-01'],
    ['year', '0001-12-31', '0001-01-01'],
  ])('put the %s of %s at %s', (bucket, due, start) => {
    expect(groups({ groupBy: [{ field: 'due', bucket }] }, [row({ due })])).toEqual([{ due: start }]);
  });

  it('take numbers of other notations for equal, lists by their order, and null for a group of its own', () => {
    const count = [{ as: 'n', fn: 'count' }];
    const by = (field: string, values: readonly CellValue[]) =>
      groups({ groupBy: [{ field }], aggregates: count }, values.map((value) => row({ [field]: value }))).map(({ n }) => n); // prettier-ignore
    expect(by('amount', ['1', '1.0', null, '1.00'])).toEqual([1, 3]);
    expect(by('tags', [['open', 'won'], ['won', 'open'], [], null])).toEqual([2, 1, 1]); // prettier-ignore
    expect(by('name', ['a', 'A', ''])).toEqual([1, 1, 1]);
  });

  it('add up exactly, and round averages half away from zero', () => {
    const of = (values: readonly string[], ...fns: string[]) =>
      groups(
        { aggregates: fns.map((fn) => ({ as: fn, fn, field: 'amount' })) },
        values.map((amount) => row({ amount })),
      );
    expect(of(['9007199254740993', '0.1', '-0.30'], 'sum')).toEqual([{ sum: '9007199254740992.8' }]);
    expect(of(['0.0000000001', '0', '0', '0'], 'avg')).toEqual([{ avg: '0.0000000000' }]);
    expect(of(['0.0000000001', '0'], 'avg')).toEqual([{ avg: '0.0000000001' }]);
    expect(of(['-0.0000000001', '0'], 'avg')).toEqual([{ avg: '-0.0000000001' }]);
    expect(of([], 'sum', 'avg', 'min', 'count')).toEqual([{ sum: '0', avg: null, min: null, count: 0 }]);
  });

  it('are filtered, ordered and cut as rows are', () => {
    const rows = [3, 1, 2, 3, 1, 3].map((qty) => row({ qty }));
    const asked = { groupBy: [{ field: 'qty' }], aggregates: [{ as: 'n', fn: 'count' }] };
    const having = parseJsonFilter({ field: 'n', op: 'gt', value: 1 }, '/having');
    expect(groups({ ...asked, having, sort: [{ field: 'n', dir: 'desc' }], limit: 1 }, rows)).toEqual([{ qty: 3, n: 3 }]); // prettier-ignore
  });
});
