import { beforeAll, describe, it, expect, jest } from '@jest/globals';
import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { expectStatus, startApp, world } from '../harness/index.js';
import { startMongo } from '../harness/mongo/index.js';
import { FormulasOfObject } from '../support/formulas-of-object.js';

jest.setTimeout(120_000);

let formulas: FormulasOfObject;

const DOCUMENTS = [
  { id: 1, t: 'Straße', i: 7, l: Long.fromString('9007199254740993'), d: Decimal128.fromString('12.50'), x: 0.1, ok: true, at: new Date('2026-02-28T23:59:59.999Z'), by: new ObjectId('0123456789abcdef01234567') },
  { id: 2, t: '', i: -7, l: Long.fromString('-9223372036854775808'), d: Decimal128.fromString('12.5'), x: -2.5, ok: false, at: new Date('0001-01-01T00:00:00Z') },
  { id: 3, t: 'straße', i: 0, l: Long.fromNumber(5), d: Decimal128.fromString('NaN'), x: Infinity, at: new Date(-70_000_000_000_000) },
  { id: 4, t: '🎈 z', i: 2147483647, d: Decimal128.fromString('1E+40'), x: 1e-20, ok: null, at: new Date('9999-12-31T23:59:59.999Z') },
  { id: 5, t: 'Ab', d: Decimal128.fromString('0.0000000000000000005'), x: 16777217.5 },
  { id: 6 },
]; // prettier-ignore

/** Comes when the columns are known already. */
const STRANGE = { id: new Int32(7), l: true, d: [1], x: 'x', at: 'never' };

/** All that MongoDB has an exact form of. */
const FORMULAS = [
  '{t} & "|" & {id}',
  '{t}',
  '{t} = "straße"',
  'CONTAINS({t}, "STRA")',
  'LEFT({t}, 1)',
  'RIGHT({t}, 2) & MID({t}, 2, 2)',
  'LEN({t})',
  '{i} + {id}',
  '{i} * {i}',
  '{i} / 3',
  '1 / {i}',
  'IFERROR(1 / {i}, -1)',
  '-{i} % 4',
  'ROUND({i} / 2)',
  'ABS({i}) > 3',
  '{d}',
  '{d} > 12',
  'ISERROR({d})',
  'ISBLANK({x})',
  '{x}',
  '{l}',
  'COALESCE({d}, {id})',
  'IF({ok}, {t}, "no")',
  'AND({ok}, {i} > 0)',
  'NOT({ok})',
  'SWITCH({i}, 7, "a", -7, "b", "c")',
  'YEAR({at})',
  'IF({id} > 2, {at})',
  '{by} & "!"',
  '"" & {at}',
];

beforeAll(async () => {
  const [{ base }, mongo] = await Promise.all([startApp(), startMongo()]);
  const at = await world(base);
  await mongo.load('odd', DOCUMENTS.map(({ id, x, ...rest }) => ({ id: new Int32(id), ...(x === undefined ? {} : { x: new Double(x) }), ...rest }))); // prettier-ignore
  const { host, port, database, username, password } = mongo;
  const body = { name: 'Mongo', engine: 'mongodb', host, port, database, username, password };
  const made = await at.owner.post<{ id: string }>(`/workspaces/${at.workspace.id}/connections`, body);
  formulas = new FormulasOfObject(at, { connection: expectStatus(made, 201).id, object: 'odd' });
  expect(await formulas.tierOf('{t}')).toBe('push-down');
  await mongo.load('odd', [STRANGE]);
});

describe('formulas of a view of a MongoDB', () => {
  it('are what memory makes of them, where rows are sorted, grouped and filtered by them', async () => {
    await formulas.expectPushedDown(FORMULAS);
  });

  it('go to the mini-DB where that database has no exact form of them', async () => {
    expect(await formulas.tierOf('{id} ^ 2')).toBe('join-engine');
    expect(await formulas.tierOf('UPPER({t})')).toBe('join-engine');
  });
});
