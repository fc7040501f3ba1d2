import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must } from '../../src/common/index.js';
import type { ExternalEngine } from '../../src/engines/index.js';
import {
  CursorCodec,
  evaluate,
  evaluateGroups,
  identityOf,
  kindOf,
  Objects,
  parseCell,
  parseJsonFilter,
  resolveSource,
  resolveSourceGroups,
  resolveSourceRead,
  type CellValue,
  type ColumnSchema,
  type EvaluatedRow,
  type ObjectSchema,
  type ObjectSource,
  type Scalar,
  type SourceGroups,
  type SourceRead,
  type TableSchema,
} from '../../src/query/index.js';
import { arbitrary, column, fuzz, groupQuery, NOW, table } from '../query/index.js';

/** What the external table of the conformance tests has, in this order; `id` is its key. */
export const MODEL: TableSchema = table([
  column('id', 'integer', { required: true }),
  column('name', 'text'),
  column('country', 'text'),
  column('qty', 'integer'),
  column('big', 'decimal', { options: { scale: 0 } }),
  column('amount', 'decimal', { options: { scale: 2 } }),
  column('due', 'date'),
  column('ends', 'date'),
  column('seen', 'datetime'),
  column('active', 'boolean'),
]);

/** An engine with a table like {@link MODEL}. */
export interface ExternalStore {
  readonly engine: ExternalEngine;
  readonly object: ObjectSchema;
  /** Puts these rows in the place of those that are there; values are canonical. */
  readonly fill: (rows: readonly Readonly<Record<string, Scalar>>[]) => Promise<void>;
}

const cursors = new CursorCodec(Buffer.alloc(32, 7));

/** What fits into a 32-bit integer, a 64-bit one and a decimal of 20 digits. */
const FITS: Readonly<Record<string, (value: Scalar) => boolean>> = {
  qty: (value) => Math.abs(Number(value)) < 2 ** 31,
  big: (value) => /^-?\d{1,18}$/.test(String(value)),
  amount: (value) => /^-?\d{1,15}(\.\d+)?$/.test(String(value)),
};

const anyRow = arbitrary.fields(table(MODEL.columns.slice(1))).map((fields) =>
  Object.fromEntries(
    MODEL.columns.slice(1).map((each) => {
      const parsed = parseCell(fields[each.key] ?? null, each);
      const value = parsed.ok ? (parsed.value as Scalar) : null;
      return [each.key, value === null || (FITS[each.key]?.(value) ?? true) ? value : null];
    }),
  ),
);

const rowsOf = (fields: readonly Readonly<Record<string, Scalar>>[]): readonly Readonly<Record<string, Scalar>>[] =>
  fields.map((row, i) => ({ id: i + 1, ...row }));

/** The same for values that are equal, whatever their notation. */
const plain = (of: ColumnSchema, value: CellValue): CellValue =>
  typeof value === 'string' ? identityOf(kindOf(of), value) : value;

const comparable = (columns: readonly ColumnSchema[], values: Readonly<Record<string, CellValue | undefined>>) =>
  Object.fromEntries(columns.map((each) => [each.key, plain(each, values[each.key] ?? null)]));

async function pages<P extends SourceRead | SourceGroups>(
  plan: P,
  read: (plan: P) => ReturnType<ExternalEngine['read']>,
): Promise<readonly Record<string, Record<string, CellValue>>[]> {
  const rows: Record<string, Record<string, CellValue>>[] = [];
  for (let at = plan, i = 0; i < 500; i++) {
    const { data, rows: found, next } = await read(at);
    const page = JSON.parse(`[${data}]`) as typeof rows;
    expect(page).toHaveLength(found);
    rows.push(...page);
    if (!next) return rows;
    expect(found).toBe(plan.limit);
    at = { ...at, after: next };
  }
  throw new Error('the pages do not end');
}

/** The same questions as all engines get, against what they mean in memory. */
export function conforms(open: () => Promise<ExternalStore>, runs = 12): void {
  const sourceOf = (object: ObjectSchema): ObjectSource =>
    resolveSource({ from: `${object.physical.schema}.${object.physical.table}`, joins: [] }, new Objects([object]));

  describe('answers as every engine does', () => {
    it('rows, for any filter, sort and limit, page by page', async () => {
      const { engine, object, fill } = await open();
      const source = sourceOf(object);
      const question = fc.record({
        filter: fc.option(arbitrary.filter(MODEL), { nil: undefined, freq: 6 }),
        sort: arbitrary.sort(MODEL),
        limit: fc.integer({ min: 1, max: 40 }),
      });
      const example = fc.record({
        rows: fc.array(anyRow, { minLength: 10, maxLength: 60 }),
        questions: fc.array(question, { minLength: 12, maxLength: 12 }),
      });
      await fc.assert(
        fc.asyncProperty(example, async (given) => {
          const rows = rowsOf(given.rows);
          await fill(rows);
          for (const { filter, ...rest } of given.questions) {
            const input = filter === undefined ? {} : { filter: parseJsonFilter(filter, '/filter') };
            const { plan } = resolveSourceRead(
              { ...input, ...rest, count: 'none' },
              source,
              engine.capabilities,
              cursors,
              { now: NOW },
            );
            const found = await pages(plan, (at) => engine.read(at));
            const wanted = evaluate(
              { ...plan, limit: Infinity },
              rows.map((fields): EvaluatedRow => ({ id: String(fields.id), fields })),
            );
            expect({
              filter,
              sort: rest.sort,
              rows: found.map(({ fields }) => comparable(source.columns, must(fields, 'fields'))),
            }).toEqual({
              filter,
              sort: rest.sort,
              rows: wanted.map(({ fields }) => comparable(source.columns, fields)),
            });
            const { count } = await engine.read({ ...plan, count: 'exact', limit: 1 });
            expect(count).toEqual({ mode: 'exact', value: wanted.length, relation: 'exact' });
          }
        }),
        { ...fuzz(runs), endOnFailure: true },
      );
    });

    it('groups, with their aggregates, filters and order', async () => {
      const { engine, object, fill } = await open();
      const source = sourceOf(object);
      const question = fc.record({
        query: groupQuery(MODEL, ({ key }, fn) => fn !== 'avg' || key === 'qty'),
        filter: fc.option(arbitrary.filter(MODEL), { nil: undefined, freq: 3 }),
        limit: fc.integer({ min: 1, max: 9 }),
      });
      const example = fc.record({
        rows: fc.array(anyRow, { minLength: 5, maxLength: 40 }),
        questions: fc.array(question, { minLength: 8, maxLength: 8 }),
      });
      await fc.assert(
        fc.asyncProperty(example, async (given) => {
          const rows = rowsOf(given.rows);
          await fill(rows);
          for (const { query, filter, limit } of given.questions) {
            const { havingJson, ...asked } = query;
            const request = {
              ...asked,
              timeZone: engine.capabilities.timeZones ? asked.timeZone : 'UTC',
              ...(filter === undefined ? {} : { filter: parseJsonFilter(filter, '/filter') }),
              ...(havingJson === undefined ? {} : { having: parseJsonFilter(havingJson, '/having') }),
              limit,
              count: 'none' as const,
            };
            const { plan } = resolveSourceGroups(request, source, engine.capabilities, cursors, { now: NOW });
            const outputs = [...plan.groups, ...plan.aggregates].map(({ output }) => output);
            const found = await pages(plan, (at) => engine.readGroups(at));
            const wanted = evaluateGroups(
              { ...plan, limit: Infinity },
              rows.map((fields): EvaluatedRow => ({ id: String(fields.id), fields })),
            );
            expect({
              request,
              groups: found.map(({ group, values }) => comparable(outputs, { ...group, ...values })),
            }).toEqual({
              request,
              groups: wanted.map((values) => comparable(outputs, values)),
            });
          }
        }),
        { ...fuzz(runs), endOnFailure: true },
      );
    });
  });
}
