import { describe, expect, it } from '@jest/globals';
import { newId } from '../../../common/index.js';
import { LockBoard, type Claim } from './lock-board.js';

const claim = (over: Partial<Claim> = {}): Claim => ({
  ...{ channel: 'table:1', rowId: 'r', columnKey: 'name', holder: newId(), userId: newId(), name: 'Ada', since: 1_000 },
  ...over,
});

describe('the claims on cells', () => {
  it('are one for each cell: the earlier one holds, in whichever order they are heard of', () => {
    const [first, second] = [claim({ since: 1 }), claim({ since: 2 })];
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      const board = new LockBoard(100);
      for (const each of order) board.put(each, 0);
      expect(board.at(first, 0)).toEqual(first);
    }
    const [low, high] = [claim({ holder: 'a' }), claim({ holder: 'b' })];
    const board = new LockBoard(100);
    expect([board.put(high, 0), board.put(low, 0), board.put(high, 0)]).toEqual(['new', 'new', 'late']);
  });

  it('end when they are not renewed, and make room for others', () => {
    const board = new LockBoard(100);
    const [first, second] = [claim({ since: 1 }), claim({ since: 2 })];
    expect([board.put(first, 0), board.put(first, 90), board.put(second, 190)]).toEqual(['new', 'same', 'late']);
    expect(board.put(second, 191)).toBe('new');
    expect(board.expire(291)).toEqual([]);
    expect(board.expire(292)).toEqual([second]);
    expect(board.at(second, 292)).toBeUndefined();
  });

  it('are given up by whoever holds them only', () => {
    const board = new LockBoard(100);
    const [mine, other] = [claim(), claim()];
    board.put(mine, 0);
    expect([board.remove(other), board.remove(mine), board.remove(mine)]).toEqual([false, true, false]);
  });

  it('do not take one cell for another, whatever they are called', () => {
    const board = new LockBoard(100);
    board.put(claim({ rowId: 'a","b', columnKey: 'c' }), 0);
    expect(board.at(claim({ rowId: 'a', columnKey: 'b","c' }), 0)).toBeUndefined();
    board.put(claim({ rowId: '__proto__', columnKey: 'constructor' }), 0);
    expect(board.in('table:1', 0, 10)).toHaveLength(2);
  });
});
