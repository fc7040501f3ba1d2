import { isDeepStrictEqual } from 'node:util';
import { REDACTED, type Revertible, type WayBack } from '../../../common/index.js';

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

const WAYS: Readonly<Record<string, WayBack>> = {
  created: 'delete',
  restored: 'delete',
  deleted: 'restore',
  updated: 'update',
};

/** Actions that tell of a thing and change nothing of it. */
const READS: ReadonlySet<string> = new Set(['tested', 'exported', 'viewed_as']);

/** What an action is called without the kind of thing. */
const verbOf = (action: string): string => action.split('.').at(-1) ?? action;

/**
 * The way back from `entry`, by it and by what happened to the same thing since, oldest first: all that a thing is has been told by one of
 * its entries.
 */
export function planRevert(
  entry: Told,
  since: readonly Told[],
  kind: Pick<Revertible, 'fields' | 'ways' | 'remove' | 'restore'>,
): RevertPlan | NotRevertible {
  const way = kind.ways?.[entry.action] ?? WAYS[verbOf(entry.action)];
  switch (way) {
    case undefined:
      return new NotRevertible(`${entry.action} is nothing that can be taken back here.`);
    case 'delete':
    case 'restore':
      if (way === 'delete' ? kind.remove : kind.restore) return { does: way, ...NONE };
      return new NotRevertible(`${entry.action} is taken back by the means for that, not here.`);
    case 'update':
      return planUpdate(entry.before as Fields | null, entry, since, kind);
    default:
      return planUpdate({ ...entry.after, ...way.set }, entry, since, kind);
  }
}

function planUpdate(
  before: Fields | null,
  entry: Told,
  since: readonly Told[],
  kind: Pick<Revertible, 'fields'>,
): RevertPlan | NotRevertible {
  const after = entry.after as Fields | null;
  if (!before || !after || 'omitted' in before || 'omitted' in after)
    return new NotRevertible('The log does not hold what it was before.');
  const present = since
    .filter(({ action }) => !READS.has(verbOf(action)))
    .reduce<Fields>((now, { after: then }) => ({ ...now, ...then }), after);
  const differing = (one: Fields, other: Fields): string[] =>
    Object.keys(after).filter((field) => !isDeepStrictEqual(one[field], other[field]));
  const settable = kind.fields(new Set([...differing(before, after), ...differing(after, present)]));
  if (!Object.keys({ ...before, ...after }).some((field) => settable.includes(field)))
    return new NotRevertible('The log does not hold what it was before.');
  const changed = Object.keys({ ...before, ...after }).filter((field) => !isDeepStrictEqual(before[field], after[field])); // prettier-ignore
  const backs = changed.map((field) => ({ field, current: present[field] ?? null, value: before[field] ?? null }));
  const maySet = ({ field, value }: FieldBack): boolean =>
    settable.includes(field) && !JSON.stringify(value).includes(REDACTED);
  const open = backs.filter((back) => maySet(back) && !isDeepStrictEqual(back.current, back.value));
  const conflicts = open.filter(({ field, current }) => !isDeepStrictEqual(current, after[field] ?? null));
  return {
    does: open.length > 0 ? 'update' : 'nothing',
    fields: open.filter((back) => !conflicts.includes(back)),
    conflicts,
    skipped: backs.filter((back) => !maySet(back)).map(({ field }) => field),
  };
}
