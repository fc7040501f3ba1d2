import type { Id } from '../../../../common/index.js';
import type { OwnAct } from '../../../../engines/index.js';

/** What a client can undo and redo, the next one last. */
export interface UndoLine {
  readonly undo: readonly Id[];
  readonly redo: readonly Id[];
}

/** Acts that can be undone; what is older stays. */
const MOST = 100;

/**
 * Of what a client did, the oldest first: an undo takes its act out of the line and puts itself among what can be redone, a redo the other way round, and anything
 * else empties what can be redone. Nothing but the change log is needed to know it. Pure.
 */
export function undoLine(acts: readonly OwnAct[]): UndoLine {
  let undo: Id[] = [];
  let redo: Id[] = [];
  for (const { changeSet, source, revertOf } of acts)
    switch (source) {
      case 'undo':
        undo = undo.filter((each) => each !== revertOf);
        redo.push(changeSet);
        break;
      case 'redo':
        redo = redo.filter((each) => each !== revertOf);
        undo.push(changeSet);
        break;
      default:
        undo.push(changeSet);
        redo = [];
    }
  return { undo: undo.slice(-MOST), redo };
}
