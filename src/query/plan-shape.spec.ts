import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must } from '../common/index.js';
import { arbitrary, everyType, fuzz, NOW } from '../../test/query/index.js';
import { parseJsonFilter } from './filter/json-filter.js';
import type { GroupPlan } from './group-plan.js';
import type { ReadPlan } from './plan.js';
import { planShape, rowShape, writeShape } from './plan-shape.js';
import { resolveFilter } from './resolve/resolve-filter.js';

const deals = everyType();
const name = must(deals.columns[0], 'a first column');
const place = `${deals.physical.schema}.${deals.physical.table}`;
const resolved = (filter: unknown) => resolveFilter(parseJsonFilter(filter, ''), deals, { now: NOW });
const plan: ReadPlan = {
  from: deals,
  select: [name],
  where: { kind: 'true' },
  orderBy: [{ by: { kind: 'id' }, dir: 'asc' }],
  limit: 50,
  count: 'none',
};

describe('the shape of a plan', () => {
  it('says which columns are asked for what, in which order, and how far', () => {
    const where = resolved({
      and: [
        { field: name.key, op: 'eq', value: 'secret' },
        { not: { field: name.key, op: 'contains', value: 'secret' } },
      ],
    });
    expect(planShape(plan)).toBe(`${place} columns=1 sort id`);
    const orderBy = [{ by: { kind: 'column', column: name }, dir: 'desc' }, ...plan.orderBy] as const;
    const shape = planShape({ ...plan, where, orderBy, after: ['secret', 'id'], count: 'exact', trashed: true });
    expect(shape).toMatch(/ columns=1 trashed where and\(.*\) sort -name,id paged count=exact$/);
    expect(shape).toContain(`${name.key}.eq`);
    expect(shape).toContain('not(');
    expect(shape).not.toContain('secret');
  });

  it('says how many groups and aggregates there are', () => {
    const { from, orderBy, limit, count } = plan;
    const groups: GroupPlan = {
      ...{ from, orderBy, limit, count, groups: [], aggregates: [], where: { kind: 'true' } },
      having: { kind: 'isNull', column: name },
    };
    expect(planShape(groups)).toBe(`${place} groups=0 aggregates=0 having ${name.key}.isNull sort id`);
  });

  it('names all that a source is joined of, without a schema where there is none', () => {
    const object = {
      ...deals,
      kind: 'collection',
      columns: [],
      key: [],
      estimatedRows: null,
      physical: { schema: '', table: 'orders' },
    } as const;
    const { where, orderBy, limit, count } = plan;
    const rest = { select: [], where, orderBy, limit, count };
    const joins = [{ type: 'left', alias: 'b', object, on: [] }] as const;
    expect(planShape({ ...rest, from: { ...object, object, alias: 'a', joins } })).toBe(
      'orders join orders columns=0 sort id',
    );
    const places = [
      { alias: 'a', source: { kind: 'table', table: deals } },
      { alias: 'b', source: { kind: 'object', connectionId: 'c', object } },
    ] as const;
    const from = { ...deals, places, columns: [], keys: [] };
    expect(planShape({ ...rest, from })).toBe(`${place} join orders columns=0 sort id`);
  });

  it('says of writes what is done how often to which columns, and never with what', () => {
    const values = new Map([[name, 'secret']]);
    const ops = [{ kind: 'create', values }, { kind: 'create', values }, { kind: 'delete' }];
    expect(writeShape(deals, ops)).toBe(`${place} create=2 delete=1 set ${name.key}`);
    expect(writeShape(deals, [])).toBe(place);
    expect(rowShape(deals)).toBe(`${place} row`);
    const many = Array.from({ length: 500 }, (_, n) => [{ key: `column_${n}` }, 'secret'] as const);
    expect(writeShape(deals, [{ kind: 'update', values: new Map(many) }])).toHaveLength(1_001);
  });

  it('holds no value of any filter, and is never long', () => {
    fc.assert(
      fc.property(arbitrary.filter(deals), (filter) => {
        const shape = planShape({ ...plan, where: resolved(filter) });
        // Keys, operators, brackets: nothing that somebody could have written into a value.
        expect(shape.slice(place.length)).toMatch(/^[a-zA-Z0-9_ .,=()-]*…?$/);
        expect(shape.length).toBeLessThanOrEqual(1_001);
      }),
      fuzz(300),
    );
    const items = Array.from({ length: 500 }, () => resolved({ field: name.key, op: 'eq', value: 'x' }));
    expect(planShape({ ...plan, where: { kind: 'and', items } })).toHaveLength(1_001);
  });
});
