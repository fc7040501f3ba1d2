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

const OF_ALL = ['changeSet', 'actorId', 'from', 'to'] as const;
const OF_TABLE = [...OF_ALL, 'fromSeq', 'toSeq'] as const;

/** Of one table. @throws Problem `validation_failed` */
export const parseRevert = (input: unknown): RevertRequest =>
  parse(input, OF_TABLE, 'Say which changes: changeSet; or fromSeq and toSeq; or actorId, from and to.');

/** Of all tables of a base, each of which has numbers of its own. @throws Problem `validation_failed` */
export const parseBaseRevert = (input: unknown): RevertRequest =>
  parse(input, OF_ALL, 'Say which changes: changeSet; or actorId, from and to.');

function parse(input: unknown, members: readonly (typeof OF_TABLE)[number][], which: string): RevertRequest {
  const body = bodyOf(input, '', [...members, 'onConflict', 'dryRun', 'confirmToken']);
  const { onConflict = 'skip', dryRun = false, confirmToken } = body;
  if (onConflict !== 'skip' && onConflict !== 'overwrite')
    throw refuse('/onConflict', 'is_in', 'onConflict is skip or overwrite.');
  if (typeof dryRun !== 'boolean') throw refuse('/dryRun', 'is_boolean', 'dryRun is true or false.');
  if (confirmToken !== undefined && typeof confirmToken !== 'string')
    throw refuse('/confirmToken', 'is_string', 'confirmToken is a text.');
  const filter = readWhich(body, which);
  return {
    which: filter,
    overwrite: onConflict === 'overwrite',
    dryRun,
    ...(confirmToken === undefined ? {} : { confirmToken }),
    asked: ['revert', Object.entries(filter).sort(), onConflict],
  };
}

/** One of three: an act, a range of numbers, what a person did within a time. */
function readWhich(body: Readonly<Record<string, unknown>>, which: string): HistoryFilter {
  const given = OF_TABLE.filter((name) => body[name] !== undefined).sort();
  switch (given.join()) {
    case 'changeSet':
      return { changeSet: id(body.changeSet, '/changeSet') };
    case 'fromSeq,toSeq': {
      const [fromSeq, toSeq] = [seq(body.fromSeq, '/fromSeq'), seq(body.toSeq, '/toSeq')];
      if (fromSeq > toSeq) throw refuse('/toSeq', 'out_of_range', 'toSeq is not before fromSeq.');
      return { fromSeq, toSeq };
    }
    case 'actorId,from,to': {
      const [from, to] = [instant(body.from, '/from'), instant(body.to, '/to')];
      if (Date.parse(from) >= Date.parse(to)) throw refuse('/to', 'out_of_range', 'to is behind from.');
      return { actorId: id(body.actorId, '/actorId'), from, to };
    }
    default:
      throw refuse('', 'which_changes', which);
  }
}

function id(input: unknown, at: string): Id {
  if (typeof input === 'string' && isId(input)) return input;
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
