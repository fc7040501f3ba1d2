import { isId, type Id } from '../../../../common/index.js';
import type { HistoryFilter } from '../../../../engines/index.js';
import { bodyOf, columnType, refuse } from '../../../../query/index.js';

/** Which changes of a table are to be undone, and how. */
export interface RevertRequest {
  readonly which: HistoryFilter;
  /** Also what others have changed since. */
  readonly overwrite: boolean;
  readonly dryRun: boolean;
  readonly confirmToken?: string;
  /** What the confirmation is for, as it was asked. */
  readonly asked: unknown;
}

const MEMBERS = ['changeSet', 'fromSeq', 'toSeq', 'actorId', 'from', 'to'] as const;

/** @throws Problem `validation_failed` */
export function parseRevert(input: unknown): RevertRequest {
  const body = bodyOf(input, '', [...MEMBERS, 'onConflict', 'dryRun', 'confirmToken']);
  const { onConflict = 'skip', dryRun = false, confirmToken } = body;
  if (onConflict !== 'skip' && onConflict !== 'overwrite')
    throw refuse('/onConflict', 'is_in', 'onConflict is skip or overwrite.');
  if (typeof dryRun !== 'boolean') throw refuse('/dryRun', 'is_boolean', 'dryRun is true or false.');
  if (confirmToken !== undefined && typeof confirmToken !== 'string')
    throw refuse('/confirmToken', 'is_string', 'confirmToken is a text.');
  const which = readWhich(body);
  return {
    which,
    overwrite: onConflict === 'overwrite',
    dryRun,
    ...(confirmToken === undefined ? {} : { confirmToken }),
    asked: ['revert', Object.entries(which).sort(), onConflict],
  };
}

/** One of three: an act, a range of numbers, what a person did within a time. */
function readWhich(body: Readonly<Record<string, unknown>>): HistoryFilter {
  const given = MEMBERS.filter((name) => body[name] !== undefined).sort();
  switch (given.join()) {
    case 'changeSet':
      return { changeSet: id(body.changeSet, '/changeSet') };
    case 'fromSeq,toSeq': {
      const [fromSeq, toSeq] = [seq(body.fromSeq, '/fromSeq'), seq(body.toSeq, '/toSeq')];
      if (fromSeq > toSeq) throw refuse('/toSeq', 'out_of_range', 'toSeq is not before fromSeq.');
      return { fromSeq, toSeq };
    }
    case 'actorId,from,to':
      return {
        actorId: id(body.actorId, '/actorId'),
        from: instant(body.from, '/from'),
        to: instant(body.to, '/to'),
      };
    default:
      throw refuse('', 'which_changes', 'Say which changes: changeSet; or fromSeq and toSeq; or actorId, from and to.');
  }
}

function id(input: unknown, at: string): Id {
  if (typeof input === 'string' && isId(input)) return input.toLowerCase();
  throw refuse(at, 'is_id', `${at.slice(1)} is an id.`);
}

function seq(input: unknown, at: string): number {
  if (typeof input === 'number' && Number.isSafeInteger(input) && input >= 1) return input;
  throw refuse(at, 'is_seq', `${at.slice(1)} is a number of the table's stream: a whole one from 1.`);
}

function instant(input: unknown, at: string): string {
  const parsed = columnType('datetime').parse(input, { options: {} });
  if (parsed.ok) return String(parsed.value);
  throw refuse(at, parsed.code, parsed.detail);
}
