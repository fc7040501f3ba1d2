import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newId } from './ids.js';
import { placeOfCursor, positionPage } from './position-page.js';

describe('positionPage', () => {
  it('gives a cursor that leads back to the last item shown, whatever its position', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (position) => {
        const items = [{ position, id: newId() }, { position: 1e300, id: newId() }]; // prettier-ignore
        const { data, page } = positionPage(items, 1);
        expect(data).toEqual(items.slice(0, 1));
        expect(placeOfCursor(page.nextCursor ?? '')).toEqual(items[0]);
      }),
    );
  });

  it('ends without a cursor when there is nothing more', () => {
    expect(positionPage([], 3)).toEqual({ data: [], page: { limit: 3 } });
    expect(positionPage([{ position: 1, id: newId() }], 1).page).toEqual({ limit: 1 });
  });

  it('takes nothing but its own cursors', () => {
    const refused = (text: string) => {
      try {
        return positionPage([placeOfCursor(text), { position: 0, id: newId() }], 1).page.nextCursor === text;
      } catch (error) {
        return (error as { code?: string }).code === 'cursor_invalid';
      }
    };
    fc.assert(fc.property(fc.string({ unit: 'binary' }), refused));
    fc.assert(fc.property(fc.base64String({ minLength: 28, maxLength: 36 }), refused));
    for (const text of ['', ' ', `${'A'.repeat(32)}=`, 'A'.repeat(31) + '+', 'f_AAAAAAAAA' + 'A'.repeat(21)])
      expect(refused(text)).toBe(true);
  });
});
