import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { idOfCursor, idPage } from './id-page.js';
import { newId } from './ids.js';

describe('idPage', () => {
  const items = Array.from({ length: 3 }, () => ({ id: newId() }));

  it('ends without a cursor when there is nothing more', () => {
    expect(idPage(items, 3)).toEqual({ data: items, page: { limit: 3 } });
    expect(idPage([], 3)).toEqual({ data: [], page: { limit: 3 } });
  });

  it('gives a cursor that leads back to the last item shown', () => {
    const { data, page } = idPage(items, 2);
    expect(data).toEqual(items.slice(0, 2));
    expect(page.nextCursor).toMatch(/^[\w-]{22}$/);
    expect(idOfCursor(page.nextCursor ?? '')).toBe(items[1]?.id);
  });

  it('takes nothing but its own cursors', () => {
    const refused = (text: string) => {
      try {
        return idPage([{ id: idOfCursor(text) }, { id: newId() }], 1).page.nextCursor === text;
      } catch (error) {
        return (error as { code?: string }).code === 'cursor_invalid';
      }
    };
    fc.assert(fc.property(fc.string({ unit: 'binary' }), refused));
    fc.assert(fc.property(fc.base64String({ minLength: 20, maxLength: 24 }), refused));
    for (const text of ['', ' ', '\0', `${'A'.repeat(22)}=`, 'A'.repeat(22) + 'A'])
      expect(() => idOfCursor(text)).toThrow();
  });
});
