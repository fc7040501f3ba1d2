import { isDeepStrictEqual } from 'node:util';
import { REDACTED } from '../../../common/index.js';

type Fields = Readonly<Record<string, unknown>>;

/** What an entry of the audit log says of a thing. */
export interface Told {
  readonly action: string;
  readonly before: object | null;
  readonly after: object | null;
}

/** A field that is set back, and what it is now. */
export interface FieldBack {
  readonly field: string;
  readonly current: unknown;
  readonly value: unknown;
}

/** What it comes to, to take an entry back. */
export interface RevertPlan {
  readonly does: 'update' | 'delete' | 'restore' | 'nothing';
  readonly fields: readonly FieldBack[];
  /** Fields that were changed once more since. */
  readonly conflicts: readonly FieldBack[];
  /** Fields that were changed, and cannot be set back so. */
  readonly skipped: readonly string[];
}

/** Why an entry cannot be taken back, as a sentence. */
export class NotRevertible {
  constructor(readonly reason: string) {}
}

const NONE = { fields: [], conflicts: [], skipped: [] };

/**
 * The way back from `entry`, by it and by what happened to the same thing since, oldest first: all that a thing is has been told by one of
 * its entries. `settable` are the fields that a change may set.
 */
export function planRevert(
  entry: Told,
  since: readonly Told[],
  settable: readonly string[],
): RevertPlan | NotRevertible {
  switch (entry.action.split('.').at(-1)) {
    case 'created':
    case 'restored':
      return { does: 'delete', ...NONE };
    case 'deleted':
      return { does: 'restore', ...NONE };
    case 'updated':
      return planUpdate(entry, since, settable);
    default:
      return new NotRevertible(`${entry.action} is nothing that can be taken back here.`);
  }
}

function planUpdate(entry: Told, since: readonly Told[], settable: readonly string[]): RevertPlan | NotRevertible {
  const [before, after] = [entry.before as Fields | null, entry.after as Fields | null];
  if (!before || !after || 'omitted' in before || 'omitted' in after)
    return new NotRevertible('The log does not hold what it was before.');
  const present = since.reduce<Fields>((now, { after: then }) => ({ ...now, ...then }), after);
  const changed = Object.keys({ ...before, ...after }).filter((field) => !isDeepStrictEqual(before[field], after[field])); // prettier-ignore
  const backs = changed.map((field) => ({ field, current: present[field] ?? null, value: before[field] ?? null }));
  // What a field held as another type means nothing to this one.
  const converted = !isDeepStrictEqual(present.type, after.type);
  const maySet = ({ field, value }: FieldBack): boolean =>
    settable.includes(field) &&
    !JSON.stringify(value).includes(REDACTED) &&
    !(converted && ['options', 'default'].includes(field));
  const open = backs.filter((back) => maySet(back) && !isDeepStrictEqual(back.current, back.value));
  const conflicts = open.filter(({ field, current }) => !isDeepStrictEqual(current, after[field] ?? null));
  return {
    does: open.length > 0 ? 'update' : 'nothing',
    fields: open.filter((back) => !conflicts.includes(back)),
    conflicts,
    skipped: backs.filter((back) => !maySet(back)).map(({ field }) => field),
  };
}
