import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { must, newId } from '../../common/index.js';
import { arbitrary, canonical, column, everyType, fuzz, NOW, table, writeContext } from '../../../test/query/index.js';
import { parseJsonFilter } from '../filter/json-filter.js';
import type { Operand, OrderTerm } from '../plan.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { resolveFilter } from '../resolve/resolve-filter.js';
import { toStatement, type Sql } from '../sql.js';
import type { RowOp, RowWrite } from '../write-plan.js';
import { compileCondition } from './condition.js';
import { retireColumn } from './alter-column.js';
import { addColumn, createTable } from './ddl.js';
import { compileRead } from './read.js';
import { sayCreates } from './creates.js';
import { compileWrite } from './write.js';

const text = (fragment: Sql): string => toStatement(fragment).text;
const texts = (fragments: readonly Sql[]): string[] => fragments.map(text);

const by = (term: ColumnSchema | 'id', dir: 'asc' | 'desc'): OrderTerm => {
  const operand: Operand = term === 'id' ? { kind: 'id' } : { kind: 'column', column: term };
  return { by: operand, dir };
};

describe('a condition', () => {
  const deals = everyType();

  it('holds no text of the request but in its values', () => {
    const marked = 'zzMARKzz';
    for (const op of ['eq', 'neq', 'contains', 'startsWith', 'gt'])
      expect(
        text(
          compileCondition(
            resolveFilter(parseJsonFilter({ field: 'name', op, value: marked }, ''), deals, { now: NOW }),
          ),
        ),
      ).not.toContain(marked);
    fc.assert(
      fc.property(arbitrary.filter(deals), (json) => {
        const compiled = text(compileCondition(resolveFilter(parseJsonFilter(json, '/filter'), deals, { now: NOW })));
        const jsonTypes = /'(?:string|number|boolean|null)'|'\{\}'|collate "C"|::(?:numeric|boolean)/g;
        const ours = compiled.replaceAll(/"t"\."[a-z_]+"|\$\d+::[a-z]+(\[\])?|"und-x-icu"/g, '');
        expect(ours.replaceAll(jsonTypes, '').replaceAll(/'(?:%|ς|σ|)'/g, '')).toMatch(/^[a-z_\s(),=<>&@#]*$/);
      }),
      fuzz(300),
    );
  });

  it('keeps wildcards ordinary', () => {
    const { values } = toStatement(
      compileCondition({ kind: 'match', column: must(deals.columns[0], 'name'), mode: 'contains', text: '50%_\\' }),
    );
    expect(values).toEqual(['%50\\%\\_\\\\%']);
  });
});

describe('a read', () => {
  const deals = everyType();
  const plan = { from: deals, select: deals.columns, where: { kind: 'true' }, limit: 50, count: 'none' } as const;

  it('has one text for each shape, so that it is prepared once', () => {
    const order = [by(must(deals.columns[3], 'qty'), 'asc'), by('id', 'asc')];
    const pages = [
      [1, 'x'],
      [2, 'y'],
      [-5, 'z'],
    ].map((after) => text(compileRead({ ...plan, orderBy: order, after }).sql));
    expect(new Set(pages).size).toBe(1);
    const filters = ['a', "b' or true --"].map((value) =>
      text(
        compileRead({
          ...plan,
          orderBy: order,
          where: { kind: 'compare', column: must(deals.columns[0], 'name'), op: 'eq', value },
        }).sql,
      ),
    );
    expect(new Set(filters).size).toBe(1);
  });
});

describe('a write', () => {
  const deals = everyType();
  const values = (table: TableSchema, fields: Readonly<Record<string, unknown>>) =>
    new Map(table.columns.filter(({ key }) => key in fields).map((each) => [each, canonical(each, fields[each.key])]));
  const create = (fields: Readonly<Record<string, unknown>>): RowOp => ({
    kind: 'create',
    id: newId(),
    values: values(deals, fields),
  });
  const update = (fields: Readonly<Record<string, unknown>>, expectedVersion?: number): RowOp => ({
    kind: 'update',
    id: newId(),
    values: values(deals, fields),
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  });
  const remove = (): RowOp => ({ kind: 'delete', id: newId() });
  const write = (...ops: RowOp[]): RowWrite => ({ context: writeContext(), atomic: true, ops });
  const compiled = (...writes: RowWrite[]) => text(compileWrite(deals, writes));

  it('has one text for each shape, whatever the values, the rows, the people and how many', () => {
    expect(compiled(write(create({ title: 'a' })))).toBe(
      compiled(write(create({ title: "b'; --", qty: 3 }), create({ title: '' })), write(create({ title: 'c' }))),
    );
    expect(compiled(write(update({ qty: 1 })))).toBe(
      compiled(write(update({ qty: null }, 7)), write(update({ qty: 2 }), update({ qty: 3 }))),
    );
    expect(compiled(write(remove()))).toBe(compiled(write(remove(), remove())));
    // The columns of two updates together make the shape, not their order.
    expect(compiled(write(update({ qty: 1, name: 'x' })))).toBe(
      compiled(write(update({ name: 'y' })), write(update({ qty: 2 }))),
    );
  });

  it('has another text for another shape', () => {
    const shapes = [
      [write(create({ title: 'a' }))],
      [write(update({ qty: 1 }))],
      [write(update({ name: 'x' }))],
      [write(update({}))],
      [write(remove())],
      [write(create({ title: 'a' }), remove())],
      [write(update({ qty: 1 }), remove())],
    ];
    expect(new Set(shapes.map((writes) => compiled(...writes))).size).toBe(shapes.length);
  });

  it('holds no value in its text', () => {
    const marked = 'zzMARKzz';
    const context = writeContext({ actorName: marked, clientId: marked, requestId: marked });
    const ops = [create({ title: marked, name: marked }), update({ name: marked, notes: marked })];
    expect(compiled({ context, atomic: false, ops })).not.toContain(marked);
  });

  it('refuses values of another copy of the metadata, instead of leaving them out', () => {
    const again = { ...deals, columns: deals.columns.map((each) => ({ ...each })) };
    const op: RowOp = { kind: 'create', id: newId(), values: values(again, { title: 'a' }) };
    expect(() => compileWrite(deals, [write(op)])).toThrow(/must/);
  });
});

describe('new rows that are told without PostgreSQL', () => {
  const deals = table([
    column('name', 'text'),
    column('fee', 'currency', { options: { scale: 2 } }),
    column('extra', 'json'),
    column('tags', 'multi_select'),
  ]);
  const create = (fields: Readonly<Record<string, unknown>>): RowOp => ({
    kind: 'create',
    id: newId(),
    values: new Map(
      deals.columns.filter(({ key }) => key in fields).map((each) => [each, canonical(each, fields[each.key])]),
    ),
  });
  const write = (...ops: RowOp[]): RowWrite => ({ context: writeContext(), atomic: true, ops });
  const said = (...writes: RowWrite[]) => sayCreates(deals, writes);

  it('have one statement, whatever the values and how many, and no value in its text', () => {
    const marked = 'zzMARKzz';
    const one = must(said(write(create({ name: marked }))), 'said');
    const more = must(
      said(write(create({}), create({ fee: '1', tags: ['won'] })), write(create({ name: '"' }))),
      'said',
    );
    expect(text(one.statement)).toBe(text(more.statement));
    expect(text(one.statement)).not.toContain(marked);
    expect(one.fields).toEqual([[`{"name":"${marked}","fee":null,"extra":null,"tags":[]}`]]);
    expect(more.fields[0]?.[1]).toBe('{"name":null,"fee":"1.00","extra":null,"tags":["won"]}');
  });

  it('are left to PostgreSQL where only it can tell', () => {
    expect(said(write(create({ extra: { b: 1, a: 2 } })))).toBeUndefined();
    expect(said(write(create({})), write({ kind: 'delete', id: newId() }))).toBeUndefined();
    expect(said(write())).toBeUndefined();
    // A default of the time when there were more digits, which PostgreSQL rounds.
    const fee = must(deals.columns[1], 'fee');
    expect(said(write({ kind: 'create', id: newId(), values: new Map([[fee, '1.005']]) }))).toBeUndefined();
    // Another copy of the metadata.
    expect(said(write({ kind: 'create', id: newId(), values: new Map([[{ ...fee }, '1']]) }))).toBeUndefined();
    for (const computed of [column('nr', 'autonumber'), column('at', 'created_at', { derived: { kind: 'system' } })])
      expect(
        sayCreates(table([computed]), [write({ kind: 'create', id: newId(), values: new Map() })]),
      ).toBeUndefined();
  });
});

describe('structure statements', () => {
  const evil = `"; DROP TABLE x; --'`;

  it('quote every name that a person gave', () => {
    const made = table([column('a', 'text', { name: evil, default: evil, unique: true, required: true })]);
    const statements = [
      ...createTable({ ...made, name: evil }, newId()),
      ...addColumn(made, must(made.columns[0], 'one column')),
    ];
    for (const statement of texts(statements)) {
      const bare = statement.replaceAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, '');
      expect(bare).not.toMatch(/drop|--|;/i);
    }
  });

  it('retire a column so that nobody has to fill it', () => {
    const made = table([column('a', 'text', { unique: true, required: true })]);
    expect(texts(retireColumn(made, must(made.columns[0], 'one column'), '_old_a_x'))).toEqual([
      expect.stringContaining('drop constraint if exists "_rq_'),
      expect.stringContaining('drop not null'),
      expect.stringContaining('drop index'),
      expect.stringContaining('rename column "a" to "_old_a_x"'),
    ]);
  });
});
