import type { FoundColumn, FoundObject } from '../../../engines/index.js';

/** An object, or a column of it. */
export interface DriftPlace {
  /** As in `from` of queries. */
  readonly object: string;
  readonly column?: string;
}

export interface DriftChange extends DriftPlace {
  readonly what: 'kind' | 'nativeType' | 'nullable' | 'primaryKey';
  readonly before: string;
  readonly after: string;
}

/** Probably the same under another name: it looks and stands as the former one did, and nothing else does. */
export interface DriftRename extends DriftPlace {
  /** Its present name is in `object` or `column`. */
  readonly from: string;
}

/** How a schema differs from what was found the time before. */
export interface Drift {
  readonly added: readonly DriftPlace[];
  readonly removed: readonly DriftPlace[];
  readonly changed: readonly DriftChange[];
  readonly renamed: readonly DriftRename[];
}

export const NO_DRIFT: Drift = { added: [], removed: [], changed: [], renamed: [] };

export const objectName = ({ schema, name }: Pick<FoundObject, 'schema' | 'name'>): string =>
  schema === '' ? name : `${schema}.${name}`;

/** Columns of an object that came or went are not told one by one. */
export function driftBetween(before: readonly FoundObject[], after: readonly FoundObject[]): Drift {
  const objects = compare(before, after, objectName, looksLike);
  const parts = objects.same.map(([old, now]) => driftOf(old, now));
  return {
    added: [...objects.added.map((one) => ({ object: objectName(one) })), ...parts.flatMap(({ added }) => added)],
    removed: [
      ...objects.removed.map((one) => ({ object: objectName(one) })),
      ...parts.flatMap(({ removed }) => removed),
    ],
    changed: parts.flatMap(({ changed }) => changed),
    renamed: [
      ...objects.renamed.map(([old, now]) => ({ object: objectName(now), from: objectName(old) })),
      ...parts.flatMap(({ renamed }) => renamed),
    ],
  };
}

function driftOf(before: FoundObject, after: FoundObject): Drift {
  const object = objectName(after);
  const columns = compare(before.columns, after.columns, ({ key }) => key, standsLike(before, after));
  const place = ({ key }: FoundColumn): DriftPlace => ({ object, column: key });
  const change = (what: DriftChange['what'], old: string, now: string, column?: string): DriftChange[] =>
    old === now ? [] : [{ object, ...(column === undefined ? {} : { column }), what, before: old, after: now }];
  return {
    added: columns.added.map(place),
    removed: columns.removed.map(place),
    changed: [
      ...change('kind', before.kind, after.kind),
      ...change('primaryKey', before.primaryKey.join(', '), after.primaryKey.join(', ')),
      ...columns.same.flatMap(([old, now]) => [
        ...change('nativeType', old.nativeType, now.nativeType, now.key),
        ...change('nullable', String(old.nullable), String(now.nullable), now.key),
      ]),
    ],
    renamed: columns.renamed.map(([old, now]) => ({ ...place(now), from: old.key })),
  };
}

interface Compared<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
  readonly same: readonly (readonly [T, T])[];
  readonly renamed: readonly (readonly [before: T, after: T])[];
}

/** `alike` tells whether one that is gone may be one that is new. Only pairs are taken of which neither is like a third. */
function compare<T>(
  before: readonly T[],
  after: readonly T[],
  nameOf: (one: T) => string,
  alike: (old: T, now: T) => boolean,
): Compared<T> {
  const [olds, nows] = [byName(before, nameOf), byName(after, nameOf)];
  const gone = before.filter((one) => !nows.has(nameOf(one)));
  const come = after.filter((one) => !olds.has(nameOf(one)));
  const renamed = gone.flatMap((old): (readonly [T, T])[] => {
    const [now, ...more] = come.filter((one) => alike(old, one));
    const only = now !== undefined && more.length === 0 && gone.filter((one) => alike(one, now)).length === 1;
    return only ? [[old, now]] : [];
  });
  const paired = new Set(renamed.flat());
  return {
    added: come.filter((one) => !paired.has(one)),
    removed: gone.filter((one) => !paired.has(one)),
    same: after.flatMap((now): (readonly [T, T])[] => {
      const old = olds.get(nameOf(now));
      return old === undefined ? [] : [[old, now]];
    }),
    renamed,
  };
}

const byName = <T>(all: readonly T[], nameOf: (one: T) => string): ReadonlyMap<string, T> =>
  new Map(all.map((one) => [nameOf(one), one]));

/** An object with the very same columns. */
function looksLike(old: FoundObject, now: FoundObject): boolean {
  return old.schema === now.schema && old.kind === now.kind && old.columns.length > 0 && shape(old) === shape(now);
}

const shape = ({ columns }: FoundObject): string =>
  JSON.stringify(columns.map(({ key, nativeType }) => [key, nativeType]));

/** A column of the same type at the same place, or between the same neighbours. */
function standsLike(before: FoundObject, after: FoundObject): (old: FoundColumn, now: FoundColumn) => boolean {
  const [olds, nows] = [placesOf(before), placesOf(after)];
  return (old, now) => {
    const [was, is] = [olds.get(old.key), nows.get(now.key)];
    if (!was || !is || old.nativeType !== now.nativeType) return false;
    return was.at === is.at || (was.left === is.left && was.right === is.right);
  };
}

interface Place {
  readonly at: number;
  readonly left: string | undefined;
  readonly right: string | undefined;
}

const placesOf = ({ columns }: FoundObject): ReadonlyMap<string, Place> =>
  new Map(columns.map(({ key }, at) => [key, { at, left: columns[at - 1]?.key, right: columns[at + 1]?.key }]));
