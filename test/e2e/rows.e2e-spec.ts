import { describe, expect, it } from '@jest/globals';
import { expectStatus, member, signup, sql, type Person, type Row } from '../harness/index.js';
import { path, refusal, rowsFixture, seq, tag } from '../support/rows.js';

const rows = rowsFixture();
const { newTable, add, list, proveLog, onEitherNode } = rows;

describe('the life of a row', () => {
  it('create, read, change, delete: each with its version and its number', async () => {
    const table = await newTable();
    const fields = {
      name: 'Acme',
      amount: '1200.50',
      qty: 3,
      active: true,
      due: '2026-12-01',
      seen: '2026-12-01T09:00:00.000Z',
      notes: 'a\nb',
      status: 'open',
      code: null,
    };
    const made = await rows.owner.post<Row>(path(table), {
      fields: { ...fields, amount: 1200.5, status: 'Open', seen: '2026-12-01T10:00:00+01:00' },
    });
    const row = expectStatus(made, 201);
    expect(row).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      version: 1,
      fields,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      createdBy: rows.owner.user.id,
      updatedAt: row.createdAt,
      updatedBy: rows.owner.user.id,
    });
    expect([tag(made), seq(made), made.headers.get('location')]).toEqual(['"1"', 1, `/api/v1${path(table, row.id)}`]);
    expect(made.headers.get('content-type')).toMatch(/^application\/json/);

    const read = await rows.owner.get(path(table, row.id));
    expect([read.status, tag(read), read.body]).toEqual([200, '"1"', row]);

    const changed = await rows.owner.patch<Row>(path(table, row.id), { fields: { qty: null, name: 'ACME' } });
    expect([changed.status, tag(changed), seq(changed)]).toEqual([200, '"2"', 2]);
    expect(changed.body).toMatchObject({ version: 2, fields: { ...fields, qty: null, name: 'ACME' } });

    for (const same of [{}, { name: 'ACME' }, { amount: '1200.5' }, { qty: null, status: 'Open' }]) {
      const noop = await rows.owner.patch<Row>(path(table, row.id), { fields: same });
      expect([noop.status, tag(noop), seq(noop), noop.body]).toEqual([200, '"2"', 2, changed.body]);
    }

    const gone = await rows.owner.del(path(table, row.id));
    expect([gone.status, seq(gone), gone.text]).toEqual([204, 3, '']);
    for (const again of [
      rows.owner.get(path(table, row.id)),
      rows.owner.del(path(table, row.id)),
      rows.owner.patch(path(table, row.id), { fields: {} }),
    ])
      expect(refusal(await again)).toEqual([404, 'not_found']);
    expect((await list(table)).data).toEqual([]);
    await proveLog(table);
  });

  it('keeps every value exactly, or refuses it', async () => {
    const table = await newTable([
      { name: 'T', type: 'text' },
      { name: 'L', type: 'long_text' },
      { name: 'I', type: 'integer' },
      { name: 'D', type: 'decimal' },
      { name: 'A', type: 'date' },
      { name: 'S', type: 'datetime' },
    ]);
    const exact = [
      {
        t: '\u{1F600} \u0001"\\/%_\'',
        l: '\u2028\r\n\t',
        i: 2 ** 53 - 1,
        d: '99999999999999999999999999999999999999',
        a: '0001-01-01',
        s: '0001-01-01T00:00:00.000Z',
      },
      {
        t: '',
        l: ' ',
        i: 1 - 2 ** 53,
        d: '-0.00000000000000000000000000000000000001',
        a: '9999-12-31',
        s: '9999-12-31T23:59:59.999Z',
      },
      { t: 'null', l: 'x'.repeat(100_000), i: 0, d: '0.10', a: '2024-02-29', s: '2026-01-01T00:00:00.001Z' },
    ];
    for (const fields of exact) {
      const row = expectStatus(await rows.owner.post<Row>(path(table), { fields }), 201);
      expect(row.fields).toEqual(fields);
      expect((await rows.owner.get<Row>(path(table, row.id))).body.fields).toEqual(fields);
    }
    expect((await list(table)).data.map(({ fields }) => fields)).toEqual(exact);
    const before = (await list(table)).meta.seq;
    const refused = [
      ['{"t":"a\\u0000b"}', '/fields/t nul_character'], ['{"t":"\\ud800"}', '/fields/t lone_surrogate'], ['{"i":9007199254740993}', '/fields/i'], ['{"i":1.5}', '/fields/i not_an_integer'],
      ['{"i":"1"}', '/fields/i not_an_integer'], ['{"d":"NaN"}', '/fields/d not_a_number'], ['{"d":1e400}', '/fields/d'], ['{"d":"1e38"}', '/fields/d out_of_range'],
      ['{"a":"2026-02-30"}', '/fields/a no_such_date'], ['{"s":"2026-01-01T00:00:00.0001Z"}', '/fields/s too_precise'], ['{"s":"2026-01-01"}', '/fields/s not_a_datetime'], ['{"t":["a"]}', '/fields/t not_text'],
    ] as const; // prettier-ignore
    for (const [text, finding] of refused) {
      const answer = await rows.owner.call('POST', path(table), `{"fields":${text}}`, {
        'content-type': 'application/json',
      });
      const [status, , first] = refusal(answer);
      expect([text, status]).toEqual([text, 422]);
      expect(first).toMatch(new RegExp(`^${finding}`));
    }
    expect((await list(table)).meta.seq).toBe(before);
  });

  it('names everything that is wrong with it at once', async () => {
    const table = await newTable();
    const body = { fields: { qty: 1.5, due: 'tomorrow', nope: 1, _version: 7, status: 'Maybe' } };
    expect(refusal(await rows.owner.post(path(table), body))).toEqual([
      422, 'validation_failed', '/fields/qty not_an_integer', '/fields/due not_a_date', '/fields/nope unknown_field', '/fields/_version unknown_field',
      '/fields/status not_a_choice', '/fields/name required',
    ]); // prettier-ignore
    expect((await list(table)).meta.seq).toBe(0);
  });

  it('is written by editors, read by viewers, and not there for others', async () => {
    const table = await newTable();
    const row = await add(table, {});
    const [editor, viewer, stranger] = [
      await member(rows.at, 'editor'),
      await member(rows.at, 'viewer'),
      await signup(rows.app.base),
    ];
    expectStatus(await editor.patch(path(table, row.id), { fields: { qty: 1 } }), 200);
    expectStatus(await viewer.get(path(table, row.id)), 200);
    expectStatus(await viewer.post(path(table, 'query'), {}), 200);
    const writes = (person: Person) => [
      person.post(path(table), { fields: { name: 'x' } }),
      person.patch(path(table, row.id), { fields: {} }),
      person.del(path(table, row.id)),
      person.post(path(table, 'bulk'), { ops: [{ op: 'delete', id: row.id }] }),
    ];
    for (const write of writes(viewer)) expect(refusal(await write)).toEqual([403, 'role_too_low']);
    for (const call of [
      ...writes(stranger),
      stranger.get(path(table)),
      stranger.get(path(table, row.id)),
      stranger.post(path(table, 'query'), {}),
    ])
      expect(refusal(await call)).toEqual([404, 'not_found']);
    // A row is found in its own table only.
    const second = await newTable();
    expect(refusal(await rows.owner.get(path(second, row.id)))).toEqual([404, 'not_found']);
    expect(refusal(await rows.owner.patch(path(second, row.id), { fields: { qty: 9 } }))).toEqual([404, 'not_found']);
    expect((await list(table)).data).toMatchObject([{ id: row.id, version: 2, fields: { qty: 1 } }]);
  });

  it('leaves who changed what, by which request and from which client', async () => {
    const table = await newTable();
    const headers = { 'x-client-id': 'tab-7', 'x-request-id': 'request-42' };
    const row = expectStatus(await rows.owner.post<Row>(path(table), { fields: { name: 'x' } }, headers), 201);
    const [entry] = await sql(
      rows.app.config.miniDb,
      `select row_id, actor_id, actor_name, client_id, request_id, source from "${table.physical.schema}"._change where table_id = $1`,
      [table.id],
    );
    expect(entry).toEqual({
      row_id: row.id,
      actor_id: rows.owner.user.id,
      actor_name: rows.owner.user.name,
      client_id: 'tab-7',
      request_id: 'request-42',
      source: 'api',
    });
  });
});

describe('If-Match', () => {
  it('lets a write through only while the row has this version, and shows the row when it has not', async () => {
    const table = await newTable();
    const row = await add(table, { qty: 1 });
    const patch = (fields: object, etag: string) =>
      rows.owner.patch<Row & { current: Row }>(path(table, row.id), { fields }, { 'if-match': etag });
    expect(tag(await patch({ qty: 2 }, '"1"'))).toBe('"2"');
    const stale = await patch({ qty: 3 }, '"1"');
    expect([refusal(stale), tag(stale)]).toEqual([[412, 'version_mismatch'], '"2"']);
    expect(stale.body.current).toEqual((await rows.owner.get(path(table, row.id))).body);
    // Also where nothing would change: the client was wrong about what is there.
    expect(refusal(await patch({ qty: 2 }, '"1"'))).toEqual([412, 'version_mismatch']);
    expect(refusal(await rows.owner.del(path(table, row.id), { 'if-match': '"1"' }))).toEqual([
      412,
      'version_mismatch',
    ]);
    expect((await patch({ qty: 4 }, '*')).status).toBe(200);
    expect((await rows.owner.del(path(table, row.id), { 'if-match': '"3"' })).status).toBe(204);
    expect(refusal(await patch({}, '"4"'))).toEqual([404, 'not_found']);
    await proveLog(table);
  });

  it.each(['1', 'W/"1"', '"1", "2"', '"x"', '""', '"-1"', '"99999999999999999999"', '"1" '.repeat(3)])(
    '%s is no ETag of ours: 400',
    async (value) => {
      const row = await add(rows.at.table, {});
      expect(
        refusal(await rows.owner.patch(path(rows.at.table, row.id), { fields: {} }, { 'if-match': value })),
      ).toEqual([400, 'bad_request']);
    },
  );

  it('lets exactly one of many through, on two nodes', async () => {
    const table = await newTable();
    const row = await add(table, {});
    const node = onEitherNode();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        node(i).patch(path(table, row.id), { fields: { qty: i } }, { 'if-match': '"1"' }),
      ),
    );
    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, ...Array<number>(19).fill(412)]);
    expect((await list(table)).data).toMatchObject([{ version: 2 }]);
    await proveLog(table);
  });
});

describe('unique values', () => {
  it('clash with a 409 that names the column, and are free again when their row is deleted', async () => {
    const table = await newTable();
    const row = await add(table, { code: 'one' });
    const second = await add(table, { code: 'two' });
    const clash = [409, 'unique_violation', '/fields/code unique_violation'];
    expect(refusal(await rows.owner.post(path(table), { fields: { name: 'x', code: 'one' } }))).toEqual(clash);
    expect(refusal(await rows.owner.patch(path(table, second.id), { fields: { code: 'one' } }))).toEqual(clash);
    expectStatus(await rows.owner.patch(path(table, row.id), { fields: { code: 'one', qty: 2 } }), 200);
    for (const code of [null, null, 'ONE']) await add(table, { code });
    expectStatus(await rows.owner.del(path(table, row.id)), 204);
    expectStatus(await rows.owner.patch(path(table, second.id), { fields: { code: 'one' } }), 200);
    await proveLog(table);
  });

  it('let one of many through at once, on two nodes, and every other row of the same moment too', async () => {
    const table = await newTable();
    const node = onEitherNode();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        node(i).post(path(table), { fields: { name: `n${i}`, code: i % 2 ? 'same' : `own ${i}` } }),
      ),
    );
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(21);
    expect(answers.filter((answer) => answer.status === 409)).toHaveLength(19);
    await proveLog(table);
  });
});
