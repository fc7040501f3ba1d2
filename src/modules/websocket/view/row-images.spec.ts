import { describe, expect, it } from '@jest/globals';
import type { Change } from '../../../engines/index.js';
import { rowImages } from './row-images.js';

const ROW = '01900000-0000-7000-8000-000000000001';
const change = (version: number, op: Change['op'], before: object | null, after: object | null): Change => ({
  ...{ seq: version, ord: 0, op, rowId: ROW, version, schemaVersion: 1, at: '', source: 'api' },
  ...{ before: before as Change['before'], after: after as Change['after'] },
  ...{ actor: { id: null, name: 'Ada' }, changeSet: ROW, requestId: 'r' },
});
const CREATED = change(1, 'create', null, { a: 1, b: [] });
const UPDATED = change(2, 'update', { a: 1 }, { a: 2 });
const LINKED = change(3, 'update', { b: { $add: [], $remove: ['x'] } }, { b: { $add: ['x'], $remove: [] } });
const DELETED = change(4, 'delete', { a: 2, b: ['x'] }, null);
const RESTORED = change(5, 'restore', null, { a: 2, b: [] });

const told = (changes: readonly Change[], now?: { version: number; fields: Record<string, unknown> }) =>
  [...rowImages(ROW, changes, now)].map(([{ version }, { before, after }]) => [version, before?.fields, after?.fields]);

describe('what changes of a row found and left', () => {
  it('is taken back from what the row is now', () => {
    expect(told([CREATED, UPDATED, LINKED], { version: 3, fields: { a: 2, b: ['x'] } })).toEqual([
      [3, { a: 2, b: [] }, { a: 2, b: ['x'] }],
      [2, { a: 1, b: [] }, { a: 2, b: [] }],
      [1, undefined, { a: 1, b: [] }],
    ]);
  });

  it('leaves out what happened after the row was read', () => {
    expect(told([CREATED, UPDATED, LINKED], { version: 2, fields: { a: 2, b: [] } })).toEqual([
      [2, { a: 1, b: [] }, { a: 2, b: [] }],
      [1, undefined, { a: 1, b: [] }],
    ]);
  });

  it('is what the deletion found, of a row that is gone, and of one that came back', () => {
    const gone = [
      [4, { a: 2, b: ['x'] }, undefined],
      [3, { a: 2, b: [] }, { a: 2, b: ['x'] }],
    ];
    expect(told([LINKED, DELETED])).toEqual(gone);
    // It came back after it was looked for.
    expect(told([LINKED, DELETED, RESTORED])).toEqual(gone);
    expect(told([LINKED, DELETED, RESTORED], { version: 5, fields: { a: 2, b: [] } })).toEqual([
      [5, undefined, { a: 2, b: [] }],
      ...gone,
    ]);
  });

  it('is not known of a row that is gone without a trace', () => {
    expect(told([UPDATED])).toEqual([]);
  });
});
