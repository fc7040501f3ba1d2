import { Injectable } from '@nestjs/common';
import { isId, Problem, type Access, type Answer, type Id } from '../../../../common/index.js';
import { HistoryLog } from '../../../../engines/index.js';
import { bodyOf, listOf, refuse } from '../../../../query/index.js';
import type { Manner } from '../../write/manner.js';
import { TableRevert } from '../revert/table-revert.service.js';
import { undoLine } from './undo-line.js';

const MOST_SKIPPED = 100;

/** Use cases of taking back what one did oneself, with the same client, one act after the other. */
@Injectable()
export class UndoService {
  constructor(
    private readonly reverts: TableRevert,
    private readonly log: HistoryLog,
  ) {}

  /** @throws Problem `nothing_to_undo`, `nothing_to_redo`, and what a revert is refused with */
  run(what: 'undo' | 'redo', access: Access, tableId: Id, body: unknown, manner: Manner): Promise<Answer> {
    const skip = parseSkip(body);
    return this.reverts.takeBack(access, tableId, manner, async (session, table) => {
      const line = undoLine(await this.log.ownActs(session, table.physical.schema, table.id, ownerOf(access)));
      const acts = line[what].filter((each) => !skip.has(each));
      const act = acts.at(-1);
      if (act === undefined) throw new Problem(what === 'undo' ? 'nothing_to_undo' : 'nothing_to_redo');
      const [undo, redo] = what === 'undo' ? [-1, 1] : [1, -1];
      const left = { undo: line.undo.length + undo, redo: line.redo.length + redo };
      return {
        act,
        source: what,
        by: ownerOf(access),
        told: (rows) => ({ revertOf: act, left: rows > 0 ? left : { undo: line.undo.length, redo: line.redo.length } }),
      };
    });
  }
}

const ownerOf = ({ principal, request }: Access) => ({
  actorId: principal.userId,
  clientId: request.clientId ?? null,
});

/** @throws Problem `validation_failed` */
function parseSkip(input: unknown): ReadonlySet<Id> {
  if (input === undefined || input === null) return new Set();
  const { skip } = bodyOf(input, '', ['skip']);
  if (skip === undefined) return new Set();
  const ids = listOf(skip, '/skip', (value, at) => {
    if (typeof value !== 'string' || !isId(value)) throw refuse(at, 'is_id', 'A change set has an id.');
    return value.toLowerCase();
  });
  if (ids.length > MOST_SKIPPED) throw refuse('/skip', 'too_many', `At most ${MOST_SKIPPED} are passed over.`);
  return new Set(ids);
}
