import { describe, expect, it } from '@jest/globals';
import { must, newId } from '../../../common/index.js';
import type { ObjectColumn, ObjectSchema } from '../../object-schema.js';
import type { Condition } from '../../plan.js';
import type { SourceRead } from '../../source-plan.js';
import { Bound, compileMongoMutation, compileMongoRead, type MongoForm } from './index.js';
import { doubleTest, exactTest } from './numbers.js';

const column = (physical: string, form: MongoForm, type: ObjectColumn['type']): ObjectColumn => ({
  id: physical, key: physical, name: physical, type, options: {}, required: physical === '_id', unique: false, default: null, physical, form, alias: 'o',
}); // prettier-ignore
const columns = [
  column('_id', 'objectId', 'text'),
  column('a.name', 'string', 'text'),
  column('qty', 'int', 'integer'),
];
const [id, name, qty] = columns.map((each) => must(each, 'a column')) as [ObjectColumn, ObjectColumn, ObjectColumn];
const object: ObjectSchema = {
  id: newId(), schemaVersion: 1, physical: { schema: 'shop', table: 'things' }, kind: 'collection', columns, key: [id], estimatedRows: null,
}; // prettier-ignore
const read = (where: Condition, over: Partial<SourceRead> = {}) =>
  compileMongoRead({
    from: { ...object, object, alias: 'o', joins: [] },
    select: [name],
    where,
    orderBy: [{ by: { kind: 'column', column: id }, dir: 'asc' }],
    limit: 10,
    count: 'none',
    ...over,
  }).pipeline;

describe('an aggregation', () => {
  it('finds an id by its index, in the order that documents are in already', () => {
    const hex = '0123456789abcdef01234567';
    expect(read({ kind: 'compare', column: id, op: 'eq', value: hex }, { after: [hex] })).toEqual([
      { $match: { $and: [{ _id: { $eq: new Bound('objectId', hex) } }, { $expr: { $eq: ['$_id', { $literal: new Bound('objectId', hex) }] } }] } },
      { $match: { $expr: { $gt: ['$_id', { $literal: new Bound('objectId', hex) }] } } },
      { $sort: { _id: 1 } },
      { $limit: 11 },
      { $project: { _id: 0, c0: '$a.name', k0: '$_id' } },
    ]); // prettier-ignore
  });

  it('takes what a request gave as a value, even where it looks like a variable', () => {
    expect(read({ kind: 'compare', column: name, op: 'eq', value: '$$ROOT' })[0]).toEqual({
      $match: { $and: [{ 'a.name': { $eq: '$$ROOT' } }, { $expr: { $eq: ['$a.name', { $literal: '$$ROOT' }] } }] },
    });
  });

  it('sorts by cells of the types of their columns, and by the id where they are alike', () => {
    const orderBy = [qty, id].map((each) => ({ by: { kind: 'column' as const, column: each }, dir: 'desc' as const }));
    const typed = { $cond: [{ $in: [{ $type: '$qty' }, ['int', 'long']] }, '$qty', null] };
    expect(read({ kind: 'true' }, { orderBy })).toEqual([
      { $project: { _id: 0, c0: '$a.name', k0: typed, k1: { $ifNull: ['$_id', null] } } },
      { $sort: { k0: -1, k1: -1 } },
      { $limit: 11 },
    ]);
  });
});

describe('a change', () => {
  it('is one step that finds the document by its id and what it must hold', () => {
    const hex = '0123456789abcdef01234567';
    const key = [{ column: id, value: hex }];
    const change = { op: 'update' as const, object, key, values: [{ column: name, value: '$x' }], expected: [{ column: qty, value: null }] }; // prettier-ignore
    const bound = new Bound('objectId', hex);
    expect(compileMongoMutation(change)).toMatchObject({
      filter: {
        $and: [
          { _id: { $eq: bound } },
          {
            $expr: {
              $and: [
                { $and: [{ $eq: [{ $type: '$_id' }, 'objectId'] }, { $eq: ['$_id', { $literal: bound }] }] },
                { $lte: ['$qty', null] },
              ],
            },
          },
        ],
      },
      update: { $set: { 'a.name': '$x' } },
    });
  });
});

describe('numbers', () => {
  it('are compared with doubles by what is shown of these', () => {
    expect(doubleTest('eq', '0.1')).toEqual({ op: 'eq', value: new Bound('double', '0.1') });
    expect(doubleTest('eq', '0.10000000000000000001')).toBe(false);
    expect(doubleTest('lt', '0.10000000000000000001')).toEqual({ op: 'lte', value: new Bound('double', '0.1') });
    expect(doubleTest('gte', '0.09999999999999999999')).toEqual({ op: 'gte', value: new Bound('double', '0.1') });
  });

  it('of more digits than a decimal has are compared with their neighbour', () => {
    const long = `1.${'1'.repeat(36)}`;
    expect(exactTest('eq', long)).toBe(false);
    expect(exactTest('gt', long)).toEqual({ op: 'gt', value: new Bound('decimal', `${'1'.repeat(34)}E-33`) });
    expect(exactTest('eq', '9007199254740993')).toEqual({ op: 'eq', value: new Bound('long', '9007199254740993') });
  });
});
