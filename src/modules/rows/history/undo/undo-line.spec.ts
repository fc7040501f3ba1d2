import { describe, expect, it } from '@jest/globals';
import type { OwnAct } from '../../../../engines/index.js';
import { undoLine } from './undo-line.js';

const edit = (changeSet: string): OwnAct => ({ changeSet, source: 'api' });
const undo = (changeSet: string, revertOf: string): OwnAct => ({ changeSet, source: 'undo', revertOf });
const redo = (changeSet: string, revertOf: string): OwnAct => ({ changeSet, source: 'redo', revertOf });

describe('the line of what a client can undo', () => {
  it.each<[string, readonly OwnAct[], readonly string[], readonly string[]]>([
    ['nothing', [], [], []],
    ['acts, the newest last', [edit('a'), edit('b')], ['a', 'b'], []],
    ['an undo', [edit('a'), edit('b'), undo('u', 'b')], ['a'], ['u']],
    ['two of them', [edit('a'), edit('b'), undo('u', 'b'), undo('v', 'a')], [], ['u', 'v']],
    ['a redo, which can be undone', [edit('a'), undo('u', 'a'), redo('r', 'u')], ['r'], []],
    ['an undo of a redo', [edit('a'), undo('u', 'a'), redo('r', 'u'), undo('v', 'r')], [], ['v']],
    ['a new act, which ends what could be redone', [edit('a'), edit('b'), undo('u', 'b'), edit('c')], ['a', 'c'], []],
    ['an undo of what is too long ago to be known', [undo('u', 'a'), edit('b')], ['b'], []],
  ])('is right for %s', (_what, acts, canUndo, canRedo) => {
    expect(undoLine(acts)).toEqual({ undo: canUndo, redo: canRedo });
  });

  it('has a hundred acts at most', () => {
    const acts = Array.from({ length: 130 }, (_, n) => edit(`e${n}`));
    expect(undoLine(acts).undo).toHaveLength(100);
    expect(undoLine(acts).undo.at(-1)).toBe('e129');
  });
});
