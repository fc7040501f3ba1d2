import { beforeAll, describe, expect, it } from '@jest/globals';
import { must, newId, Problem, type Id } from '../../src/common/index.js';
import { pgError, SchemaMoved, type WriteResult } from '../../src/engines/index.js';
import type { ReadPlan, RowWrite, TableSchema } from '../../src/query/index.js';
import { databases, sql, type TestDatabases } from '../harness/index.js';
import { column, everyType, table } from '../query/index.js';
import { replay, storedRows, type Rows } from '../support/changes.js';
import { create, fill, makeTable, node, readLog, remove, update, writeOf, type Node } from './store.js';

const DEALS = () =>
  table([
    column('code', 'text', { unique: true }),
    column('qty', 'integer'),
    column('name', 'text', { required: true }),
  ]);

let pair: TestDatabases;
let a: Node;
let b: Node;
beforeAll(async () => {
  pair = await databases();
  [a, b] = await Promise.all([node(pair), node(pair)]);
});

/** The log from empty is the table, and the stream's head is its last number. */
async function proveLog(deals: TableSchema, onSeq?: (seq: number, rows: Rows) => void) {
  const changes = await readLog(a.log, deals);
  expect(replay(changes, onSeq)).toEqual(await storedRows(pair.mini, deals));
  const [head] = await a.log.heads(deals.physical.schema, [deals.id]);
  expect(head?.seq).toBe(changes.at(-1)?.seq ?? 0);
  return changes;
}

/** The SQLSTATE of every error that the node's database answers from now on, also of those that a retry hides. */
function watchErrors({ database }: Node): string[] {
  const codes: string[] = [];
  const query = database.query.bind(database);
  database.query = async (statement) => {
    try {
      return await query(statement);
    } catch (error) {
      codes.push(pgError(error)?.code ?? 'none');
      throw error;
    }
  };
  return codes;
}

describe('32 writers on two nodes, on the same few rows', () => {
  it('leave a log without a hole that is the table, holds every acknowledged write and no failed one', async () => {
    const deals = await makeTable(a, DEALS());
    const shared = (
      await fill(
        a,
        deals,
        Array.from({ length: 8 }, (_, i) => ({ code: `c${i}`, qty: i, name: 'x' })),
      )
    ).map(({ id }) => id);
    const random = lcg(42);
    const done: { write: RowWrite; result?: WriteResult; error?: unknown }[] = [];

    const writer = async (which: number) => {
      const seen = new Map<Id, number>();
      for (let i = 0; i < 15; i++) {
        const pick = () => must(shared[Math.floor(random() * shared.length)], 'one of eight');
        const id = pick();
        const ops = (() => {
          switch (Math.floor(random() * 9)) {
            case 0:
              return [create(deals, { name: `w${which}`, qty: i })];
            case 1:
              return [create(deals, { name: 'twin', code: `c${Math.floor(random() * 12)}` })];
            case 2:
              return [update(deals, id, { qty: Math.floor(random() * 4) })];
            case 3:
              return [update(deals, id, { qty: i }, seen.get(id) ?? 1)];
            case 4:
              return [update(deals, id, {})];
            case 5:
              return [update(deals, id, { code: `c${Math.floor(random() * 12)}`, name: `w${which}` })];
            case 6:
              return i === 12 ? [remove(id)] : [remove(newId())];
            case 7:
              return [
                create(deals, { name: 'bulk' }),
                update(deals, id, { qty: 100 + i }),
                create(deals, { name: 'bulk' }),
              ];
            default:
              return [...new Set([pick(), pick(), newId()])].map((each) =>
                update(deals, each, { name: `b${which}-${i}` }),
              );
          }
        })();
        const write = writeOf(ops, random() < 0.5);
        try {
          const result = await (which % 2 ? a : b).writer.write(deals, write);
          for (const op of result.ops) if (op.version !== undefined) seen.set(op.id, op.version);
          done.push({ write, result });
        } catch (error) {
          done.push({ write, error });
        }
      }
    };
    await Promise.all(Array.from({ length: 32 }, (_, which) => writer(which)));

    const states = new Map<number, Rows>();
    const changes = await proveLog(deals, (seq, rows) => states.set(seq, new Map(rows)));
    for (const { write, result, error } of done) {
      const logged = changes.filter(({ changeSet }) => changeSet === write.context.changeSet);
      if (error !== undefined) expect(error).toMatchObject({ code: 'unique_violation' });
      const acknowledged = result?.ops.filter(({ status }) => status === 'ok') ?? [];
      expect(logged.map(({ rowId, version }) => ({ rowId, version }))).toEqual(
        acknowledged.map(({ id, version }) => ({ rowId: id, version })),
      );
      for (const op of acknowledged) {
        expect(logged.every(({ seq }) => seq === result?.seq)).toBe(true);
        if (op.json === undefined) continue;
        const { version, fields } = JSON.parse(op.json) as { version: number; fields: Record<string, unknown> };
        expect(states.get(must(result, 'acknowledged').seq)?.get(op.id)).toEqual({ version, fields });
      }
      if (write.atomic && result?.ops.some(({ status }) => status === 'not_found' || status === 'version_mismatch'))
        expect(logged).toEqual([]);
    }
    const statuses = new Set(done.flatMap(({ result }) => result?.ops.map(({ status }) => status) ?? ['refused']));
    expect(statuses).toEqual(new Set(['ok', 'unchanged', 'not_found', 'version_mismatch', 'refused']));
  });

  it('never lose an increment that is guarded by a version', async () => {
    const deals = await makeTable(a, DEALS());
    const [row] = await fill(a, deals, [{ name: 'counter', qty: 0 }]);
    const id = must(row, 'was created').id;
    const increment = async (store: Node) => {
      for (let version = 1, qty = 0, tries = 0; tries < 1000; tries++) {
        const { ops } = await store.writer.write(deals, writeOf([update(deals, id, { qty: qty + 1 }, version)]));
        const [op] = ops;
        if (op?.status === 'ok') return;
        const current = JSON.parse(op?.json ?? '') as { version: number; fields: { qty: number } };
        ({ version } = current);
        ({ qty } = current.fields);
      }
    };
    await Promise.all(Array.from({ length: 32 }, (_, i) => increment(i % 2 ? a : b)));
    await proveLog(deals);
    expect((await storedRows(pair.mini, deals)).get(id)).toMatchObject({
      version: 33,
      fields: { qty: 32 },
    });
  });
});

describe('a page that is read while writers are at work', () => {
  it('is the table exactly as it was at the number that the page names', async () => {
    const deals = await makeTable(a, DEALS());
    const ids = (
      await fill(
        a,
        deals,
        Array.from({ length: 20 }, (_, i) => ({ name: 'x', qty: i })),
      )
    ).map(({ id }) => id);
    const random = lcg(7);
    const pages: { seq: number; rows: Rows }[] = [];
    let ends = false;
    const reader = async ({ engine }: Node) => {
      while (!ends) {
        const { data, stream } = await engine.read(everything(deals));
        const rows = JSON.parse(`[${String(data)}]`) as { id: Id; version: number; fields: Record<string, unknown> }[];
        pages.push({
          seq: must(stream, 'the mini-DB keeps a log').seq,
          rows: new Map(rows.map(({ id, version, fields }) => [id, { version, fields }])),
        });
      }
    };
    const writer = async ({ writer }: Node) => {
      for (let i = 0; i < 40; i++) {
        const some = ids.filter(() => random() < 0.3).map((id) => update(deals, id, { qty: Math.floor(random() * 9) }));
        const more = [create(deals, { name: 'new' }), ...(i % 10 ? [] : [remove(must(ids[i / 10], 'twenty rows'))])];
        const moved = some.filter(({ id }) => !more.some((op) => op.id === id));
        await writer.write(deals, writeOf(i % 3 ? moved : [...moved, ...more], false));
      }
    };
    const reading = [reader(a), reader(b)];
    await Promise.all([a, b, a, b].map(writer)).finally(() => (ends = true));
    await Promise.all(reading);

    const states = new Map<number, Rows>([[0, new Map()]]);
    await proveLog(deals, (seq, rows) => states.set(seq, new Map(rows)));
    expect(new Set(pages.map(({ seq }) => seq)).size).toBeGreaterThan(5);
    for (const { seq, rows } of pages) expect(rows).toEqual(states.get(seq));
  });
});

describe('bulk writes over the same rows in opposite orders', () => {
  it('wait for each other instead of in a circle', async () => {
    const errors = [a, b].map(watchErrors);
    const deals = await makeTable(a, DEALS());
    const ids = (
      await fill(
        a,
        deals,
        Array.from({ length: 150 }, () => ({ name: 'x' })),
      )
    ).map(({ id }) => id);
    const turns = Array.from({ length: 24 }, async (_, i) => {
      const order = i % 2 ? ids : ids.toReversed();
      const ops = order.map((id, nr) => (nr % 7 === i % 7 ? remove(newId()) : update(deals, id, { qty: i })));
      const { ops: results } = await (i % 4 < 2 ? a : b).writer.write(deals, writeOf(ops, false));
      return results.length;
    });
    expect(await Promise.all(turns)).toEqual(turns.map(() => 150));
    expect(errors).toEqual([[], []]);
    await proveLog(deals);
  });

  it('of one unique value in opposite orders end with one winner each, and nobody sees an error of the database', async () => {
    const deals = await makeTable(a, DEALS());
    const codes = Array.from({ length: 40 }, (_, i) => `code ${i}`);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) =>
        (i % 2 ? a : b).writer.write(
          deals,
          writeOf((i % 2 ? codes : codes.toReversed()).map((code) => create(deals, { name: `${i}`, code }))),
        ),
      ),
    );
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused).toHaveLength(7);
    for (const reason of refused) expect(reason).toMatchObject({ code: 'unique_violation' });
    expect((await proveLog(deals)).length).toBe(40);
  });
});

describe('one write', () => {
  it('of values made from another copy of the metadata keeps every value', async () => {
    // Regression: see WriteQueue; metadata is read anew now and then while writes wait.
    const deals = await makeTable(a, DEALS());
    const again: TableSchema = { ...deals, columns: deals.columns.map((each) => ({ ...each })) };
    const rows = Array.from({ length: 20 }, (_, i) => ({
      copy: i % 2 ? deals : again,
      fields: { name: `row ${i}`, qty: i, code: `c${i}` },
    }));
    const results = await Promise.all(
      rows.map(({ copy, fields }) => a.writer.write(copy, writeOf([create(copy, fields)]))),
    );
    const stored = await storedRows(pair.mini, deals);
    for (const [i, { ops }] of results.entries())
      expect(stored.get(must(ops[0], 'one op').id)?.fields).toEqual(rows[i]?.fields);
  });

  it('of every type comes back as it went in, from the answer, the log and the table', async () => {
    const deals = await makeTable(a, everyType());
    const fields = {
      name: `"'\\%_ \u{1F600} \u0001`, title: '', notes: 'a\nb', qty: -(2 ** 53 - 1), amount: '99999999999999999999999999999999999999', unit_price: '1200.50',
      active: false, due: '0001-01-01', ends: '9999-12-31', seen: '9999-12-31T23:59:59.999Z', status: 'lost',
    }; // prettier-ignore
    const { ops } = await a.writer.write(deals, writeOf([create(deals, fields)]));
    const id = must(ops[0], 'one op').id;
    expect(JSON.parse(ops[0]?.json ?? '')).toMatchObject({ id, version: 1, fields });
    expect((await readLog(a.log, deals))[0]).toMatchObject({ op: 'create', version: 1, before: null, after: fields });
    const row = await a.engine.readOne(deals, deals.columns, { kind: 'true' }, id);
    expect(row?.json).toBe(ops[0]?.json);

    const cleared = Object.fromEntries(Object.keys(fields).map((key) => [key, key === 'title' ? 'b' : null]));
    await a.writer.write(deals, writeOf([update(deals, id, cleared)]));
    expect((await readLog(a.log, deals))[1]).toMatchObject({
      op: 'update',
      version: 2,
      before: fields,
      after: cleared,
    });
    await a.writer.write(deals, writeOf([remove(id)]));
    expect((await readLog(a.log, deals))[2]).toMatchObject({ op: 'delete', version: 3, before: cleared, after: null });
  });

  it('that changes nothing makes no version, no number and no entry', async () => {
    const deals = await makeTable(a, everyType());
    const [row] = await fill(a, deals, [{ title: 'x', amount: '1.50', qty: null, seen: '2026-01-01T00:00:00Z' }]);
    const id = must(row, 'was created').id;
    for (const same of [
      {},
      { title: 'x' },
      { amount: '1.5' },
      { qty: null },
      { seen: '2026-01-01T01:00:00.000+01:00' },
    ]) {
      const { seq, ops } = await a.writer.write(deals, writeOf([update(deals, id, same)]));
      expect({ seq, ops }).toMatchObject({ seq: 1, ops: [{ status: 'unchanged', version: 1 }] });
      expect(JSON.parse(ops[0]?.json ?? '')).toMatchObject({ id, version: 1, fields: { title: 'x' } });
    }
    expect(await readLog(a.log, deals)).toHaveLength(1);
  });

  it('that is stale gets the row as it is now, and changes nothing', async () => {
    const deals = await makeTable(a, DEALS());
    const [row] = await fill(a, deals, [{ name: 'x', qty: 1 }]);
    const id = must(row, 'was created').id;
    await a.writer.write(deals, writeOf([update(deals, id, { qty: 2 }, 1)]));
    for (const op of [update(deals, id, { qty: 9 }, 1), update(deals, id, { qty: 9 }, 3), remove(id, 1)]) {
      const { ops } = await a.writer.write(deals, writeOf([op]));
      expect(ops).toMatchObject([{ status: 'version_mismatch', version: 2 }]);
      expect(JSON.parse(ops[0]?.json ?? '')).toMatchObject({ version: 2, fields: { qty: 2 } });
    }
    expect(await proveLog(deals)).toHaveLength(2);
  });

  it('may free a unique value and give it to another row', async () => {
    const deals = await makeTable(a, DEALS());
    const rows = await fill(a, deals, [
      { name: 'old', code: 'a' },
      { name: 'moves', code: 'b' },
    ]);
    const [old, moves] = rows.map(({ id }) => id);
    const { ops } = await a.writer.write(
      deals,
      writeOf([
        create(deals, { name: 'new', code: 'a' }),
        remove(must(old, 'made')),
        update(deals, must(moves, 'made'), { qty: 1 }),
      ]),
    );
    expect(ops.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok']);
    await proveLog(deals);
  });

  it('compiled for another structure is refused whole', async () => {
    const deals = await makeTable(a, DEALS());
    const [row] = await fill(a, deals, [{ name: 'x', qty: 1 }]);
    const id = must(row, 'was created').id;
    const stale = { ...deals, schemaVersion: 2 };
    for (const op of [create(stale, { name: 'y' }), update(stale, id, { qty: 5 }), remove(id)])
      await expect(a.writer.write(stale, writeOf([op]))).rejects.toBeInstanceOf(SchemaMoved);
    const gone = { ...deals, columns: [...deals.columns, column('gone', 'text')] };
    await expect(a.writer.write(gone, writeOf([update(gone, id, { gone: 'x' })]))).rejects.toBeInstanceOf(SchemaMoved);
    expect(await proveLog(deals)).toHaveLength(1);
  });

  it.each([
    ['json', 'text', { a: 1 }, "'abc'"],
    ['text', 'jsonb', 'abc', `'{"a":1}'`],
    ['integer', 'boolean', 1, 'true'],
    ['integer', 'text', 1, "'abc'"],
    ['boolean', 'bigint', true, '1'],
    ['multi_select', 'text', ['open'], "'open'"],
    ['date', 'text', '2026-11-27', "'soon'"],
  ] as const)(
    'compiled before a column of the type %s became one of %s is refused as that, whatever its statement stumbles over',
    async (type, physical, value, instead) => {
      const from = await makeTable(a, table([column('name', 'text'), column('was', type)]));
      const [row] = await fill(a, from, [{ name: 'x', was: value }]);
      const id = must(row, 'was created').id;
      const place = `"${from.physical.schema}"."${from.physical.table}"`;
      for (const text of [
        `alter table ${place} drop column was, add column was ${physical} default ${instead}`,
        `update "${from.physical.schema}"._stream set schema_version = 2 where table_id = '${from.id}'`,
      ])
        await sql(pair.mini, text);
      for (const op of [
        create(from, { was: value }),
        update(from, id, { name: 'y' }),
        update(from, id, { was: null }),
        remove(id),
      ])
        await expect(a.writer.write(from, writeOf([op]))).rejects.toBeInstanceOf(SchemaMoved);
      await expect(a.engine.readOne(from, from.columns, { kind: 'true' }, id)).rejects.toBeInstanceOf(SchemaMoved);
      if (type === 'integer')
        await expect(a.lookup.matches(from, from.columns.slice(1), [{ o: 0, values: [1] }])).rejects.toBeInstanceOf(
          SchemaMoved,
        );
    },
  );

  it('with a value too long for its unique index is a refusal that says so', async () => {
    const deals = await makeTable(a, DEALS());
    const long = Array.from({ length: 9000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000))).join('');
    const error = await a.writer
      .write(deals, writeOf([create(deals, { name: 'x', code: long })]))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ code: 'validation_failed' });
  });
});

const everything = (from: TableSchema): ReadPlan => ({
  from,
  select: from.columns,
  where: { kind: 'true' },
  orderBy: [{ by: { kind: 'id' }, dir: 'asc' }],
  limit: 1000,
  count: 'none',
});

/** A small generator of numbers in [0, 1), the same in every run. */
function lcg(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32) / 2 ** 32;
}
