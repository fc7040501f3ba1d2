import { describe, expect, it } from '@jest/globals';
import { BSON } from 'mongodb';
import fc from 'fast-check';
import { cellJson, positionValue, trimmed } from '../../src/engines/external/mongodb/cells.js';
import { toBson } from '../../src/engines/external/mongodb/to-bson.js';
import {
  compileMongoGroups,
  compileMongoRead,
  CursorCodec,
  evaluate,
  evaluateGroups,
  identityOf,
  kindOf,
  parseJsonFilter,
  resolveFilter,
  resolveGroups,
  type CellValue,
  type ColumnSchema,
  type MongoDocument,
  type OrderTerm,
  type SourceGroups,
  type SourceRead,
} from '../../src/query/index.js';
import { aggregate } from '../harness/mongo/stages.js';
import type { Doc } from '../harness/mongo/values.js';
import { arbitrary, fuzz, groupQuery, NOW } from '../query/index.js';
import { documents, everyForm, rowsOf, sourceOf } from '../support/mongo-model.js';

const object = everyForm();
const from = sourceOf(object);
const cursors = new CursorCodec(Buffer.alloc(32, 7));

/** As a server would get it: nothing but BSON. */
const sent = (stages: readonly MongoDocument[]): Doc[] =>
  stages.map((stage) => BSON.deserialize(BSON.serialize(toBson(stage)), { promoteValues: false }) as Doc);

const whereOf = (filterJson: unknown) =>
  filterJson === undefined
    ? ({ kind: 'true' } as const)
    : resolveFilter(parseJsonFilter(filterJson, '/filter'), object, { now: NOW });

describe('an aggregation finds what its plan means', () => {
  it('for any documents, filter, order and page, those of other types among them, walked to the end', () => {
    const sortable = object.columns.filter(({ form }) => form !== 'json' && form !== 'binData');
    const example = fc.record({
      docs: documents(object, 25),
      queries: fc.array(
        fc.record({
          filterJson: fc.option(arbitrary.filter(object), { nil: undefined, freq: 5 }),
          sort: fc.array(fc.record({ column: fc.constantFrom(...sortable), dir: fc.constantFrom('asc' as const, 'desc' as const) }), { maxLength: 3 }),
          limit: fc.integer({ min: 1, max: 7 }),
        }),
        { minLength: 5, maxLength: 5 },
      ),
    }); // prettier-ignore
    fc.assert(
      fc.property(example, ({ docs, queries }) => {
        const rows = rowsOf(object, docs);
        for (const { filterJson, sort, limit } of queries) {
          const where = whereOf(filterJson);
          const id = object.key.map((column) => ({ by: { kind: 'column' as const, column }, dir: 'asc' as const }));
          const orderBy: OrderTerm[] = [...sort.map(({ column, dir }) => ({ by: { kind: 'column' as const, column }, dir })), ...id]; // prettier-ignore
          const wanted = evaluate({ where, orderBy, limit: Infinity }, rows).map(({ fields }) => fields.id);
          const plan: SourceRead = { from, select: object.key, where, orderBy, limit, count: 'none' };
          expect({ filterJson, sort, found: walk(plan, docs) }).toEqual({ filterJson, sort, found: wanted });
        }
      }),
      fuzz(50),
    );
  });

  function walk(plan: SourceRead, docs: readonly Doc[]): unknown[] {
    const found: unknown[] = [];
    for (let after: SourceRead['after'], pages = 0; pages < 100; pages++) {
      const page = compileMongoRead(after ? { ...plan, after } : plan);
      const rows = aggregate(sent(page.pipeline), docs);
      const shown = rows.slice(0, plan.limit);
      found.push(...shown.map((row) => JSON.parse(cellJson(row.c0, 'text')) as unknown));
      const last = shown.at(-1);
      if (rows.length <= plan.limit || !last) return found;
      after = page.keys.map((form, i) => positionValue(last[`k${i}`], form));
    }
    throw new Error('the pages do not end');
  }

  it('for any groups, buckets, zones, aggregates, having, sort and page', () => {
    const example = fc.record({
      docs: documents(object, 25),
      queries: fc.array(
        fc.record({ query: groupQuery(object), filterJson: fc.option(arbitrary.filter(object), { nil: undefined }), limit: fc.integer({ min: 1, max: 7 }) }),
        { minLength: 5, maxLength: 5 },
      ),
    }); // prettier-ignore
    fc.assert(
      fc.property(example, ({ docs, queries }) => {
        const rows = rowsOf(object, docs);
        for (const { query, filterJson, limit } of queries) {
          const { havingJson, ...rest } = query;
          const having = havingJson === undefined ? {} : { having: parseJsonFilter(havingJson, '/having') };
          const request = { ...rest, ...having, limit, count: 'none' as const };
          const { plan } = resolveGroups(request, object, { where: whereOf(filterJson) }, cursors, { now: NOW });
          const wanted = evaluateGroups({ ...plan, limit: Infinity }, rows).map((group) =>
            comparable(
              [...plan.groups, ...plan.aggregates].map(({ output }) => output),
              group,
            ),
          );
          expect({ query, groups: walkGroups({ ...plan, from }, docs) }).toEqual({ query, groups: wanted });
        }
      }),
      fuzz(50),
    );
  });

  function comparable(outputs: readonly ColumnSchema[], group: Readonly<Record<string, CellValue>>): unknown {
    return outputs.map((output) => {
      const value = group[output.key] ?? null;
      return value === null ? null : identityOf(kindOf(output), value as string);
    });
  }

  function walkGroups(plan: SourceGroups, docs: readonly Doc[]): unknown[] {
    const found: unknown[] = [];
    for (let after: SourceGroups['after'], pages = 0; pages < 100; pages++) {
      const page = compileMongoGroups(after ? { ...plan, after } : plan);
      const rows = aggregate(sent(page.pipeline), docs);
      const shown = rows.slice(0, plan.limit);
      for (const row of shown) {
        const outputs = [...page.groups, ...page.values];
        const group = Object.fromEntries(
          outputs.map(({ name, column }) => [column.key, JSON.parse(cellJson(row[name], kindOf(column).type)) as CellValue]),
        ); // prettier-ignore
        found.push(comparable(outputs.map(({ column }) => column), group)); // prettier-ignore
      }
      const last = shown.at(-1);
      if (rows.length <= plan.limit || !last) return found;
      after = page.keys.map((form, i) => positionValue(last[`k${i}`], form));
    }
    throw new Error('the pages do not end');
  }

  it('keeps numbers as they are shown', () => {
    expect([trimmed('1.500'), trimmed('100'), trimmed('2.0')]).toEqual(['1.5', '100', '2']);
  });
});
