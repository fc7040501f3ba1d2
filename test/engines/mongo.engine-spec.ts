import net from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Binary, Decimal128, Double, Int32, Long, ObjectId, UUID, type Document } from 'mongodb';
import { must, Problem } from '../../src/common/index.js';
import { MongoEngine } from '../../src/engines/external/mongodb/index.js';
import type { ExternalLimits, FoundObject, Outbound } from '../../src/engines/external/index.js';
import {
  CursorCodec,
  evaluate,
  evaluateGroups,
  identityOf,
  kindOf,
  parseJsonFilter,
  resolveFilter,
  resolveGroups,
  resolveSourceRead,
  type CellValue,
  type Condition,
  type ObjectColumn,
  type ObjectSchema,
  type OrderTerm,
  type SourceGroups,
  type SourceRead,
} from '../../src/query/index.js';
import { afterThisFile, tcpProxy, waitFor } from '../harness/index.js';
import { startMongo, type MongoStandIn, type TestMongo } from '../harness/mongo/index.js';
import { arbitrary, fuzz, groupQuery, NOW } from '../query/index.js';
import { ANYWHERE, fieldsOf, LIMITS, objectOf, readOf, sourceOf, target } from '../support/external.js';
import { documents, everyForm, rowsOf, sourceOf as modelSource } from '../support/mongo-model.js';

let mongo: TestMongo;
beforeAll(async () => {
  mongo = await startMongo();
}, 60_000);

interface Over extends Partial<ExternalLimits> {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly password?: string;
  readonly access?: 'read-only' | 'read-write';
  readonly outbound?: Outbound;
  readonly server?: TestMongo;
}

function engineOf({
  host,
  port,
  database,
  password,
  access = 'read-write',
  outbound = ANYWHERE,
  server = mongo,
  ...limits
}: Over = {}): MongoEngine {
  const engine = new MongoEngine(
    target({
      engine: 'mongodb',
      host: host ?? server.host,
      port: port ?? server.port,
      database: database ?? server.database,
      username: server.username,
      password: password ?? server.password,
      access,
    }),
    { ...LIMITS, ...limits },
    outbound,
  );
  afterThisFile(() => engine.close());
  return engine;
}

/** A collection of its own with these documents, as the engine finds it. */
async function loaded(name: string, docs: readonly Document[], engine = engineOf()): Promise<ObjectSchema> {
  await mongo.load(name, docs);
  return objectOf(await found(engine, name));
}

async function found(engine: MongoEngine, name: string): Promise<FoundObject> {
  const all = await engine.discover();
  return must(all.find((each) => each.name === name), 'the collection is found'); // prettier-ignore
}

const problemOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw new Error('a Problem was expected', { cause: error });
  expect(JSON.stringify(error.body())).not.toContain(mongo.password);
  return error.code;
};

const columnOf = (object: ObjectSchema, key: string): ObjectColumn =>
  must(object.columns.find((column) => column.key === key), `a column ${key}`); // prettier-ignore

const whereOf = (object: ObjectSchema, filterJson: unknown): Condition =>
  resolveFilter(parseJsonFilter(filterJson, '/filter'), object, { now: NOW });

describe('a MongoDB is found', () => {
  it('with its version, and refused with a wrong password, in words that tell nothing of the server', async () => {
    expect(await engineOf().probe()).toEqual({ serverVersion: expect.any(String) });
    expect(await problemOf(engineOf({ password: 'wrong' }).probe())).toBe('source_unreachable');
  });

  it('with its collections: nested fields, native types, mixed ones, keys and numbers of documents', async () => {
    await mongo.load('people', [
      { _id: new ObjectId(), name: 'Ada', at: new Date(0), address: { city: 'London', geo: { lat: 1.5, more: { deep: 1 } } }, n: 1, tags: ['a'], mixed: 1, key: new UUID() },
      { _id: new ObjectId(), name: null, n: Long.fromString('9007199254740993'), mixed: 'text', price: Decimal128.fromString('1.50'), ['$bad']: 1, ['a.b']: 2, ['__proto__']: 3 },
    ]); // prettier-ignore
    await mongo.run((client) =>
      client.db(mongo.database).createCollection('adults', { viewOn: 'people', pipeline: [] }),
    );
    const engine = engineOf();
    const people = await found(engine, 'people');
    expect(people).toMatchObject({ kind: 'collection', schema: mongo.database, primaryKey: ['_id'], estimatedRows: 2 });
    expect(
      people.columns.map(({ key, nativeType, type, form, mixed }) => [key, nativeType, type, form, mixed]),
    ).toEqual([
      ['_id', 'objectId', 'text', 'objectId', undefined],
      ['name', 'string', 'text', 'string', undefined],
      ['at', 'date', 'datetime', 'date', undefined],
      ['address.city', 'string', 'text', 'string', undefined],
      ['address.geo.lat', 'double', 'decimal', 'double', undefined],
      ['address.geo.more', 'object', 'json', 'json', undefined],
      ['n', 'int|long', 'decimal', 'long', ['int', 'long']],
      ['tags', 'array', 'json', 'json', undefined],
      ['mixed', 'int|string', 'json', 'json', ['int', 'string']],
      ['key', 'uuid', 'text', 'uuid', undefined],
      ['price', 'decimal', 'decimal', 'decimal', undefined],
    ]);
    expect(await found(engine, 'adults')).toMatchObject({ kind: 'view', primaryKey: [], estimatedRows: null });
    const [first, second] = await fieldsOf(engine, readOf(objectOf(people)));
    expect(first).toMatchObject({
      name: 'Ada',
      'address.geo.lat': '1.5',
      'address.geo.more': { deep: 1 },
      n: '1',
      tags: ['a'],
      mixed: 1,
    });
    expect(second).toMatchObject({ name: null, n: '9007199254740993', mixed: 'text', price: '1.50', key: null });
  });
});

describe('its answers are what the plans mean', () => {
  const cursors = new CursorCodec(Buffer.alloc(32, 7));
  const model = everyForm();
  let number = 0;

  async function filled(docs: readonly Document[]): Promise<ObjectSchema> {
    const name = `model_${(number += 1)}`;
    if (docs.length > 0) await mongo.load(name, docs);
    else await mongo.run((client) => client.db(mongo.database).createCollection(name));
    return { ...model, physical: { schema: mongo.database, table: name } };
  }

  it('for rows of any filter, order and page, with values of other types among them', async () => {
    const sortable = model.columns.filter(({ form }) => form !== 'json');
    const terms = fc.array(fc.tuple(fc.constantFrom(...sortable), fc.constantFrom('asc' as const, 'desc' as const)), {
      maxLength: 3,
    });
    const question = fc.record({
      filterJson: fc.option(arbitrary.filter(model), { nil: undefined, freq: 5 }),
      terms,
      limit: fc.integer({ min: 1, max: 9 }),
    });
    const engine = engineOf();
    await fc.assert(
      fc.asyncProperty(documents(model, 25), fc.array(question, { minLength: 6, maxLength: 6 }), async (docs, questions) => {
        const object = await filled(docs);
        const rows = rowsOf(object, docs);
        for (const { filterJson, terms, limit } of questions) {
          const where: Condition = filterJson === undefined ? { kind: 'true' } : whereOf(object, filterJson);
          const by = [...terms, ...object.key.map((column) => [column, 'asc'] as const)];
          const orderBy = by.map(([column, dir]): OrderTerm => ({ by: { kind: 'column', column }, dir }));
          const plan: SourceRead = { from: modelSource(object), select: object.key, where, orderBy, limit, count: 'none' };
          const wanted = evaluate({ where, orderBy, limit: Infinity }, rows).map(({ fields }) => fields.id);
          const ids = (await fieldsOf(engine, plan)).map(({ id }) => id);
          expect({ filterJson, ids }).toEqual({ filterJson, ids: wanted });
          const { count } = await engine.read({ ...plan, count: 'exact' });
          expect(count).toEqual({ mode: 'exact', value: wanted.length, relation: 'exact' });
        }
      }),
      { ...fuzz(8), endOnFailure: true },
    ); // prettier-ignore
  });

  it('for groups of any buckets, zones, aggregates, order and page', async () => {
    const engine = engineOf();
    const question = fc.record({ query: groupQuery(model), limit: fc.integer({ min: 1, max: 9 }) });
    await fc.assert(
      fc.asyncProperty(documents(model, 25), fc.array(question, { minLength: 6, maxLength: 6 }), async (docs, questions) => {
        const object = await filled(docs);
        const rows = rowsOf(object, docs);
        for (const { query, limit } of questions) {
          const { havingJson, ...rest } = query;
          const having = havingJson === undefined ? {} : { having: parseJsonFilter(havingJson, '/having') };
          const { plan } = resolveGroups({ ...rest, ...having, limit, count: 'none' }, object, { where: { kind: 'true' } }, cursors, { now: NOW });
          const wanted = evaluateGroups({ ...plan, limit: Infinity }, rows).map((group) => comparable(plan, group));
          const groups = await groupsOf(engine, { ...plan, from: modelSource(object) });
          expect({ query, groups }).toEqual({ query, groups: wanted });
        }
      }),
      { ...fuzz(8), endOnFailure: true },
    ); // prettier-ignore
  });

  type Group = Readonly<Record<string, CellValue>>;

  const comparable = ({ groups, aggregates }: Pick<SourceGroups, 'groups' | 'aggregates'>, group: Group): unknown[] =>
    [...groups, ...aggregates].map(({ output }) => {
      const value = group[output.key] ?? null;
      return value === null ? null : identityOf(kindOf(output), value as string);
    });

  async function groupsOf(engine: MongoEngine, plan: SourceGroups): Promise<unknown[]> {
    const all: unknown[] = [];
    for (let at = plan; ;) {
      const page = await engine.readGroups(at);
      const rows = JSON.parse(`[${page.data}]`) as { group: Group; values: Group }[];
      all.push(...rows.map(({ group, values }) => comparable(plan, { ...group, ...values })));
      if (!page.next) return all;
      at = { ...at, after: page.next };
    }
  }

  it('for two collections side by side, where null is equal to nothing', async () => {
    const engine = engineOf();
    const author = new ObjectId();
    const authors = await loaded(
      'authors',
      [
        { _id: author, name: 'Ada' },
        { _id: new ObjectId(), name: null },
      ],
      engine,
    );
    const books = await loaded('books', [
      { title: 'Notes', by: author.toHexString(), page: 1 },
      { title: 'Nobody', by: null, page: 2 },
      { title: 'Else', page: 3 },
    ], engine); // prettier-ignore
    const inB = authors.columns.map((column): ObjectColumn => ({ ...column, key: `author_${column.key}`, alias: 'b' }));
    const joined = { ...authors, columns: inB };
    const on = [{ left: columnOf(books, 'by'), right: must(inB.find(({ physical }) => physical === '_id'), 'the id') }]; // prettier-ignore
    const read = (type: 'left' | 'inner') => {
      const columns = [...books.columns, ...inB];
      const from = { ...sourceOf(books), columns, joins: [{ type, alias: 'b', object: joined, on }] };
      const orderBy: OrderTerm[] = [{ by: { kind: 'column', column: columnOf(books, 'page') }, dir: 'asc' }];
      return fieldsOf(engine, readOf(books, { from, select: columns, orderBy, limit: 10 }));
    };
    const shown = (rows: readonly Readonly<Record<string, unknown>>[]) => rows.map(({ title, author_name }) => [title, author_name]); // prettier-ignore
    expect(shown(await read('left'))).toEqual([['Notes', 'Ada'], ['Nobody', null], ['Else', null]]); // prettier-ignore
    expect(shown(await read('inner'))).toEqual([['Notes', 'Ada']]);
  });

  it('shows values as exactly as they are kept', async () => {
    const object = await loaded('exact', [
      { _id: 1, i: 1, l: Long.fromString('-9223372036854775808'), d: new Double(0.1), x: Decimal128.fromString('1E+3'), j: { l: Long.fromString('9007199254740993'), at: new Date(0), id: new ObjectId('0123456789abcdef01234567'), d: new Double(2.5) } },
      { _id: 2, i: 2, l: new Int32(5), d: new Double(1e21), x: Decimal128.fromString('0.10'), j: [1, 'a', null] },
    ]); // prettier-ignore
    expect(await fieldsOf(engineOf(), readOf(object))).toEqual([
      { _id: 1, i: 1, l: '-9223372036854775808', d: '0.1', x: '1000', 'j': { l: '9007199254740993', at: '1970-01-01T00:00:00.000Z', id: '0123456789abcdef01234567', d: 2.5 } },
      { _id: 2, i: 2, l: '5', d: '1000000000000000000000', x: '0.10', j: [1, 'a', null] },
    ]); // prettier-ignore
  });

  it('by ids of several types, none of them twice or left out', async () => {
    const ids = [new ObjectId(), 'ejson:1', 'a', new Int32(3), new Double(2.5), { a: 1 }, true, new Date(0)];
    await mongo.load('anything', ids.map((_id, n) => ({ _id, n }))); // prettier-ignore
    const object = objectOf({ ...(await found(engineOf(), 'anything')), primaryKey: ['_id'] });
    const id: ObjectColumn = { ...columnOf(object, '_id'), form: 'objectId', type: 'text' };
    const plan = readOf(object, { select: [columnOf(object, 'n')], orderBy: [{ by: { kind: 'column', column: id }, dir: 'desc' }], limit: 1 }); // prettier-ignore
    expect(new Set((await fieldsOf(engineOf(), plan)).map(({ n }) => n))).toEqual(new Set(ids.keys()));
  });

  it('for words, in all texts but bytes, which can only be compared for being equal', async () => {
    const engine = engineOf();
    const object = await loaded('searched', [
      { _id: 1, name: 'Ab', raw: new Binary(Buffer.from('ab')), u: new UUID() },
      { _id: 2, name: 'c', raw: new Binary(Buffer.from('ab')), u: new UUID() },
    ]);
    const asked = { search: 'aB', sort: [], limit: 10, count: 'none' as const };
    const cursors = new CursorCodec(Buffer.alloc(32, 1));
    const { plan } = resolveSourceRead(asked, sourceOf(object), engine.capabilities, cursors, { now: NOW });
    expect((await fieldsOf(engine, plan)).map(({ _id }) => _id)).toEqual([1]);
  });

  it('says that a collection which is gone has changed', async () => {
    const object = await loaded('gone', [{ a: 1 }]);
    await mongo.run((client) => client.db(mongo.database).dropCollection('gone'));
    expect(await problemOf(engineOf().read(readOf(object)))).toBe('source_changed');
  });
});

describe('nothing of a request is an operator', () => {
  const HOSTILE = [
    '$ne',
    '$where',
    '$$ROOT',
    '$name',
    '{"$gt":""}',
    '.*',
    '$function',
    '__proto__',
    'a.b',
    '\\',
    '(?i)x',
  ];

  it('in values, whatever they look like', async () => {
    const object = await loaded('texts', HOSTILE.map((name, n) => ({ _id: n, name }))); // prettier-ignore
    const engine = engineOf();
    for (const [n, text] of HOSTILE.entries())
      for (const op of ['eq', 'contains', 'startsWith', 'endsWith', 'gte']) {
        const rows = await fieldsOf(
          engine,
          readOf(object, { where: whereOf(object, { field: 'name', op, value: text }) }),
        );
        const wanted = op === 'gte' ? HOSTILE.flatMap((other, i) => (other >= text ? [i] : [])) : [n];
        expect([op, text, rows.map(({ _id }) => _id)]).toEqual([op, text, wanted]);
      }
    const where = whereOf(object, { field: 'name', op: 'in', value: ['$ne', '$where'] });
    expect(await fieldsOf(engine, readOf(object, { where }))).toHaveLength(2);
  });

  it.each(['$where', 'a.$b', '__proto__', 'a..b', ''])('in the name of a field: %j is refused', async (physical) => {
    const object = await loaded(`names_${physical.length}_${physical.codePointAt(0) ?? 0}`, [{ a: 1 }]);
    const column = { ...columnOf(object, 'a'), physical };
    expect(await problemOf(engineOf().read(readOf(object, { select: [column] })))).toBe('not_supported_by_source'); // prettier-ignore
  });

  it('in documents: names like __proto__ and $where are shown inside of JSON, and nowhere else', async () => {
    const inner = JSON.parse('{"__proto__": {"isAdmin": true}, "$where": "x", "a.b": 1}') as Document;
    const object = await loaded('nasty', [{ _id: 1, list: [inner] }]);
    const { data } = await engineOf().read(readOf(object));
    expect(data).toBe('{"fields":{"_id":1,"list":[{"__proto__":{"isAdmin":true},"$where":"x","a.b":1}]}}');
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });
});

describe('changes', () => {
  it('are made by id, tell what was and what is, and are refused where somebody was faster', async () => {
    const engine = engineOf();
    const object = await loaded('stock', [{ _id: new ObjectId('0123456789abcdef01234567'), name: 'bolt', qty: 5, size: { mm: 2.5 }, version: 1 }], engine); // prettier-ignore
    const cell = (key: string, value: CellValue) => ({ column: columnOf(object, key), value });
    const key = [cell('_id', '0123456789abcdef01234567')];
    const made = must(await engine.mutate({ op: 'insert', object, values: [cell('name', 'nut'), cell('size.mm', '3.1')] }), 'an insert'); // prettier-ignore
    expect(made.before).toBeNull();
    expect(JSON.parse(must(made.after, 'a row'))).toMatchObject({ name: 'nut', 'size.mm': '3.1', qty: null });
    const set = { op: 'update' as const, object, key, increment: columnOf(object, 'version') };
    const changed = await engine.mutate({ ...set, values: [cell('qty', 4), cell('size.mm', null)], expected: [cell('qty', 5)] }); // prettier-ignore
    expect(JSON.parse(must(changed?.before, 'before'))).toMatchObject({ qty: 5, 'size.mm': '2.5', version: 1 });
    expect(JSON.parse(must(changed?.after, 'after'))).toMatchObject({ qty: 4, 'size.mm': null, version: 2, name: 'bolt' }); // prettier-ignore
    const [stored] = await fieldsOf(engine, readOf(object));
    expect(JSON.parse(must(changed?.after, 'after'))).toEqual(stored);
    expect(await engine.mutate({ ...set, values: [cell('qty', 3)], expected: [cell('qty', 5)] })).toBeUndefined();
    expect(await engine.mutate({ op: 'delete', object, key, expected: [cell('qty', 5)] })).toBeUndefined();
    const gone = await engine.mutate({ op: 'delete', object, key, expected: [cell('qty', 4)] });
    expect(JSON.parse(must(gone?.before, 'before'))).toMatchObject({ name: 'bolt' });
    expect(await engine.mutate({ op: 'delete', object, key, expected: [] })).toBeUndefined();
  });

  it('are refused where the column cannot hold the value, an id is taken, or the connection only reads', async () => {
    const engine = engineOf();
    const object = await loaded('strict', [{ _id: 1, qty: new Int32(1), w: new Double(0.5) }], engine);
    const cell = (key: string, value: CellValue) => ({ column: columnOf(object, key), value });
    const insert = (over: Over, ...values: ReturnType<typeof cell>[]) =>
      problemOf(engineOf(over).mutate({ op: 'insert', object, values }));
    expect(await insert({}, cell('w', '0.1234567890123456789'))).toBe('constraint_violation');
    expect(await insert({}, cell('_id', 1))).toBe('unique_violation');
    expect(await insert({ access: 'read-only' }, cell('_id', 2))).toBe('read_only_connection');
  });
});

describe('a server that may be anybody', () => {
  const one = async (over: Over = {}) => {
    const server = await startMongo();
    await server.load('things', Array.from({ length: 3_000 }, (_, n) => ({ _id: n, text: `text ${n}` }))); // prettier-ignore
    const engine = engineOf({ server, ...over });
    const object = objectOf(await found(engine, 'things'));
    return { server, engine, object, standIn: server.standIn };
  };
  /** Faults are those of the stand-in: a real server has none to order. */
  const faulty = async (
    over: Over = {},
  ): Promise<Omit<Awaited<ReturnType<typeof one>>, 'standIn'> & { standIn: MongoStandIn }> => {
    const database = process.env.MONGODB_URL;
    delete process.env.MONGODB_URL;
    try {
      const made = await one(over);
      return { ...made, standIn: must(made.standIn, 'the stand-in') };
    } finally {
      if (database !== undefined) process.env.MONGODB_URL = database;
    }
  };

  it('gives no part of a page when it dies in the middle of it, and answers again when it is back', async () => {
    const { engine, object, standIn } = await faulty();
    standIn.fault = (name) => (name === 'getMore' ? 'die' : undefined);
    expect(await problemOf(engine.read(readOf(object, { limit: 2_500 })))).toBe('source_failed');
    standIn.fault = () => undefined;
    expect((await engine.read(readOf(object, { limit: 2_500 }))).rows).toBe(2_500);
  });

  it('is given up when it hangs, and when nobody waits for its answer any more', async () => {
    const { engine, object, standIn } = await faulty({ statementMs: 700, connectMs: 500 });
    standIn.fault = (name) => (name === 'aggregate' ? 'hang' : undefined);
    expect(await problemOf(engine.read(readOf(object)))).toBe('source_timeout');
    const reason = new Error('gone');
    const stop = new AbortController();
    const read = engine.read(readOf(object), stop.signal);
    setTimeout(() => stop.abort(reason), 50);
    await expect(read).rejects.toBe(reason);
  });

  it('cannot send more than an answer may have', async () => {
    const { engine, object, server } = await faulty({ maxBytes: 100_000 });
    await server.load('large', [{ _id: 1, text: 'x'.repeat(200_000) }]);
    expect(await problemOf(engine.read(readOf(object, { limit: 2_900 })))).toBe('answer_too_large');
    const large = { ...object, physical: { ...object.physical, table: 'large' } };
    expect(await problemOf(engine.read(readOf(large)))).toBe('answer_too_large');
    expect((await engine.read(readOf(object, { limit: 10 }))).rows).toBe(10);
  });

  it('leaves no cursor open when a page is read, whatever its size', async () => {
    const { engine, object, standIn } = await faulty();
    await engine.read(readOf(object, { limit: 1_500 }));
    await waitFor(() => standIn.openCursors === 0);
  });

  it('cannot make the driver wait for a message without end, inflate one, or hash a password for ever', async () => {
    const header = (length: number, operation: number) => {
      const bytes = Buffer.alloc(16 + 64);
      bytes.writeInt32LE(length, 0);
      bytes.writeInt32LE(operation, 12);
      return bytes;
    };
    const { engine, object, standIn } = await faulty();
    standIn.twist = (name, reply) => (name === 'aggregate' ? header(2 ** 31 - 1, 2013) : reply);
    expect(await problemOf(engine.read(readOf(object)))).toBe('answer_too_large');
    standIn.twist = (name, reply) => (name === 'aggregate' ? header(80, 2012) : reply);
    expect(await problemOf(engine.read(readOf(object)))).toBe('source_failed');
    const other = await faulty();
    other.standIn.iterations = 1_000_000;
    expect(await problemOf(engineOf({ server: other.server }).probe())).toBe('source_failed');
  });

  it('cannot lead to another host, whatever it says of its replica set', async () => {
    const { server, standIn } = await faulty();
    let calls = 0;
    const other = net.createServer((socket) => {
      calls += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    afterThisFile(() => other.close());
    const elsewhere = `127.0.0.1:${(other.address() as net.AddressInfo).port}`;
    standIn.twist = (name, reply) =>
      /^(hello|ismaster)$/i.test(name)
        ? { ...reply, setName: 'rs', hosts: [elsewhere], primary: elsewhere, me: elsewhere, isWritablePrimary: false, secondary: true }
        : reply; // prettier-ignore
    expect(await engineOf({ server }).probe()).toEqual({ serverVersion: '7.0.0' });
    expect(calls).toBe(0);
  });

  it('is not reached where it may not be, by each of its connections', async () => {
    const refused = new Problem('host_not_allowed');
    const outbound = (allowed: number): Outbound => {
      let sockets = 0;
      return {
        ...ANYWHERE,
        socket: () => {
          const socket = new net.Socket();
          if ((sockets += 1) > allowed) socket.connect = () => socket.destroy(refused);
          return socket;
        },
      };
    };
    expect(await problemOf(engineOf({ outbound: outbound(0) }).probe())).toBe('host_not_allowed');
    expect(await problemOf(engineOf({ outbound: { ...ANYWHERE, judge: () => Promise.reject(refused) } }).probe())).toBe('host_not_allowed'); // prettier-ignore
  });

  it('is not there, is something else, or comes back after a cut', async () => {
    const silent = net.createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as net.AddressInfo;
    expect(await problemOf(engineOf({ port }).probe())).toBe('source_failed');
    await new Promise((resolve) => silent.close(resolve));
    expect(await problemOf(engineOf({ port }).probe())).toBe('source_unreachable');
    const proxy = await tcpProxy(mongo);
    const engine = engineOf({ port: proxy.port });
    await engine.probe();
    await proxy.cut();
    expect(await problemOf(engine.probe())).toMatch(/^source_(unreachable|failed)$/);
    await proxy.mend();
    await waitFor(() => engine.probe());
  });

  it('may nest documents deeper than anybody can read', async () => {
    const { engine, object, standIn } = await faulty();
    standIn.twist = (name, reply) => (name === 'aggregate' ? { ok: 1, cursor: { id: Long.ZERO, ns: 'x.y', firstBatch: [{ c0: nested(3_000) }] } } : reply); // prettier-ignore
    expect(await problemOf(engine.read(readOf(object))).catch(() => 'a page')).toMatch(/source_failed|a page/);
    expect(await engine.probe()).toBeDefined();
  });
});

function nested(depth: number): Document {
  let doc: Document = {};
  for (let i = 0; i < depth; i++) doc = { a: doc };
  return doc;
}
