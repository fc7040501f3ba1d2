import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Problem } from '../common/index.js';
import { everyType, fuzz } from '../../test/query/index.js';
import { parseTextFilter } from './filter/text-filter.js';
import { CursorCodec, fingerprint } from './keyset.js';

const codec = new CursorCodec(Buffer.alloc(32, 1));
const code = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return `${error.status} ${error.code}`;
    throw error;
  }
  return 'opened';
};

describe('a cursor', () => {
  it('brings its position back, on every node that has the key', () => {
    const cell = fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null));
    fc.assert(
      fc.property(fc.array(cell), (position) => {
        expect(new CursorCodec(Buffer.alloc(32, 1)).open('q', codec.seal('q', position))).toEqual(position);
      }),
      fuzz(100),
    );
  });

  it('that was made before the key was changed, or on a node that has changed it already, leads on', () => {
    const [before, after] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const cursor = new CursorCodec(before).seal('q', ['x']);
    expect(new CursorCodec(after, before).open('q', cursor)).toEqual(['x']);
    expect(new CursorCodec(before, after).open('q', new CursorCodec(after, before).seal('q', ['x']))).toEqual(['x']);
    expect(code(() => new CursorCodec(after).open('q', cursor))).toBe('400 cursor_invalid');
  });

  it('says which way it leads', () => {
    for (const way of ['after', 'from', 'before', 'upTo'] as const)
      expect(codec.openEdge('q', codec.seal('q', [1], way))).toEqual({ position: [1], way });
    // As cursors were made before there were ways.
    expect(codec.openEdge('q', codec.seal('q', [1]))).toEqual({ position: [1], way: 'after' });
  });

  it('keeps what its page took for now, where that was said', () => {
    const clock = new Date('2026-11-28T10:00:00.123Z');
    for (const way of ['after', 'before'] as const)
      expect(codec.openEdge('q', codec.seal('q', [1], way, clock))).toEqual({ position: [1], way, clock });
  });

  it('shows nothing of the row, and looks different each time', () => {
    const [a, b] = [codec.seal('q', ['secret']), codec.seal('q', ['secret'])];
    expect(a).toMatch(/^[\w-]+$/);
    expect(a).not.toBe(b);
    expect(Buffer.from(a, 'base64url').toString('latin1')).not.toContain('secret');
  });

  it('of another query is a mismatch, of another key or anything else is not valid', () => {
    const cursor = codec.seal('q', ['x']);
    expect(code(() => codec.open('other', cursor))).toBe('400 cursor_mismatch');
    expect(code(() => new CursorCodec(Buffer.alloc(32, 2)).open('q', cursor))).toBe('400 cursor_invalid');
    for (const junk of [
      '',
      'x',
      '0',
      'null',
      '%',
      '\u{1F600}',
      'A'.repeat(4000),
      cursor.slice(0, -2),
      cursor.slice(2),
      `${cursor}AAAA`,
    ])
      expect(code(() => codec.open('q', junk))).toBe('400 cursor_invalid');
  });

  it('with a single flipped bit is not valid', () => {
    const bytes = Buffer.from(codec.seal('q', ['x', 1, null]), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const broken = Buffer.from(bytes);
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(code(() => codec.open('q', broken.toString('base64url')))).toBe('400 cursor_invalid');
    }
  });
});

describe('the fingerprint of a query', () => {
  const [a, b] = [everyType(), everyType()];
  const byId = [{ by: { kind: 'id' }, dir: 'asc' }] as const;

  it('tells apart what pages differently', () => {
    const prints = [
      fingerprint(a, undefined, byId),
      fingerprint(b, undefined, byId),
      fingerprint(a, undefined, [{ by: { kind: 'id' }, dir: 'desc' }]),
      fingerprint(a, undefined, byId, { trashed: true }),
      fingerprint(a, undefined, byId, { search: 'x' }),
      fingerprint(a, undefined, byId, { search: 'y' }),
      fingerprint(a, undefined, byId, { tz: 'x' }),
      fingerprint(a, parseTextFilter('name.eq.a'), byId),
      fingerprint(a, parseTextFilter('name.eq.b'), byId),
      fingerprint(a, parseTextFilter('not(name.eq.a)'), byId),
      ...a.columns
        .slice(0, 2)
        .map((column) => fingerprint(a, undefined, [{ by: { kind: 'column', column }, dir: 'asc' }, ...byId])),
    ];
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('stays when the structure is read anew', () => {
    const again = { ...a, schemaVersion: 9, columns: a.columns.map((each) => ({ ...each, name: 'renamed' })) };
    expect(fingerprint(again, undefined, byId)).toBe(fingerprint(a, undefined, byId));
  });
});
