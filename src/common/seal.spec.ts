import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { sealerFor } from './seal.js';

describe('a sealed text', () => {
  const key = randomBytes(32);
  const sealer = sealerFor('test v1', [key]);

  it('opens for its owner, shows nothing, and is another each time', () => {
    const sealed = sealer.seal('row 1', 'Zoë’s secret');
    expect(sealer.open('row 1', sealed)).toBe('Zoë’s secret');
    expect(sealed.toString('latin1')).not.toContain('secret');
    expect(sealer.seal('row 1', 'Zoë’s secret').equals(sealed)).toBe(false);
  });

  it('opens for nobody else: another row, purpose or key, a changed or cut text', () => {
    const sealed = sealer.seal('row 1', 'text');
    const changed = Buffer.from(sealed);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(sealer.open('row 2', sealed)).toBeUndefined();
    expect(sealerFor('test v2', [key]).open('row 1', sealed)).toBeUndefined();
    expect(sealerFor('test v1', [randomBytes(32)]).open('row 1', sealed)).toBeUndefined();
    expect(sealer.open('row 1', changed)).toBeUndefined();
    expect(sealer.open('row 1', sealed.subarray(0, 20))).toBeUndefined();
    expect(sealer.open('row 1', Buffer.alloc(0))).toBeUndefined();
  });

  it('opens under a key that others seal with, and is sealed under the first', () => {
    const other = randomBytes(32);
    const during = sealerFor('test v1', [other, key]);
    expect(during.open('row 1', sealer.seal('row 1', 'text'))).toBe('text');
    expect(sealer.open('row 1', during.seal('row 1', 'text'))).toBeUndefined();
    expect(sealerFor('test v1', [other]).open('row 1', during.seal('row 1', 'text'))).toBe('text');
  });
});
