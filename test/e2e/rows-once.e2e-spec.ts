import { randomUUID } from 'node:crypto';
import { must } from '../../src/common/index.js';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  member,
  sql,
  startNode,
  waitFor,
  world,
  type Answer,
  type Row,
  type Table,
  type TestDatabases,
  type World,
} from '../harness/index.js';
import { path, refusal, rowsFixture, seq } from '../support/rows.js';

const fixture = rowsFixture();
const { newTable, add, list, proveLog, onEitherNode } = fixture;

const under = (key: string, more = {}) => ({ 'idempotency-key': key, ...more });
const replayed = ({ headers }: Answer<unknown>) => headers.get('idempotency-replayed');
/** Of an answer, all that a client would go by. */
const told = (answer: Answer<unknown>) => [
  answer.status,
  answer.text,
  ...['etag', 'live-seq', 'location'].map((name) => answer.headers.get(name)),
];
const counted = async (table: Table): Promise<number | undefined> =>
  (await list(table, 'count=exact&limit=1')).count?.value;

describe('a write of rows under an idempotency key', () => {
  it('of every kind is answered as the first time, on either node, and done once', async () => {
    const table = await newTable();
    const node = onEitherNode();
    const [row, other, third] = [await add(table, { qty: 1 }), await add(table, {}), await add(table, {})];
    const dry = await fixture.owner.post<{ confirmToken: string }>(path(table, 'bulk-update'), {
      filter: { field: 'qty', op: 'eq', value: 5 },
      set: { notes: 'x' },
      dryRun: true,
    });
    expectStatus(dry, 200);
    const calls: readonly [method: string, path: string, body: unknown, status: number, headers?: object][] = [
      ['POST', path(table), { fields: { name: 'new' } }, 201],
      ['PATCH', path(table, row.id), { fields: { qty: { $inc: 4 } } }, 200],
      ['PATCH', path(table, row.id), { fields: { notes: 'y' } }, 200, { 'if-match': '"2"' }],
      ['PATCH', path(table, other.id), { fields: { qty: 7 }, baseVersion: 1, onConflict: 'merge' }, 200],
      ['DELETE', path(table, other.id), undefined, 204],
      ['POST', path(table, other.id, 'restore'), undefined, 200],
      [
        'POST',
        path(table, 'bulk'),
        {
          mode: 'partial',
          ops: [
            { op: 'create', fields: { name: 'b' } },
            { op: 'upsert', matchOn: ['notes'], fields: { name: 'u', notes: 'once' } },
            { op: 'delete', id: third.id },
            { op: 'delete', id: table.id },
          ],
        },
        200,
      ],
      ['POST', path(table), { fields: { name: 'quiet' } }, 201, { prefer: 'return=minimal' }],
    ];
    for (const [method, url, body, status, headers] of calls) {
      const key = randomUUID();
      const first = await node(0).call(method, url, body, under(key, headers));
      expect([url, first.status, replayed(first)]).toEqual([url, status, null]);
      for (const i of [0, 1]) {
        const again = await node(i).call(method, url, body, under(key, headers));
        expect([url, replayed(again), ...told(again)]).toEqual([url, 'true', ...told(first)]);
      }
    }
    expect((await list(table)).data.find(({ id }) => id === row.id)).toMatchObject({ version: 3, fields: { qty: 5 } });
    expect(await counted(table)).toBe(6);
    await proveLog(table);
  });

  it('by filter changes its rows once', async () => {
    const table = await newTable();
    for (const qty of [1, 1, 2]) await add(table, { qty });
    const change = { filter: { field: 'qty', op: 'eq', value: 1 }, set: { amount: { $inc: 1 } } };
    const url = path(table, 'bulk-update');
    const dry = await fixture.owner.post<{ confirmToken: string }>(url, { ...change, dryRun: true });
    const body = { ...change, confirmToken: expectStatus(dry, 200).confirmToken };
    const key = randomUUID();
    const first = await fixture.owner.post(url, body, under(key));
    expect(first.body).toMatchObject({ matched: 2, affected: 2 });
    const again = await fixture.owner.post(url, body, under(key));
    expect([replayed(again), ...told(again)]).toEqual(['true', ...told(first)]);
    expect((await list(table)).data.map(({ fields }) => fields.amount)).toEqual(['1.00', '1.00', null]);
    expect(refusal(await fixture.owner.post(url, body))).toEqual([409, 'confirmation_stale']);
  });

  it('by filter that finds nothing is answered the same again, also when there is something by then', async () => {
    const table = await newTable();
    await add(table, { qty: 2 });
    const filter = { field: 'qty', op: 'eq', value: 1 };
    for (const [kind, change] of [
      ['bulk-update', { filter, set: { amount: 1 } }],
      ['bulk-delete', { filter }],
    ] as const) {
      const url = path(table, kind);
      const dry = await fixture.owner.post<{ confirmToken: string }>(url, { ...change, dryRun: true });
      const body = { ...change, confirmToken: expectStatus(dry, 200).confirmToken };
      const key = randomUUID();
      const first = await fixture.owner.post(url, body, under(key));
      expect(first.body).toMatchObject({ matched: 0, affected: 0, meta: { seq: (await list(table)).meta.seq } });
      const row = await add(table, { qty: 1 });
      const again = await fixture.owner.post(url, body, under(key));
      expect([replayed(again), ...told(again)]).toEqual(['true', ...told(first)]);
      expectStatus(await fixture.owner.del(path(table, row.id)), 204);
    }
    await proveLog(table);
  });

  it('of which no op could be done is answered the same again, also when all could by then', async () => {
    const table = await newTable();
    const { id } = await add(table, {});
    expectStatus(await fixture.owner.del(path(table, id)), 204);
    for (const fields of [{ qty: 1 }, { qty: { $inc: 1 } }]) {
      const ops = [{ op: 'update', id, fields }];
      const call = (key: string) => fixture.owner.post(path(table, 'bulk'), { mode: 'partial', ops }, under(key));
      const key = randomUUID();
      const first = await call(key);
      expect(first.body).toMatchObject({ summary: { ok: 0, failed: 1 } });
      expectStatus(await fixture.owner.post(path(table, id, 'restore')), 200);
      const again = await call(key);
      expect([replayed(again), ...told(again)]).toEqual(['true', ...told(first)]);
      expectStatus(await fixture.owner.del(path(table, id)), 204);
    }
    await proveLog(table);
  });

  it('from many at once on two nodes is done once, and all hear the same', async () => {
    const table = await newTable();
    const node = onEitherNode();
    const row = await add(table, { qty: 0 });
    const keys = Array.from({ length: 5 }, () => randomUUID());
    const creates = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        node(i).post<Row>(path(table), { fields: { name: 'once' } }, under(keys[i % 5] ?? '')),
      ),
    );
    expect(new Set(creates.map((answer) => expectStatus(answer, 201).id)).size).toBe(5);
    expect(creates.filter((answer) => replayed(answer) === null)).toHaveLength(5);
    const key = randomUUID();
    const counts = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        node(i).patch<Row>(path(table, row.id), { fields: { qty: { $inc: 1 } } }, under(key)),
      ),
    );
    expect(new Set(counts.map(({ status, text }) => [status, text].join(' '))).size).toBe(1);
    const guarded = randomUUID();
    const matched = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        node(i).patch<Row>(path(table, row.id), { fields: { qty: 10 } }, under(guarded, { 'if-match': '"2"' })),
      ),
    );
    // Whoever came second found another version, and yet it was the own one.
    expect(matched.map(({ status }) => status)).toEqual(Array(16).fill(200));
    expect(await counted(table)).toBe(6);
    await proveLog(table);
  });

  it('that was refused may be tried again; with another body, or by somebody else, it is another one', async () => {
    const table = await newTable();
    const key = randomUUID();
    const post = (body: object, who = fixture.owner) => who.post<Row>(path(table), body, under(key));
    expect((await post({ fields: { qty: 'x' } })).status).toBe(422);
    const first = await post({ fields: { name: 'a' } });
    expect([first.status, replayed(first)]).toEqual([201, null]);
    expect(refusal(await post({ fields: { name: 'b' } }))).toEqual([422, 'idempotency_mismatch']);
    const editor = await member(fixture.at, 'editor');
    expect(expectStatus(await post({ fields: { name: 'a' } }, editor), 201).id).not.toBe(first.body.id);
    const viewer = await member(fixture.at, 'viewer');
    expect((await post({ fields: { name: 'a' } }, viewer)).status).toBe(403);
    expect(refusal(await fixture.owner.post(path(table), { fields: {} }, under('x'.repeat(256)))).slice(0, 2)).toEqual([
      422,
      'validation_failed',
    ]);
    expect(await counted(table)).toBe(2);
  });

  it('that fails with others in one batch fails alone', async () => {
    const table = await newTable();
    const row = await add(table, { code: 'taken' });
    const node = onEitherNode();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => {
        const key = i % 3 === 0 ? under(randomUUID()) : {};
        if (i % 5 === 0) return node(i).post(path(table), { fields: { name: 'x', code: 'taken' } }, key);
        if (i % 5 === 1)
          return node(i).patch(path(table, row.id), { fields: { qty: i } }, { ...key, 'if-match': '"99"' });
        return node(i).post(path(table), { fields: { name: `n${i}` } }, key);
      }),
    );
    expect(answers.map(({ status }) => status)).toEqual(
      Array.from({ length: 60 }, (_, i) => (i % 5 === 0 ? 409 : i % 5 === 1 ? 412 : 201)),
    );
    const numbers = answers.filter(({ status }) => status === 201).map(seq);
    expect(new Set(numbers).size).toBe(36);
    await proveLog(table);
  });
});

describe('a node that is killed while it writes under keys', () => {
  let pair: TestDatabases;
  let at: World;
  beforeAll(async () => {
    pair = await databases();
  }, 60_000);

  it('has done each of them once, whatever its callers heard, when they try again elsewhere', async () => {
    const [dying, staying] = await Promise.all([startNode({ databases: pair }), startNode({ databases: pair })]);
    at = await world(staying.base, {
      columns: [
        { name: 'Name', type: 'text', unique: true },
        { name: 'N', type: 'integer' },
      ],
    });
    const { table, owner } = at;
    const counter = expectStatus(await owner.post<Row>(path(table), { fields: { name: 'counter', n: 0 } }), 201);
    const asks: { readonly url: string; readonly method: string; readonly body: object; readonly key: string }[] = [];
    let answered = 0;
    const caller = async (nr: number): Promise<void> => {
      const as = client(dying.base, owner.token);
      for (let i = 0; ; i++) {
        const kinds = [
          { url: path(table), method: 'POST', body: { fields: { name: `row ${nr}.${i}`, n: i } } },
          // Fails, in the batch of the others.
          { url: path(table), method: 'POST', body: { fields: { name: 'counter' } } },
          { url: path(table, counter.id), method: 'PATCH', body: { fields: { n: { $inc: 1 } } } },
          {
            url: path(table, 'bulk'),
            method: 'POST',
            body: { ops: [1, 2].map((n) => ({ op: 'create', fields: { name: `bulk ${nr}.${i}.${n}` } })) },
          },
        ];
        const ask = { ...must(kinds[(nr + i) % 4], 'one of four'), key: randomUUID() };
        asks.push(ask);
        const answer = await as.call(ask.method, ask.url, ask.body, under(ask.key)).catch(() => undefined);
        if (!answer) return;
        answered++;
      }
    };
    const callers = Array.from({ length: 12 }, (_, nr) => caller(nr));
    await waitFor(() => answered > 300, 20_000);
    await dying.kill9();
    await Promise.all(callers);
    expect(asks.length - answered).toBeGreaterThan(0);

    for (const { method, url, body, key } of asks) {
      const answer = await owner.call(method, url, body, under(key));
      const fails = JSON.stringify(body) === JSON.stringify({ fields: { name: 'counter' } });
      expect([answer.status < 300, fails]).toEqual([!fails, fails]);
    }
    const expected = asks.map(({ body }) => JSON.stringify(body));
    const names = expected.flatMap((text) => text.match(/(row|bulk) [\d.]+/g) ?? []);
    const stored = await sql<{ name: string; n: number }>(
      pair.mini,
      `select name, n::int from "${table.physical.schema}"."${table.physical.table}" where _deleted_at is null`,
    );
    expect(stored.map(({ name }) => name).toSorted()).toEqual(['counter', ...names].toSorted());
    expect(stored.find(({ name }) => name === 'counter')?.n).toBe(
      expected.filter((text) => text.includes('$inc')).length,
    );
  }, 90_000);
});
