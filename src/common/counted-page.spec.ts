import { describe, expect, it } from '@jest/globals';
import { countedPage } from './counted-page.js';

const LETTERS = ['a', 'b', 'c', 'd', 'e'];

describe('countedPage', () => {
  it('leads through the whole list and ends without a cursor', () => {
    const first = countedPage(LETTERS, { limit: 2 });
    expect([first.data, first.page.limit]).toEqual([['a', 'b'], 2]);
    const second = countedPage(LETTERS, { limit: 3, cursor: first.page.nextCursor ?? '' });
    expect(second).toEqual({ data: ['c', 'd', 'e'], page: { limit: 3 } });
    expect(countedPage([], { limit: 2 })).toEqual({ data: [], page: { limit: 2 } });
    expect(countedPage(['a'], { limit: 2, cursor: first.page.nextCursor ?? '' }).data).toEqual([]);
  });

  it('takes nothing but its own cursors', () => {
    const own = (text: string): string => Buffer.from(text).toString('base64url');
    for (const cursor of [
      '',
      'x',
      own('after'),
      own('after -1'),
      own('after 01'),
      own('after 1.5'),
      `${own('after 2')}=`,
    ])
      expect(() => countedPage(LETTERS, { limit: 1, cursor })).toThrow(
        expect.objectContaining({ code: 'cursor_invalid' }),
      );
  });
});
