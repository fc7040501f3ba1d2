import { describe, expect, it } from '@jest/globals';
import { roomOf } from './room.js';

const MIB = 1 << 20;

describe('the room of a disk', () => {
  it.each([
    ['half used', 1_000, 500, { percentage: 50, isFull: false }],
    ['full', 1_000, 0, { percentage: 100, isFull: true }],
    ['with little left', 1_000, 50, { percentage: 95, isFull: true }],
    ['small and empty', 16, 16, { percentage: 0, isFull: false }],
    ['large, whose last hundredths are much', 1_000_000, 10_000, { percentage: 99, isFull: false }],
    ['without a size', 0, 0, { percentage: 0, isFull: false }],
  ])('%s', (_name, blocks, bavail, found) => {
    expect(roomOf({ blocks, bavail, bsize: MIB })).toEqual({ free: bavail * MIB, limit: blocks * MIB, ...found });
  });
});
