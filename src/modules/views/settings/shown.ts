import { invalid, type Access } from '../../../common/index.js';
import {
  isGrouped,
  kindOf,
  parseJsonFilter,
  refuse,
  resolveFilter,
  type FilterContext,
  type ResolvedView,
  type ValueKind,
} from '../../../query/index.js';

/** What settings may speak of: what the view shows, and nothing else. */
export interface Shown {
  /** @throws Problem `validation_failed` the view shows no column of this key */
  key(input: unknown, at: string): string;
  /** The same for a column of these types; of groups, whose types are not known here, for any. */
  keyOf(types: readonly ValueKind['type'][], input: unknown, at: string): string;
  /** @throws Problem `filter_invalid` */
  filter(input: unknown, at: string): void;
}

/** What a view shows, by its key; undefined is of a type that is not known. */
type Kinds = ReadonlyMap<string, ValueKind | undefined>;

/** What the view shows. */
export function shownBy(view: ResolvedView, { timeZone, principal }: Access): Shown {
  const kinds = isGrouped(view.definition) ? groupsOf(view) : columnsOf(view);
  const find = (input: unknown, at: string): string => {
    if (typeof input !== 'string') throw refuse(at, 'is_string', 'The key of a column is expected.');
    if (kinds.has(input)) return input;
    throw refuse(at, 'unknown_field', `The view shows no column ${JSON.stringify(input.slice(0, 60))}.`);
  };
  return {
    key: find,
    keyOf(types, input, at) {
      const key = find(input, at);
      const kind = kinds.get(key);
      if (kind === undefined || (types.includes(kind.type) && !kind.list)) return key;
      throw invalid([
        {
          pointer: at,
          code: 'wrong_type',
          detail: `${key} is of type ${kind.type}; ${types.join(' or ')} is expected.`,
        },
      ]);
    },
    filter(input, at) {
      const filter = parseJsonFilter(input, at);
      const context: FilterContext = { now: new Date(), zone: timeZone, me: principal.userId };
      if (!isGrouped(view.definition)) resolveFilter(filter, view.shown, context);
    },
  };
}

const columnsOf = ({ shown }: ResolvedView): Kinds =>
  new Map(shown.columns.map((column) => [column.key, kindOf(column)]));

const groupsOf = ({ definition: { groupBy, aggregates } }: ResolvedView): Kinds =>
  new Map(
    [...groupBy.map(({ as, field }) => as ?? field), ...aggregates.map(({ as }) => as)].map((key) => [key, undefined]),
  );
