import { describe, expect, it } from '@jest/globals';
import { PresenceBoard, type Present } from './presence-board.js';

const at = (presenceId: string, state = '{}', channel = 'table:1'): Present => ({
  ...{ channel, presenceId, userId: 'u', name: 'Ada', state },
});

describe('a board of who is where', () => {
  it('knows who is new, who has changed, and who is only heard of again', () => {
    const board = new PresenceBoard(30);
    expect(board.put(at('a'), 0)).toBe('new');
    expect(board.put(at('a'), 1)).toBe('same');
    expect(board.put(at('a', '{"mode":"idle"}'), 2)).toBe('changed');
    expect(board.put(at('a', '{}', 'table:2'), 3)).toBe('new');
    board.put(at('b'), 3);
    expect(board.others('table:1', 'a', 9).map(({ presenceId }) => presenceId)).toEqual(['b']);
    expect(board.others('table:1', 'x', 1)).toHaveLength(1);
  });

  it('forgets who goes, and who is not heard of for too long', () => {
    const board = new PresenceBoard(30);
    board.put(at('a'), 0);
    board.put(at('b'), 20);
    expect(board.expire(30)).toEqual([]);
    expect(board.expire(31).map(({ presenceId }) => presenceId)).toEqual(['a']);
    expect(board.remove('table:1', 'a')).toBeUndefined();
    expect(board.remove('table:1', 'b')?.presenceId).toBe('b');
    expect(board.others('table:1', '', 9)).toEqual([]);
  });
});
