import { describe, expect, it } from '@jest/globals';
import { Problem } from '../../common/index.js';
import { column, everyType, NOW, table } from '../../../test/query/index.js';
import { compileGroups } from '../compile/groups.js';
import { parseJsonFilter } from '../filter/json-filter.js';
import type { GroupPlan } from '../group-plan.js';
import { CursorCodec } from '../keyset.js';
import { kindOf } from '../kind.js';
import type { Condition } from '../plan.js';
import { toStatement } from '../sql.js';
import { resolveGroups, type GroupRequest } from './resolve-groups.js';

const DEALS = everyType();
const cursors = new CursorCodec(Buffer.alloc(32, 1));
const COUNT = { as: 'n', fn: 'count' };

const resolve = (request: Partial<GroupRequest>, where: Condition = { kind: 'true' }, of = DEALS) =>
  resolveGroups(
    { groupBy: [], aggregates: [], sort: [], limit: 50, count: 'none', timeZone: 'UTC', ...request },
    of,
    { where },
    cursors,
    { now: NOW },
  );

function findings(request: Partial<GroupRequest>): (string | undefined)[] {
  try {
    resolve(request);
  } catch (error) {
    if (error instanceof Problem) return (error.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`);
    throw error;
  }
  throw new Error('nothing was refused');
}

const order = ({ orderBy }: GroupPlan) =>
  orderBy.map(({ by, dir }) => `${by.kind === 'column' ? by.column.key : 'id'} ${dir}`);
const kinds = ({ groups, aggregates }: GroupPlan) =>
  Object.fromEntries(
    [...groups, ...aggregates].map(({ output }) => {
      const { type, list } = kindOf(output);
      return [output.key, list ? `${type}[]` : type];
    }),
  );

describe('resolveGroups', () => {
  it('gives every group and aggregate the kind of its values, which for functions is that of rollups', () => {
    const groupBy = [
      { field: 'tags' },
      { field: 'who' },
      { field: 'due', bucket: 'week' },
      { field: 'seen', bucket: 'hour' },
      { field: 'seen', bucket: 'day', as: 'day' },
    ];
    const of = (as: string, fn: string, field: string) => ({ as, fn, field });
    const aggregates = [
      COUNT,
      of('notes_n', 'count', 'extra'),
      of('tags_n', 'countDistinct', 'tags'),
      of('qty', 'sum', 'qty'),
      of('fees', 'sum', 'fee'),
      of('time', 'sum', 'spent'),
      of('mean', 'avg', 'spent'),
      of('best', 'max', 'status'),
      of('first', 'min', 'seen'),
      of('tag', 'min', 'tags'),
    ];
    expect(kinds(resolve({ groupBy, aggregates }).plan)).toEqual({
      tags: 'single_select[]', who: 'user', due: 'date', seen: 'datetime', day: 'date',
      n: 'integer', notes_n: 'integer', tags_n: 'integer', qty: 'decimal', fees: 'currency', time: 'duration', mean: 'decimal',
      best: 'single_select', first: 'datetime', tag: 'single_select',
    }); // prettier-ignore
  });

  it('ends every order with the groups, in the direction of the last key', () => {
    const groupBy = [{ field: 'status' }, { field: 'qty' }];
    expect(order(resolve({ groupBy }).plan)).toEqual(['status asc', 'qty asc']);
    expect(order(resolve({ groupBy, sort: [{ field: 'qty', dir: 'desc' }] }).plan)).toEqual([
      'qty desc',
      'status desc',
    ]);
    const sort = [{ field: 'n', dir: 'desc' }, { field: 'status', dir: 'asc' }] as const; // prettier-ignore
    expect(order(resolve({ groupBy, aggregates: [COUNT], sort }).plan)).toEqual(['n desc', 'status asc', 'qty asc']);
    expect(order(resolve({ aggregates: [COUNT] }).plan)).toEqual([]);
  });

  it('ANDs what the caller may see into the rows, whatever is asked of their groups', () => {
    const mine = { kind: 'isNull', column: DEALS.columns[0] } as unknown as Condition;
    const filter = parseJsonFilter({ or: [{ field: 'qty', op: 'gt', value: 1 }] }, '/filter');
    const having = parseJsonFilter({ field: 'n', op: 'gt', value: 1 }, '/having');
    expect(resolve({ aggregates: [COUNT], having }, mine).plan.where).toBe(mine);
    expect(resolve({ aggregates: [COUNT], filter }, mine).plan.where).toMatchObject({
      kind: 'and',
      items: [mine, { kind: 'or' }],
    });
  });

  it('names columns of a list kind by their elements where a filter of groups does not fit', () => {
    const having = parseJsonFilter({ field: 'tags', op: 'eq', value: 'open' }, '/having');
    expect(findings({ groupBy: [{ field: 'tags' }], having })).toEqual(['/having/op unknown_operator']);
  });

  it('groups by every column but JSON and files', () => {
    const files = table([column('files', 'attachment'), ...DEALS.columns]);
    const refused = files.columns.filter(({ key: field }) => {
      try {
        resolve({ groupBy: [{ field }] }, undefined, files);
        return false;
      } catch {
        return true;
      }
    });
    expect(refused.map(({ key }) => key)).toEqual(['files', 'extra']);
  });

  it('takes a cursor on with the same question only', () => {
    const asked: Partial<GroupRequest> = { groupBy: [{ field: 'seen', bucket: 'day' }], aggregates: [COUNT] };
    const { query } = resolve(asked);
    const cursor = cursors.seal(query, ['2026-11-22']);
    expect(resolve({ ...asked, cursor, limit: 3, count: 'exact' }).plan.after).toEqual(['2026-11-22']);
    for (const other of [
      { timeZone: 'Europe/Berlin' },
      { groupBy: [{ field: 'seen', bucket: 'week' }] },
      { aggregates: [{ ...COUNT, field: 'qty' }] },
      { having: parseJsonFilter({ field: 'n', op: 'gt', value: 1 }, '/having') },
      { filter: parseJsonFilter({ field: 'qty', op: 'gt', value: 1 }, '/filter') },
      { sort: [{ field: 'seen', dir: 'desc' as const }] },
    ])
      expect(() => resolve({ ...asked, ...other, cursor })).toThrow(
        expect.objectContaining({ code: 'cursor_mismatch' }),
      );
  });
});

describe('the statement of a plan for groups', () => {
  const request: Partial<GroupRequest> = {
    groupBy: [{ field: 'seen', bucket: 'day', as: 'zzMARKzz' }],
    aggregates: [{ as: 'yyMARKyy', fn: 'max', field: 'name' }],
    having: parseJsonFilter({ field: 'yyMARKyy', op: 'contains', value: 'xxMARKxx' }, '/having'),
    timeZone: 'Europe/MARK',
  };

  it('has values of the request in its parameters, and its names where they are keys of the answer', () => {
    const { text } = toStatement(compileGroups(resolve(request).plan));
    expect(text.match(/.{3}\w*MARK.{5}/g)).toEqual([`'{"zzMARKzz":'`, `'{"yyMARKyy":'`].map((key) => expect.stringContaining(key.slice(1, 8)))); // prettier-ignore
    expect(text).not.toContain('xxMARKxx');
    expect(text).not.toContain('Europe');
  });

  it('computes a column that several aggregates are of, and the groups themselves, once', () => {
    const aggregates = ['sum', 'avg', 'max'].map((fn) => ({ as: fn, fn, field: 'amount' }));
    const { text } = toStatement(
      compileGroups(resolve({ groupBy: [{ field: 'status' }], aggregates, count: 'exact' }).plan),
    );
    expect(text.match(/"t"\."amount"/g)).toHaveLength(1);
    expect(text.match(/group by/g)).toHaveLength(1);
  });
});
