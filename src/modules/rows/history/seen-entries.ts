import { Injectable } from '@nestjs/common';
import type { Id } from '../../../common/index.js';
import { MiniDbLookup, type Change } from '../../../engines/index.js';
import { isListChange, type TableSchema } from '../../../query/index.js';
import type { ColumnTimeline } from './column-timeline.js';

type Fields = Change['before'];

/** Cuts out of entries of a change log what somebody does not see of the table. */
@Injectable()
export class SeenEntries {
  constructor(private readonly lookup: MiniDbLookup) {}

  /**
   * The entries, which are of rows that he sees, with the fields of columns that he sees: those that are there today, and held then what they hold
   * today. Of links, those to rows that he sees.
   * @param timeline of the columns that he sees
   */
  async of(table: TableSchema, entries: readonly Change[], timeline: ColumnTimeline): Promise<readonly Change[]> {
    if (!table.seen) return entries;
    const shown = entries.map((entry) => ({
      ...entry,
      before: seenFields(entry, entry.before, timeline),
      after: seenFields(entry, entry.after, timeline),
    }));
    const isSeen = await this.linkedIn(shown, timeline);
    return shown.map((entry) => onlyLinks(entry, isSeen));
  }

  /** Whether a row is seen that cells of this key, in one of the entries, lead to; undefined of what are no links, or all of which are seen. */
  private async linkedIn(
    entries: readonly Change[],
    timeline: ColumnTimeline,
  ): Promise<(key: string, seq: number) => IsSeen> {
    const targetOf = (key: string, seq: number): TableSchema | undefined => {
      const derived = timeline.at(key, seq).now?.derived;
      return derived?.kind === 'link' && derived.link.target.seen?.rows ? derived.link.target : undefined;
    };
    const ids = new Map<TableSchema, Set<Id>>();
    for (const { seq, before, after } of entries)
      for (const [key, cell] of [...Object.entries(before ?? {}), ...Object.entries(after ?? {})]) {
        const target = targetOf(key, seq);
        if (target) ids.set(target, new Set([...(ids.get(target) ?? []), ...linkedBy(cell)]));
      }
    const seen = new Map<TableSchema, ReadonlySet<Id>>();
    for (const [target, linked] of ids)
      seen.set(target, new Set((await this.lookup.versions(target, [...linked])).keys()));
    return (key, seq) => {
      const target = targetOf(key, seq);
      return target && ((id) => seen.get(target)?.has(id) === true);
    };
  }
}

type IsSeen = ((id: Id) => boolean) | undefined;

function seenFields({ seq }: Change, fields: Fields, timeline: ColumnTimeline): Fields {
  return (
    fields &&
    Object.fromEntries(
      Object.entries(fields).filter(([key]) => {
        const then = timeline.at(key, seq);
        // What another type held may be what its owner does not see: the ids of linked rows.
        return then.now !== undefined && !timeline.hasOtherType(then, seq);
      }),
    )
  );
}

/** Without the links that are not seen; a field that differed in nothing else is no field of the entry. */
function onlyLinks(entry: Change, linked: (key: string, seq: number) => IsSeen): Change {
  const [before, after] = [{ ...entry.before }, { ...entry.after }];
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const isSeen = linked(key, entry.seq);
    if (!isSeen) continue;
    before[key] = cut(before[key], isSeen);
    after[key] = cut(after[key], isSeen);
    if (JSON.stringify(before[key]) !== JSON.stringify(after[key])) continue;
    Reflect.deleteProperty(before, key);
    Reflect.deleteProperty(after, key);
  }
  return { ...entry, before: entry.before && before, after: entry.after && after };
}

const linkedBy = (cell: unknown): readonly Id[] => {
  if (isListChange(cell)) return [...cell.$add, ...cell.$remove] as readonly Id[];
  return Array.isArray(cell) ? (cell as readonly Id[]) : [];
};

/** Null where nothing is left, as of a cell without links. */
function cut(cell: unknown, isSeen: (id: Id) => boolean): unknown {
  const only = (list: readonly unknown[]): readonly unknown[] => list.filter((id) => isSeen(id as Id));
  if (!isListChange(cell)) return Array.isArray(cell) && only(cell).length > 0 ? only(cell) : null;
  const [$add, $remove] = [only(cell.$add), only(cell.$remove)];
  return $add.length + $remove.length === 0 ? null : { $add, $remove };
}
