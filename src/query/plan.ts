import type { CellValue, ColumnSchema, LinkRef, Scalar, TableSchema } from './schema.js';

/**
 * A logical read, already resolved against the table's schema and the caller's rights: plain readonly data. A column
 * reference can only come from the schema, and text of a request occurs in values only.
 */
export interface ReadPlan {
  readonly from: TableSchema;
  readonly select: readonly ColumnSchema[];
  /** Links whose rows are shown by their titles, too. */
  readonly expand?: readonly ExpandedLink[];
  readonly where: Condition;
  /** The rows in the trash, instead of those that are there. */
  readonly trashed?: boolean;
  /** The table as it was behind this number of its log, in the place of the table; `from` then has only columns that can be told of then. */
  readonly asOf?: number;
  /** Total order: the resolver ends it with the id. */
  readonly orderBy: readonly OrderTerm[];
  /** Canonical values of a row at the edge of what was already seen, one for each order term; the page starts behind it. */
  readonly after?: readonly CellValue[];
  /** How the page lies to that row, where it is not behind it. */
  readonly way?: Way;
  /** What formulas take for now, where rows are ordered by some that ask: the pages of a list have to agree on it. */
  readonly clock?: Date;
  readonly limit: number;
  readonly count: CountMode;
}

/** A link of the table, and the column at its other end that names the rows there; none where that table has no column. */
export interface ExpandedLink {
  readonly column: ColumnSchema;
  readonly link: LinkRef;
  readonly title?: ColumnSchema;
}

/**
 * From a position on, `after` without the row there and `from` with it; or the rows that lead up to it, `before` without the
 * row there and `upTo` with it. The order of the rows is the same in all.
 */
export type Way = 'after' | 'from' | 'before' | 'upTo';

/** Whether the page is read against the order, so that it ends at the position. */
export const isBackward = (way: Way): boolean => way === 'before' || way === 'upTo';

export const COUNT_MODES = ['none', 'bounded', 'estimated', 'exact'] as const;
export type CountMode = (typeof COUNT_MODES)[number];

/** Up to here `bounded` counts exactly. */
export const COUNT_BOUND = 10_000;

/** What a row is ordered or compared by: one of its columns, or its id. */
export type Operand = { readonly kind: 'column'; readonly column: ColumnSchema } | { readonly kind: 'id' };

export interface OrderTerm {
  readonly by: Operand;
  readonly dir: 'asc' | 'desc';
}

export type Comparison = 'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte';

/** A predicate; true or false for every row, never unknown. */
export type Condition =
  | { readonly kind: 'true' }
  | { readonly kind: 'and'; readonly items: readonly Condition[] }
  | { readonly kind: 'or'; readonly items: readonly Condition[] }
  | { readonly kind: 'not'; readonly item: Condition }
  | { readonly kind: 'compare'; readonly column: ColumnSchema; readonly op: Comparison; readonly value: Scalar }
  | {
      readonly kind: 'compareColumns';
      readonly column: ColumnSchema;
      readonly op: Comparison;
      readonly other: ColumnSchema;
    }
  | { readonly kind: 'oneOf'; readonly column: ColumnSchema; readonly values: readonly Scalar[] }
  | { readonly kind: 'between'; readonly column: ColumnSchema; readonly low: Scalar; readonly high: Scalar }
  /** Of a list: of one of its texts. */
  | {
      readonly kind: 'match';
      readonly column: ColumnSchema;
      readonly mode: 'contains' | 'startsWith' | 'endsWith';
      readonly text: string;
    }
  | { readonly kind: 'isNull'; readonly column: ColumnSchema }
  | { readonly kind: 'isEmpty'; readonly column: ColumnSchema }
  /** Of a list column, as sets. */
  | {
      readonly kind: 'list';
      readonly column: ColumnSchema;
      readonly op: 'any' | 'all' | 'exactly';
      readonly values: readonly Scalar[];
    }
  /** Of what stands at a path inside a JSON cell. */
  | {
      readonly kind: 'json';
      readonly column: ColumnSchema;
      readonly path: readonly string[];
      readonly test: JsonTest;
    }
  /** Of the rows that a link leads to. */
  | {
      readonly kind: 'linked';
      readonly column: ColumnSchema;
      readonly link: LinkRef;
      /** The column with the ids of the rows that the link is of, where that is not the row itself: in views. */
      readonly owner?: ColumnSchema;
      readonly quantifier: Quantifier;
      readonly where: Condition;
    };

export type JsonScalar = string | number | boolean;

/** A value passes only when it is of the type that it is compared with. `isNull` holds for null and where nothing is. */
export type JsonTest =
  | { readonly kind: 'isNull' }
  | { readonly kind: 'compare'; readonly op: Exclude<Comparison, 'neq'>; readonly value: JsonScalar }
  | { readonly kind: 'oneOf'; readonly values: readonly JsonScalar[] }
  | { readonly kind: 'match'; readonly mode: 'contains' | 'startsWith' | 'endsWith'; readonly text: string };

export const QUANTIFIERS = ['some', 'every', 'none'] as const;
export type Quantifier = (typeof QUANTIFIERS)[number];
