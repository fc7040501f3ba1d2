import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { expectStatus, type Answer, type ProblemBody, type Row } from '../harness/index.js';
import { loggedChanges } from '../support/changes.js';
import { path, refusal, rowsFixture, seq, type Bulk } from '../support/rows.js';

const rows = rowsFixture();
const { newTable, add, bulk, list, proveLog, onEitherNode, deletedMeanwhile } = rows;

describe('bulk', () => {
  it('creates, changes, upserts and deletes in one transaction under one number, and answers in order', async () => {
    const table = await newTable();
    const [a, b, c] = [
      await add(table, { code: 'a' }),
      await add(table, { code: 'b' }),
      await add(table, { code: 'c', qty: 7 }),
    ];
    const answer = await bulk(
      table,
      [
        { op: 'create', ref: 'new', fields: { name: 'n', code: 'd' } },
        { op: 'update', id: a.id, version: 1, fields: { qty: 5 } },
        { op: 'upsert', ref: '', matchOn: ['code'], fields: { code: 'b', qty: 6 } },
        { op: 'upsert', matchOn: ['code', 'name'], fields: { code: 'e', name: 'made' } },
        { op: 'delete', id: c.id },
        { op: 'update', id: a.id.replace(/.$/, a.id.endsWith('0') ? '1' : '0'), fields: {} },
      ].slice(0, 5),
    );
    const { summary, results, meta } = expectStatus(answer, 200);
    expect(summary).toEqual({ total: 5, ok: 5, failed: 0 });
    expect([meta.seq, seq(answer)]).toEqual([4, 4]);
    expect(results).toMatchObject([
      { index: 0, ref: 'new', status: 201, row: { version: 1, fields: { code: 'd' } } },
      { index: 1, status: 200, id: a.id, row: { version: 2, fields: { qty: 5 } } },
      { index: 2, ref: '', status: 200, id: b.id, row: { version: 2, fields: { code: 'b', qty: 6, name: 'x' } } },
      { index: 3, status: 201, row: { version: 1, fields: { code: 'e', name: 'made' } } },
      { index: 4, status: 204, id: c.id },
    ]);
    expect('row' in (results[4] ?? {})).toBe(false);
    const changes = await loggedChanges(rows.app.config.miniDb, table);
    expect(changes.filter((change) => change.seq === 4)).toHaveLength(5);
    await proveLog(table);
  });

  it('that is atomic and has bad ops writes nothing and lists them all', async () => {
    const table = await newTable();
    const row = await add(table, { code: 'taken' });
    const gone = randomUUID();
    const before = (await list(table)).meta.seq;
    const answer = await bulk(table, [
      { op: 'create', fields: { name: 'fine' } },
      { op: 'create', fields: { name: 7, qty: 'x' } },
      { op: 'update', id: gone, fields: { qty: 1 } },
      { op: 'update', id: row.id, version: 9, fields: { qty: 1 } },
      { op: 'delete', id: 'not an id' },
      { op: 'explode' },
      'nonsense',
      { op: 'create', fields: {}, colour: 'red' },
      { op: 'upsert', matchOn: ['nope'], fields: { name: 'x' } },
      { op: 'upsert', matchOn: ['code'], fields: { name: 'x' } },
      { op: 'create', fields: { name: 'x', code: 'taken' } },
    ]);
    expect(refusal(answer)).toEqual([
      422, 'bulk_failed', '/ops/1/fields/name not_text', '/ops/1/fields/qty not_an_integer', '/ops/2/id not_found', '/ops/3/version version_mismatch', '/ops/4/id is_id',
      '/ops/5/op is_in', '/ops/6 is_object', '/ops/7/colour unknown_property', '/ops/7/fields/name required', '/ops/8/matchOn/0 unknown_field', '/ops/9/fields/code match_missing',
      '/ops/10/fields/code unique_violation',
    ]); // prettier-ignore
    const after = await list(table);
    expect([after.meta.seq, after.data]).toEqual([before, [row]]);
    await proveLog(table);
  });

  it('that is partial does what can be done, and says of each op how it ended', async () => {
    const table = await newTable();
    const row = await add(table, { code: 'taken', qty: 1 });
    const { summary, results, meta } = expectStatus(
      await bulk(
        table,
        [
          { op: 'create', fields: { name: 'fine', code: 'free' } },
          { op: 'create', ref: 'r', fields: { name: null } },
          { op: 'create', fields: { name: 'clash', code: 'taken' } },
          { op: 'update', id: row.id, fields: { qty: 1 } },
          { op: 'update', id: randomUUID(), fields: { qty: 1 } },
          { op: 'create', fields: { name: 'clash in the call', code: 'free' } },
        ],
        'partial',
      ),
      200,
    );
    expect(summary).toEqual({ total: 6, ok: 2, failed: 4 });
    expect(results.map(({ status, error }) => [status, error?.code])).toEqual([
      [201, undefined],
      [422, 'validation_failed'],
      [409, 'unique_violation'],
      [200, undefined],
      [404, 'not_found'],
      [409, 'unique_violation'],
    ]);
    // A row that was not made has no id.
    expect(results.map(({ id }) => id !== undefined)).toEqual([true, false, false, true, true, false]);
    expect(results[1]).toMatchObject({
      ref: 'r',
      error: { errors: [{ pointer: '/ops/1/fields/name', code: 'required' }] },
    });
    expect([meta.seq, (await list(table)).data.length]).toEqual([2, 2]);
    // All of them bad: nothing written, still an answer.
    const none = expectStatus(await bulk(table, [{ op: 'delete', id: randomUUID() }], 'partial'), 200);
    expect([none.summary, none.meta.seq]).toEqual([{ total: 1, ok: 0, failed: 1 }, 2]);
    await proveLog(table);
  });

  it.each<[unknown, string]>([
    [{}, '/ops'], [{ ops: [] }, '/ops'], [{ ops: {} }, '/ops'], [{ ops: Array(1001).fill({ op: 'create', fields: {} }) }, '/ops'], [{ ops: [{ op: 'create', fields: {} }], mode: 'maybe' }, '/mode'],
    [{ ops: [{ op: 'create', fields: {} }], extra: 1 }, '/extra'], [[], ''],
  ])('refuses a body that is no bulk call: %#', async (body, pointer) => {
    const answer = await rows.owner.post<ProblemBody>(path(rows.at.table, 'bulk'), body);
    expect(refusal(answer).slice(0, 2)).toEqual([422, 'validation_failed']);
    expect(answer.body.errors?.[0]?.pointer).toBe(pointer);
  }); // prettier-ignore

  it('refuses a row twice in one call, and takes 1,000 ops', async () => {
    const table = await newTable();
    const row = await add(table, {});
    expect(
      refusal(
        await bulk(table, [
          { op: 'update', id: row.id, fields: { qty: 1 } },
          { op: 'delete', id: row.id },
        ]),
      ),
    ).toEqual([422, 'bulk_failed', '/ops/1/id duplicate_row']);
    const { summary, results } = expectStatus(
      await bulk(
        table,
        Array.from({ length: 1000 }, (_, i) => ({ op: 'create', fields: { name: `n${i}`, qty: i } })),
      ),
      200,
    );
    expect(summary).toEqual({ total: 1000, ok: 1000, failed: 0 });
    expect(results.map(({ row: made }) => made?.fields.qty)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    const changed = expectStatus(
      await bulk(
        table,
        results.map(({ id }, i) =>
          i % 2 ? { op: 'delete', id } : { op: 'update', id, version: 1, fields: { qty: -i } },
        ),
      ),
      200,
    );
    expect([changed.summary.ok, changed.meta.seq, (await list(table, 'count=exact&limit=1')).count?.value]).toEqual([
      1000, 3, 501,
    ]);
    await proveLog(table);
  });

  it('refuses a body beyond 4 MiB, and takes one just below', async () => {
    const table = await newTable();
    const ops = (bytes: number) =>
      Array.from({ length: 40 }, () => ({ op: 'create', fields: { name: 'x', notes: 'n'.repeat(bytes / 40) } }));
    expectStatus(await bulk(table, ops(4_000_000)), 200);
    const tooLarge = await bulk(table, ops(4_300_000)).catch((error: unknown) => error);
    if (!(tooLarge instanceof Error)) expect(refusal(tooLarge as Answer<unknown>)).toEqual([413, 'payload_too_large']);
    expect((await list(table, 'count=exact&limit=1&fields=name')).count?.value).toBe(40);
  });

  it('upserts of one key from 20 callers on two nodes make one row', async () => {
    const table = await newTable();
    const node = onEitherNode();
    const keys = ['k1', 'k2'];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        node(i).post<Bulk>(path(table, 'bulk'), {
          ops: (i % 4 < 2 ? keys : keys.toReversed()).map((key) => ({
            op: 'upsert',
            matchOn: ['notes'],
            fields: { notes: key, name: key, qty: i },
          })),
        }),
      ),
    );
    for (const answer of answers) expect(answer.status).toBe(200);
    const { data } = await list(table);
    expect(data.map(({ fields }) => fields.notes).toSorted()).toEqual(keys);
    expect(data.map(({ version }) => version)).toEqual([20, 20]);
    expect(answers.flatMap((answer) => answer.body.results).filter(({ status }) => status === 201)).toHaveLength(2);
    await proveLog(table);
  });

  it('that is partial tells of a row that has another version what it is now, as one call for it does', async () => {
    const table = await newTable();
    const [one, other] = [await add(table, { code: 'a', qty: 1 }), await add(table, { code: 'b' })];
    const to2 = async ({ id }: Row) =>
      expectStatus(await rows.owner.patch<Row>(path(table, id), { fields: { qty: 2 } }), 200);
    const changed = [await to2(one), await to2(other)];
    const ops = [
      { op: 'update', id: one.id, version: 1, fields: { qty: 3 } },
      { op: 'delete', id: other.id, version: 1 },
      { op: 'create', fields: { name: 'x' } },
    ];
    for (const prefer of ['return=representation', 'return=minimal']) {
      const { body } = await rows.owner.post<Bulk>(path(table, 'bulk'), { ops, mode: 'partial' }, { prefer });
      expect(body.results.map(({ status, error }) => [status, error?.current])).toEqual([
        [412, changed[0]],
        [412, changed[1]],
        [201, undefined],
      ]);
    }
    expect((await list(table)).data).toEqual(expect.arrayContaining(changed));
  });

  it.each(['atomic', 'partial'])(
    'upserts of a row that somebody deletes meanwhile make a new one: %s',
    async (mode) => {
      const table = await newTable();
      const [row, kept] = [await add(table, { code: 'a' }), await add(table, { code: 'b' })];
      const ops = ['a', 'b'].map((code) => ({ op: 'upsert', matchOn: ['code'], fields: { code, name: 'mine' } }));
      const answer = await deletedMeanwhile(table, row, () => bulk(table, ops, mode));
      expect(expectStatus(answer, 200).results.map(({ status }) => status)).toEqual([201, 200]);
      const { data } = await list(table, 'sort=code');
      expect(data.map(({ fields: { code, name } }) => [code, name])).toEqual([['a', 'mine'], ['b', 'mine']]); // prettier-ignore
      expect(data.map(({ id }) => id)).toEqual([expect.not.stringMatching(row.id), kept.id]);
      await proveLog(table);
    },
  );

  it('upsert names the call that matches several rows', async () => {
    const table = await newTable();
    for (const qty of [1, 2]) await add(table, { notes: 'same', qty });
    const ops = [{ op: 'upsert', matchOn: ['notes'], fields: { notes: 'same', name: 'x' } }];
    expect(refusal(await bulk(table, ops))).toEqual([422, 'bulk_failed', '/ops/0/matchOn upsert_ambiguous']);
    expect(expectStatus(await bulk(table, ops, 'partial'), 200).results).toMatchObject([
      { status: 409, error: { code: 'upsert_ambiguous' } },
    ]);
  });
});
