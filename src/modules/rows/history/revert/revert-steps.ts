import type { Id } from '../../../../common/index.js';
import { isLink, type CellValue, type ColumnSchema, type RowOp, type TableSchema } from '../../../../query/index.js';
import type { Moving } from './possible-values.js';

type Values = ReadonlyMap<ColumnSchema, CellValue>;

/** Ops on rows of one table. */
export interface Step {
  /** As the caller sees it. */
  readonly table: TableSchema;
  readonly ops: readonly RowOp[];
  /** Whether these rows hand values on to each other, so that all of them are set aside before the first is written. */
  readonly exchange?: true;
}

/** What becomes of the rows of a table. */
export interface Becoming {
  /** As the caller sees it. */
  readonly seen: TableSchema;
  readonly moving: Moving;
  /** Of the rows that stay or come back, what is written. */
  readonly values: ReadonlyMap<Id, Values>;
  /** What rows that come back have from the start. */
  readonly withThem: ReadonlyMap<Id, Values>;
  /** Rows that hold what others get. */
  readonly giving: ReadonlySet<Id>;
}

/**
 * One after the other: rows have to be there before they get values. What rows that go had to themselves, those that come back may have had before them;
 * so it is with rows that get other values.
 */
export const stepsOf = (tables: readonly Becoming[]): readonly Step[] => [
  ...tables.map(({ seen, moving }): Step => ({ table: seen, ops: [...moving.going.keys()].map(away) })),
  ...tables.map((each): Step => ({ table: each.seen, ops: exchanged(each), exchange: true })),
  ...tables.map((each): Step => ({ table: each.seen, ops: back(each) })),
  ...tables.map((each): Step => ({ table: each.seen, ops: updated(each) })),
];

const away = (id: Id): RowOp => ({ kind: 'delete', id });

const back = ({ moving, withThem }: Becoming): readonly RowOp[] =>
  [...moving.coming].map((id) => ({ kind: 'restore', id, values: withThem.get(id) ?? new Map() }));

/** All that the rows get but their links: rows that these lead to may not be there yet. */
const exchanged = ({ values, giving }: Becoming): readonly RowOp[] =>
  [...giving].map((id) => ({ kind: 'update', id, values: part(values.get(id), 'others'), aside: true }));

const updated = ({ values, giving }: Becoming): readonly RowOp[] =>
  [...values].flatMap(([id, all]): RowOp[] => {
    const left = giving.has(id) ? part(all, 'links') : all;
    return left.size === 0 ? [] : [{ kind: 'update', id, values: left }];
  });

const part = (values: Values = new Map(), which: 'links' | 'others'): Values =>
  new Map([...values].filter(([column]) => isLink(column) === (which === 'links')));
