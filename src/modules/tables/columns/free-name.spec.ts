import { describe, expect, it } from '@jest/globals';
import { cleanName, foldName } from '../../../common/index.js';
import { freeName } from './free-name.js';

const columns = (...names: readonly string[]) => names.map((name) => ({ nameFolded: foldName(name) }));

describe('a free name', () => {
  it('is the name itself, or the first number behind it that no column has in any letter case', () => {
    expect(freeName('Deals', columns('Other'))).toBe('Deals');
    expect(freeName('Deals', columns('DEALS', 'deals 2', 'Deals 4'))).toBe('Deals 3');
  });

  it.each([
    ['letters', 'x'.repeat(255)],
    ['characters of two code units', '😀'.repeat(255)],
    ['both', `a${'😀'.repeat(254)}`],
  ])('is a name still where one of 255 %s is taken', (_, name) => {
    const free = freeName(name, columns(name));
    expect(cleanName(free)).toBe(free);
    expect(free.endsWith(' 2')).toBe(true);
  });
});
