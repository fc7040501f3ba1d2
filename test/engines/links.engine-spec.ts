import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must, newId, type Id } from '../../src/common/index.js';
import { LinksRefused, MiniDbViews, pgError, type Change } from '../../src/engines/index.js';
import {
  CursorCodec,
  evaluate,
  kindOf,
  parseJsonFilter,
  parseViewDefinition,
  resolveRead,
  resolveView,
  resolveViewRead,
  valueType,
  type ColumnSchema,
  type ReadPlan,
  type ReadRequest,
  type RowOp,
  type TableSchema,
} from '../../src/query/index.js';
import { arbitrary, fuzz, linkedFilter, NOW } from '../query/index.js';
import { replay } from '../support/changes.js';
import { makeLinkedBase, type LinkedBase } from './linked-base.js';
import { LinkedModel, linksOf } from './linked-model.js';
import { randomOf, some, type Random } from '../support/random.js';
import { randomOps } from './linked-writes.js';
import { create, nodes, readLog, remove, update, writeOf, type Node } from './store.js';

const cursors = new CursorCodec(Buffer.alloc(32, 7));

let a: Node;
let b: Node;
beforeAll(async () => {
  const [first, second] = await nodes(2);
  [a, b] = [must(first, 'two nodes'), must(second, 'two nodes')];
});

interface RowJson {
  readonly id: Id;
  readonly version: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

function planOf(from: TableSchema, { filterJson, ...rest }: Partial<ReadRequest> & { filterJson?: unknown } = {}) {
  const filter = filterJson === undefined ? {} : { filter: parseJsonFilter(filterJson, '/filter') };
  const request: ReadRequest = { sort: [], limit: 1000, count: 'none', ...filter, ...rest };
  return resolveRead(request, from, { where: { kind: 'true' } }, cursors, { now: NOW }).plan;
}

async function walk(plan: ReadPlan): Promise<RowJson[]> {
  const rows: RowJson[] = [];
  for (let next: ReadPlan['after'], pages = 0; pages < 1000; pages++) {
    const { data, next: behind } = await a.engine.read(next ? { ...plan, after: next } : plan);
    rows.push(...(JSON.parse(`[${String(data)}]`) as RowJson[]));
    if (!behind) return rows;
    next = behind;
  }
  throw new Error('the pages do not end');
}

const ids = (rows: readonly { readonly id: Id }[]): Id[] => rows.map(({ id }) => id);

/** How numbers are compared that may have zeros at their end. */
const plain = (column: ColumnSchema, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((each: unknown) => plain(column, each));
  const isDecimal = typeof value === 'string' && valueType(column).bind === 'numeric';
  return isDecimal && value.includes('.') ? value.replace(/\.?0+$/, '') : value;
};

/** As the API would give them, versions included. */
const expected = (model: LinkedModel, table: TableSchema): RowJson[] =>
  model
    .ids(table)
    .sort()
    .map((id) => ({
      id,
      version: must(model.version(table, id), 'a row of the model'),
      fields: Object.fromEntries(
        table.columns.map((column) => {
          const value = model.cell(table, id, column) ?? (kindOf(column).list ? [] : null);
          return [column.key, plain(column, value)];
        }),
      ),
    }));

const normal = (rows: readonly RowJson[], { columns }: TableSchema): RowJson[] =>
  rows.map(({ id, version, fields }) => ({
    id,
    version,
    fields: Object.fromEntries(columns.map((column) => [column.key, plain(column, fields[column.key])])),
  }));

/** Changes of what is written; what is computed from other rows changes without an entry of its own. */
function written(changes: readonly Change[], { columns }: TableSchema): Change[] {
  const keys = new Set(columns.filter(({ derived }) => !derived || derived.kind === 'link').map(({ key }) => key));
  const only = (fields: Change['before']): Change['before'] =>
    fields && Object.fromEntries(Object.entries(fields).filter(([key]) => keys.has(key)));
  return changes.map((change) => ({ ...change, before: only(change.before), after: only(change.after) }));
}

/** The log of the table from empty is what its page says of written fields and links. */
async function proveLog(table: TableSchema): Promise<readonly Change[]> {
  const changes = await readLog(a.log, table);
  const rows = replay(written(changes, table));
  const page = await walk(planOf(table));
  const stored = table.columns.filter(({ derived }) => !derived || derived.kind === 'link').map(({ key }) => key);
  const [replayed, read] = [
    [...rows].map(([id, { version, fields }]) => ({ id, version, fields: keep(fields, stored) })),
    page.map(({ id, version, fields }) => ({ id, version, fields: keep(fields, stored) })),
  ];
  expect(replayed.sort((x, y) => (x.id < y.id ? -1 : 1))).toEqual(read);
  return changes;
}

const keep = (fields: Readonly<Record<string, unknown>>, keys: readonly string[]) =>
  Object.fromEntries(keys.map((key) => [key, fields[key]]));

async function fill(random: Random, base: LinkedBase, writes: number): Promise<LinkedModel> {
  const model = new LinkedModel(base.all);
  for (let i = 0; i < writes; i++) {
    const table = must(base.all[Math.floor(random() * base.all.length)], 'three tables');
    const ops = randomOps(random, model, table);
    if (ops.length === 0) continue;
    model.apply(table, ops);
    const { ops: results, seq } = await (i % 2 ? a : b).writer.write(table, writeOf(ops));
    judgeAnswer(model, table, ops, results);
    const answers = new Map(results.map(({ id, json }) => [id, json]));
    for (const { op, rowId, after } of await a.log.read(table.physical.schema, table.id, seq - 1, 1))
      if (op === 'create') expect(after).toEqual((JSON.parse(answers.get(rowId ?? '') ?? '') as RowJson).fields);
  }
  return model;
}

/** The answer to a write says of its rows what a page says after it, of what is computed from other rows, too. */
function judgeAnswer(
  model: LinkedModel,
  table: TableSchema,
  ops: readonly RowOp[],
  results: readonly { readonly id: Id; readonly status: string; readonly json?: string }[],
): void {
  expect(results.map(({ id }) => id)).toEqual(ids(ops));
  const rows = new Map(expected(model, table).map((row) => [row.id, row]));
  for (const { id, json, status } of results) {
    expect(['ok', 'unchanged']).toContain(status);
    if (json === undefined) continue;
    expect(normal([JSON.parse(json) as RowJson], table)).toEqual([must(rows.get(id), 'a row that is not deleted')]);
  }
}

describe('random writes of linked rows', () => {
  it('leave both ends, their order, all that is computed, the versions and the logs as a model in memory has them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const base = await makeLinkedBase(a);
        const model = await fill(randomOf(seed), base, 25);
        for (const table of base.all) {
          expect(normal(await walk(planOf(table)), table)).toEqual(expected(model, table));
          await proveLog(table);
        }
      }),
      { ...fuzz(8), endOnFailure: true },
    );
  });
});

describe('pages of linked rows', () => {
  it('filter through links and by what is computed, sort by it and go on behind it, as the oracle does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const base = await makeLinkedBase(a);
        const model = await fill(randomOf(seed), base, 20);
        const rowIds = (table: TableSchema) => {
          const found = model.ids(table);
          return found.length > 0 ? found : [newId()];
        };
        for (const table of [base.deals, base.companies]) {
          const rows = model.evaluated(table);
          const queries = fc.sample(
            fc.record({
              filterJson: fc.option(linkedFilter(table, rowIds), { nil: undefined, freq: 5 }),
              search: fc.option(fc.constantFrom('a', 'B', 'open', 'σ', '%', 'a B'), { nil: undefined, freq: 1 }),
              sort: arbitrary.sort(table),
              limit: fc.integer({ min: 1, max: 5 }),
            }),
            { numRuns: 25, seed },
          );
          for (const { search, ...query } of queries) {
            const plan = planOf(table, { ...query, ...(search === undefined ? {} : { search }) });
            const wanted = ids(evaluate({ ...plan, limit: Infinity }, rows));
            expect({ query, search, rows: ids(await walk(plan)) }).toEqual({ query, search, rows: wanted });
          }
        }
      }),
      { ...fuzz(5), endOnFailure: true },
    );
  });
});

describe('the own filter of a view', () => {
  /** Ids of the rows that a view of the table has. */
  async function rowsOfView(table: TableSchema, filter: object, join: object): Promise<Id[]> {
    const definition = { source: { table: table.id }, as: 'own', filter, columns: [{ field: 'own._id', as: 'id' }], ...join }; // prettier-ignore
    const view = resolveView(parseViewDefinition(definition, ''), () => ({ kind: 'table', table }), '');
    const { plan } = resolveViewRead(view, { sort: [], limit: 1000, count: 'exact' }, { now: NOW });
    const { data, count } = await new MiniDbViews(a.database).read(plan);
    const found = (JSON.parse(`[${data}]`) as { fields: { id: Id } }[]).map(({ fields }) => fields.id);
    expect(count?.value).toBe(found.length);
    return found;
  }

  /** Each row with itself, so that every name is there twice. */
  const BESIDE = {
    joins: [{ type: 'inner', as: 'same', source: { table: 'it' }, on: [{ left: 'own._id', right: 'same._id' }] }],
  };

  /** The same filter about the columns of a place; what is behind links is called as it was. */
  function ofPlace(filter: object, as: string): object {
    const named = (name: unknown): string => `${as}.${String(name)}`;
    const parts = filter as Readonly<Record<string, unknown>>;
    if (Array.isArray(parts.and)) return { and: parts.and.map((item: object) => ofPlace(item, as)) };
    if (Array.isArray(parts.or)) return { or: parts.or.map((item: object) => ofPlace(item, as)) };
    if (parts.not) return { not: ofPlace(parts.not, as) };
    if (parts.link !== undefined) return { ...parts, link: named(parts.link) };
    return { ...parts, field: named(parts.field), ...(parts.valueField === undefined ? {} : { valueField: named(parts.valueField) }) }; // prettier-ignore
  }

  it('follows links as filters of the table do, beside other places of the view, too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const base = await makeLinkedBase(a);
        const model = await fill(randomOf(seed), base, 20);
        const rowIds = (table: TableSchema) => [...model.ids(table), newId()];
        for (const table of [base.deals, base.companies]) {
          const rows = model.evaluated(table);
          const filters = fc.sample(linkedFilter(table, rowIds), { numRuns: 20, seed });
          for (const filter of filters) {
            const wanted = (asked: object): Id[] => ids(evaluate({ ...planOf(table, { filterJson: asked }), limit: Infinity }, rows)); // prettier-ignore
            const all = wanted(filter);
            expect({ filter, rows: await rowsOfView(table, filter, {}) }).toEqual({ filter, rows: all });
            expect({ filter, rows: await rowsOfView(table, ofPlace(filter, 'own'), BESIDE) }).toEqual({
              filter,
              rows: all,
            });
          }
        }
      }),
      { ...fuzz(4), endOnFailure: true },
    );
  });
});

describe('one write', () => {
  it('gives the only row of a deleted one to another', async () => {
    const { deals, companies } = await makeLinkedBase(a);
    const [deal, old, heir] = [newId(), newId(), newId()];
    await a.writer.write(deals, writeOf([create(deals, {}, deal)]));
    await a.writer.write(companies, writeOf([create(companies, { deals: [deal] }, old), create(companies, {}, heir)]));
    await a.writer.write(companies, writeOf([remove(old), update(companies, heir, { deals: [deal] })]));
    expect((await walk(planOf(deals)))[0]?.fields.company).toEqual([heir]);
    for (const table of [deals, companies]) await proveLog(table);
  });

  it('answers without the rows that it deletes', async () => {
    const { deals } = await makeLinkedBase(a);
    const [kept, gone] = [newId(), newId()];
    await a.writer.write(deals, writeOf([create(deals, {}, kept), create(deals, {}, gone)]));
    await a.writer.write(deals, writeOf([update(deals, kept, { related: [gone] })]));
    const { ops } = await a.writer.write(deals, writeOf([update(deals, kept, { qty: 1 }), remove(gone)]));
    expect(JSON.parse(ops[0]?.json ?? '')).toMatchObject({ version: 3, fields: { qty: 1, related: [] } });
    await proveLog(deals);
  });

  it('puts several rows behind those that a row is linked with, in the order of the ops', async () => {
    const { deals, tags } = await makeLinkedBase(a);
    const [tag, ...rows] = Array.from({ length: 6 }, newId);
    const backwards = rows.toReversed();
    await a.writer.write(tags, writeOf([create(tags, {}, must(tag, 'six ids'))]));
    await a.writer.write(deals, writeOf(rows.map((id) => create(deals, {}, id))));
    await a.writer.write(deals, writeOf(backwards.map((id) => update(deals, id, { tags: [tag] }))));
    expect((await walk(planOf(tags)))[0]?.fields.deals).toEqual(backwards);
    await proveLog(tags);
  });
});

describe('a link of a table with itself that one write changes from both ends', () => {
  const listed = (value: unknown): Id[] => (value ?? []) as Id[];
  /** A list of links as a log entry says that it is, or was, from what it is on the other side of the change. */
  const told = (value: unknown, from: readonly Id[]): Id[] => {
    if (Array.isArray(value)) return value as Id[];
    const { $add, $remove } = value as { readonly $add: readonly Id[]; readonly $remove: readonly Id[] };
    return [...from.filter((id) => !$remove.includes(id)), ...$add];
  };

  /** Writes, and holds the entry of the row to its promise: from before it leads to after it, and back. */
  async function expectTold(table: TableSchema, id: Id, key: string, ops: readonly RowOp[]): Promise<Change> {
    const list = async () => listed((await walk(planOf(table))).find((row) => row.id === id)?.fields[key]);
    const before = await list();
    await a.writer.write(table, writeOf(ops));
    const after = await list();
    const entry = must(
      (await readLog(a.log, table)).findLast(({ rowId }) => rowId === id),
      'the row has an entry',
    );
    expect(told(entry.after?.[key], before)).toEqual(after);
    expect(told(entry.before?.[key], after).sort()).toEqual(before.sort());
    return entry;
  }

  async function linked(table: TableSchema, key: string, many = 101): Promise<{ row: Id; others: Id[]; free: Id }> {
    const [row, free, ...others] = Array.from({ length: many + 2 }, newId) as [Id, Id, ...Id[]];
    await a.writer.write(table, writeOf([row, free, ...others].map((id) => create(table, {}, id))));
    await a.writer.write(table, writeOf([update(table, row, { [key]: others })]));
    return { row, others, free };
  }

  it('is told whole: first from its own end, then from the other', async () => {
    const { deals } = await makeLinkedBase(a);
    const { row, others, free } = await linked(deals, 'related');
    const ops = [update(deals, row, { related: others.toReversed() }), update(deals, free, { related_by: [row] })];
    const { after } = await expectTold(deals, row, 'related', ops);
    expect(after?.related).toEqual([...others.toReversed(), free]);
  });

  it('is told whole: first from the other end, then from its own', async () => {
    const { deals } = await makeLinkedBase(a);
    const { row, others, free } = await linked(deals, 'related_by');
    const [kept] = others;
    const ops = [update(deals, free, { related: [row] }), update(deals, row, { related_by: [kept, row] })];
    const { after } = await expectTold(deals, row, 'related_by', ops);
    expect(after?.related_by).toEqual([kept, row]);
  });

  it.each([
    [102, 'in parts, both times'],
    [101, 'in parts, then in full'],
  ])('is told whole: of %i rows, twice by what others do, %s', async (many) => {
    const { companies } = await makeLinkedBase(a);
    const { row, others, free } = await linked(companies, 'children', many);
    const [orphan, adopted] = others as [Id, Id];
    const ops = [update(companies, orphan, { parent: [] }), update(companies, free, { children: [adopted] })];
    const { after } = await expectTold(companies, row, 'children', ops);
    expect(after?.children).toEqual(many > 101 ? { $add: [], $remove: [orphan, adopted] } : others.slice(2));
  });
});

describe('a sum of durations', () => {
  it('that no number can hold is no value, and fails no page', async () => {
    const { deals, companies } = await makeLinkedBase(a);
    const company = newId();
    await a.writer.write(companies, writeOf([create(companies, {}, company)]));
    const longest = Array.from({ length: 1100 }, () =>
      create(deals, { spent: Number.MAX_SAFE_INTEGER, company: [company] }),
    );
    await a.writer.write(deals, writeOf(longest.slice(0, 1)));
    expect((await walk(planOf(companies)))[0]?.fields.spent).toBe(Number.MAX_SAFE_INTEGER);
    await a.writer.write(deals, writeOf(longest.slice(1)));
    expect((await walk(planOf(companies)))[0]?.fields.spent).toBeNull();
  });
});

describe('writers of both ends at once', () => {
  it('never see a deadlock, and leave ends that agree, logs without a hole and no link to a row in the trash', async () => {
    const base = await makeLinkedBase(a);
    const { deals, companies } = base;
    const fresh = (table: TableSchema): RowOp[] => Array.from({ length: 16 }, () => create(table, { name: 'x' }));
    for (const table of base.all)
      await a.writer.write(table, writeOf(table === base.tags ? [create(table, {})] : fresh(table)));
    const shared = new Map<TableSchema, Id[]>();
    for (const table of [deals, companies]) shared.set(table, ids(await walk(planOf(table))));
    const rowsOf = (table: TableSchema) => must(shared.get(table), 'a table with shared rows');
    const outcomes: string[] = [];

    const linker = async (which: number) => {
      const random = randomOf(which + 1);
      const { writer } = which % 2 ? a : b;
      for (let i = 0; i < 12; i++) {
        const table = random() < 0.5 ? deals : companies;
        const links = linksOf(table).filter(({ derived }) => derived.link.target !== base.tags);
        const used = new Set<Id>();
        const ops = some(random, rowsOf(table), 4).map((id): RowOp => {
          if (random() < 0.04) return remove(id);
          const { key, derived } = must(links[Math.floor(random() * links.length)], 'a link');
          const list = some(random, rowsOf(derived.link.target), derived.link.single ? 1 : 3).filter(
            (each) => !used.has(each),
          );
          for (const each of list) used.add(each);
          return update(table, id, { [key]: list });
        });
        if (ops.length > 0) outcomes.push(await outcome(writer.write(table, writeOf(ops, random() < 0.3))));
      }
    };
    // These know nothing of links, and take their rows in an order of their own.
    const plainWriter = async (which: number) => {
      const random = randomOf(1000 + which);
      const { writer } = which % 2 ? a : b;
      for (let i = 0; i < 15; i++) {
        const table = random() < 0.5 ? deals : companies;
        const ops = some(random, rowsOf(table), 12).map((id) => update(table, id, { name: `${which} ${i}` }));
        if (ops.length > 0) outcomes.push(await outcome(writer.write(table, writeOf(ops, false))));
      }
    };
    const codes = [watchErrors(a), watchErrors(b)];
    await Promise.all([
      ...Array.from({ length: 10 }, (_, i) => linker(i)),
      ...Array.from({ length: 8 }, (_, i) => plainWriter(i)),
    ]);

    expect(codes.flat()).toEqual([]);
    expect(new Set(outcomes)).toEqual(new Set(['done', 'refused']));
    const pages = new Map<TableSchema, ReadonlyMap<Id, RowJson>>();
    for (const table of base.all) {
      await proveLog(table);
      pages.set(table, new Map((await walk(planOf(table))).map((row) => [row.id, row])));
    }
    for (const table of base.all)
      for (const { id, fields } of pages.get(table)?.values() ?? [])
        for (const { key, derived } of linksOf(table))
          for (const theirs of fields[key] as Id[])
            expect(pages.get(derived.link.target)?.get(theirs)?.fields[derived.link.inverseKey]).toContain(id);
  });
});

/** The SQLSTATE of every error that the node's database answers from now on, also of those that a retry hides. */
function watchErrors({ database }: Node): string[] {
  const codes: string[] = [];
  const watched = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      const code = pgError(error)?.code;
      if (code !== undefined) codes.push(code);
      throw error;
    }
  };
  const [query, transaction] = [database.query.bind(database), database.transaction.bind(database)];
  database.query = (statement) => watched(query(statement));
  database.transaction = (work, options) => watched(transaction(work, options));
  return codes;
}

/** `refused`: a row to link to was gone. Anything else that fails, fails the test. */
async function outcome(write: Promise<unknown>): Promise<string> {
  try {
    await write;
    return 'done';
  } catch (error) {
    if (error instanceof LinksRefused) return 'refused';
    throw error;
  }
}
