import { describe, expect, it } from '@jest/globals';
import { FailingTwice } from './failing-twice.js';

describe('FailingTwice', () => {
  it('tells those that fail time after time from those that fail now and then', () => {
    const failing = new FailingTwice();
    expect([failing.again('a'), failing.again('b'), failing.again('a'), failing.again('a')]).toEqual([
      false,
      false,
      true,
      true,
    ]);
    failing.worked('a');
    expect([failing.again('a'), failing.again('b')]).toEqual([false, true]);
  });
});
