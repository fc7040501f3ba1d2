import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bySeq, liveEvent, MAX_EVENT_BYTES, MAX_EVENT_ROWS } from './live-event.js';
import type { DataUpdateEvent, InvalidatedEvent } from '../messages/index.js';
import type { Change } from './log-reader.js';

const CHANNEL = 'table:t';
const base: Change = {
  seq: 7,
  ord: 0,
  op: 'update',
  rowId: 'row-1',
  version: 3,
  schemaVersion: 2,
  before: { name: 'old' },
  after: { name: 'new' },
  at: '2026-01-02T03:04:05.678Z',
  actor: { id: 'ada', name: 'Ada', clientId: 'tab-1' },
  source: 'api',
  changeSet: 'set-1',
  requestId: 'request-1',
};
const event = (...changes: Partial<Change>[]) =>
  liveEvent(
    CHANNEL,
    'e1',
    changes.map((change, ord) => ({ ...base, ord, ...change })),
  );

/** What an event of rows may hold, so that a test can look for a member that is not there. */
const payloadOf = (...changes: Partial<Change>[]) =>
  event(...changes).payload as Partial<DataUpdateEvent & InvalidatedEvent>;

describe('the event of one seq', () => {
  it('carries the number before, so that a client sees a gap', () => {
    expect(event({})).toMatchObject({
      name: 'data:update',
      payload: {
        channel: CHANNEL,
        epoch: 'e1',
        seq: 7,
        prev: 6,
        schemaVersion: 2,
        at: base.at,
        changeSet: 'set-1',
        actor: base.actor,
        source: 'api',
        created: [],
        updated: [{ id: 'row-1', version: 3, fields: { name: 'new' } }],
        deleted: [],
      },
    });
  });

  it('shows a created row as REST does', () => {
    const payload = payloadOf({ op: 'create', version: 1, before: null, after: { name: 'new', n: null } });
    expect(payload.created).toEqual([
      {
        id: 'row-1',
        version: 1,
        fields: { name: 'new', n: null },
        createdAt: base.at,
        createdBy: 'ada',
        updatedAt: base.at,
        updatedBy: 'ada',
      },
    ]);
  });

  it('names a deleted row and the version that the delete made, nothing else', () => {
    const payload = payloadOf({ op: 'delete', before: { name: 'secret' }, after: null });
    expect(payload.deleted).toEqual([{ id: 'row-1', version: 3 }]);
    expect(JSON.stringify(payload)).not.toContain('secret');
  });

  it('shows a restored row whole, and does not pretend to know when it was made', () => {
    const payload = payloadOf({ op: 'restore', version: 5, after: { name: 'back' } });
    expect(payload.created).toEqual([
      { id: 'row-1', version: 5, fields: { name: 'back' }, restored: true, updatedAt: base.at, updatedBy: 'ada' },
    ]);
  });

  it('announces a change of the structure', () => {
    const { name, payload } = event({ op: 'schema', rowId: null, version: null, schemaVersion: 3, after: null });
    expect(name).toBe('schema:update');
    expect(payload).toEqual({
      channel: CHANNEL,
      epoch: 'e1',
      seq: 7,
      prev: 6,
      schemaVersion: 3,
      at: base.at,
      actor: base.actor,
    });
  });

  it('tells what a change of the structure did, where it fits', () => {
    const change = { 'column.converted': { id: 'c', key: 'price', type: 'decimal' } };
    const schema = { op: 'schema', rowId: null, version: null } as const;
    expect(event({ ...schema, after: change }).payload).toMatchObject({ seq: 7, prev: 6, change });
    const large = event({ ...schema, after: { ...change, more: 'x'.repeat(MAX_EVENT_BYTES) } });
    expect(large.payload).not.toHaveProperty('change');
    expect(large.bytes).toBeLessThan(1_000);
  });

  it('leaves the data out when there are too many rows, and the ids when they do not fit either', () => {
    const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ rowId: `row-${i}` }));
    expect(payloadOf(...rows(MAX_EVENT_ROWS)).updated).toHaveLength(MAX_EVENT_ROWS);
    const many = payloadOf(...rows(MAX_EVENT_ROWS + 1));
    expect(many).toMatchObject({ invalidated: true, seq: 7, prev: 6, changeSet: 'set-1' });
    expect(many.rowIds).toHaveLength(MAX_EVENT_ROWS + 1);
    expect(many).not.toHaveProperty('updated');
    expect(event(...rows(2_000)).payload).not.toHaveProperty('rowIds');
  });

  it('leaves the data out when it is too large in UTF-8', () => {
    expect(event({ after: { name: 'x'.repeat(MAX_EVENT_BYTES - 1_000) } }).payload).toHaveProperty('updated');
    expect(event({ after: { name: 'é'.repeat(MAX_EVENT_BYTES / 2) } }).payload).toEqual(
      expect.objectContaining({ invalidated: true, rowIds: ['row-1'] }),
    );
  });

  it('leaves the data out when the log withheld it, and the ids when it withheld rows', () => {
    expect(event({ after: null, withheld: 'data' }).payload).toEqual(
      expect.objectContaining({ invalidated: true, rowIds: ['row-1'] }),
    );
    const rows = event({ after: null, withheld: 'rows' }).payload;
    expect(rows).toHaveProperty('invalidated', true);
    expect(rows).not.toHaveProperty('rowIds');
  });

  it('leads a client that applies created, updated, deleted to where the log leads', () => {
    type Fields = Readonly<Record<string, unknown>>;
    const op = fc.record({
      row: fc.integer({ min: 0, max: 2 }),
      key: fc.constantFrom('a', 'b'),
      value: fc.integer(),
      kind: fc.constantFrom('write', 'delete'),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 2 })),
        fc.array(op, { minLength: 1, maxLength: 12 }),
        (existing, ops) => {
          const start = new Map<string, Fields>(existing.map((row) => [`row-${row}`, { a: 0, b: 0 }]));
          const truth = new Map(start);
          const trash = new Set<string>();
          const changes: Partial<Change>[] = ops.flatMap(({ row, key, value, kind }, version): Partial<Change>[] => {
            const rowId = `row-${row}`;
            const now = truth.get(rowId);
            if (kind === 'delete') {
              if (!now) return [];
              truth.delete(rowId);
              trash.add(rowId);
              return [{ op: 'delete', rowId, version, after: null }];
            }
            truth.set(rowId, { a: 0, b: 0, ...now, [key]: value });
            if (now) return [{ op: 'update', rowId, version, after: { [key]: value } }];
            return [{ op: trash.has(rowId) ? 'restore' : 'create', rowId, version, after: truth.get(rowId) }];
          });
          if (changes.length === 0) return;
          const payload = event(...changes).payload as unknown as Record<
            'created' | 'updated' | 'deleted',
            { id: string; fields: Fields }[]
          >;
          const client = new Map(start);
          for (const row of payload.created) client.set(row.id, row.fields);
          for (const row of payload.updated) client.set(row.id, { ...client.get(row.id), ...row.fields });
          for (const row of payload.deleted) client.delete(row.id);
          expect(client).toEqual(truth);
        },
      ),
    );
  });
});

describe('a batch of the log', () => {
  it('is split into its seqs', () => {
    const batch = [1, 1, 2, 5, 5].map((seq, ord) => ({ ...base, seq, ord }));
    expect(bySeq(batch).map((group) => group.map(({ seq }) => seq))).toEqual([[1, 1], [2], [5, 5]]);
    expect(bySeq([])).toEqual([]);
  });
});
