import { describe, expect, it } from '@jest/globals';
import { isNetwork, networkList } from './network.js';

describe('networks that a key may be used from', () => {
  it('are addresses, or ranges of them', () => {
    for (const text of ['203.0.113.7', '203.0.113.0/24', '::1', '2001:db8::/32', '0.0.0.0/0'])
      expect(isNetwork(text)).toBe(true);
    for (const text of [
      '',
      'x',
      '203.0.113',
      '203.0.113.0/33',
      '::/129',
      '1.2.3.4/',
      '1.2.3.4/8/8',
      'fe80::1%eth0',
      '1.2.3.4/-1',
    ])
      expect(isNetwork(text)).toBe(false);
  });

  it('hold what lies in them, and no other family', () => {
    const holds = networkList(['203.0.113.0/24', '2001:db8::/32']);
    for (const ip of ['203.0.113.7', '::ffff:203.0.113.7', '2001:db8::1']) expect(holds(ip)).toBe(true);
    for (const ip of ['203.0.114.7', '::ffff:203.0.114.7', '2001:db9::1', '::1', 'x', ''])
      expect(holds(ip)).toBe(false);
    expect(networkList(['::/0'])('203.0.113.7')).toBe(false);
    expect(networkList(['0.0.0.0/0'])('::1')).toBe(false);
  });
});
