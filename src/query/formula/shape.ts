import { kindOf } from '../kind.js';
import type { CheckedExpression, ColumnSchema, ValueKind } from '../schema.js';
import { columnType } from '../types/index.js';
import { LIMIT, MAX_SCALE, magnitude, tens, type Decimal } from './decimal.js';

/** What formulas tell apart. `opaque` are values that they can only count: attachments, JSON. `null` is what fits everywhere. */
export type Sort = 'number' | 'text' | 'boolean' | 'date' | 'datetime' | 'opaque' | 'null';

/** All that is known of the values of an expression before there is a row. */
export interface Shape {
  readonly of: Sort;
  readonly list: boolean;
  /** Whether it can be null without an error. */
  readonly nullable: boolean;
  /** Whether it can be an error. */
  readonly fails: boolean;
  /** Of numbers (of the elements, in a list): none is larger, with or without its sign. */
  readonly most: bigint;
  /** Digits behind the point, and whether all have exactly so many. */
  readonly scale: number;
  readonly fixed: boolean;
  /** Of a number that an operation makes: whether it has to be cut to these digits, or may be past the limit. */
  readonly rounds?: true;
  readonly overflows?: true;
  /** Of texts: characters at most. */
  readonly length: number;
}

/** Characters that a text which a formula makes has at most. */
export const MAX_TEXT = 100_000;
const MOST_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MOST_BIGINT = 2n ** 63n - 1n;

const PLAIN = { list: false, nullable: false, fails: false, most: 0n, scale: 0, fixed: false, length: 0 } as const;

type Reach = Partial<Pick<Shape, 'nullable' | 'fails' | 'list'>>;

export const BOOLEAN: Shape = { ...PLAIN, of: 'boolean' };
export const DATE: Shape = { ...PLAIN, of: 'date' };
export const DATETIME: Shape = { ...PLAIN, of: 'datetime' };
export const NULL: Shape = { ...PLAIN, of: 'null', nullable: true };
export const textShape = (length: number, reach: Reach = {}): Shape => ({
  ...PLAIN,
  ...reach,
  of: 'text',
  length: Math.min(length, MAX_TEXT),
});

/** Of a number that an operation makes: cut to what numbers of formulas can be. */
export function numberShape(
  { most, scale, fixed = false }: { readonly most: bigint; readonly scale: number; readonly fixed?: boolean },
  reach: Reach = {},
): Shape {
  const rounds = scale > MAX_SCALE;
  const overflows = most >= LIMIT;
  return {
    ...PLAIN,
    ...reach,
    of: 'number',
    most: overflows ? LIMIT : most,
    scale: rounds ? MAX_SCALE : scale,
    fixed: fixed && !rounds,
    fails: (reach.fails ?? false) || overflows,
    ...(rounds ? { rounds } : {}),
    ...(overflows ? { overflows } : {}),
  };
}

/** A whole number up to this one. */
export const wholeShape = (most: bigint | number, reach: Reach = {}): Shape =>
  numberShape({ most: BigInt(most), scale: 0, fixed: true }, reach);

export const literalNumber = ({ digits, scale }: Decimal): Shape =>
  numberShape({ most: magnitude(digits) / tens(scale) + 1n, scale, fixed: true });

/** Columns of other databases may hold what no column of ours can: NaN, infinity, years before Christ. */
export const isForeign = (column: ColumnSchema): boolean => 'form' in column;

/** Whether numbers of the column have to be cut to what numbers of formulas can be. */
export const isUnbounded = (column: ColumnSchema): boolean => {
  const { type, options } = kindOf(column);
  return columnType(type).bind === 'numeric' && (options.scale === undefined || options.scale > MAX_SCALE);
};

/** What is known of the values of a column that a formula makes; of its errors nothing is left but nulls. */
const shapeOf = (checked: CheckedExpression): Shape => {
  const { shape } = checked as CheckedExpression & { readonly shape: Shape };
  return { ...shape, nullable: shape.nullable || shape.fails, fails: false };
};

export function columnShape(column: ColumnSchema): Shape {
  if (column.derived?.kind === 'formula') return shapeOf(column.derived.expression);
  const kind = kindOf(column);
  const { family, bind } = columnType(kind.type);
  const reach = { list: kind.list, nullable: true, fails: isForeign(column) && !kind.list };
  switch (family) {
    case 'number': {
      if (bind !== 'numeric') return wholeShape(MOST_SAFE, { ...reach, fails: false });
      const { scale } = kind.options;
      if (isUnbounded(column) || scale === undefined)
        return { ...numberShape({ most: LIMIT - 1n, scale: MAX_SCALE }, reach) };
      const most = isForeign(column) ? LIMIT - 1n : tens(38 - scale);
      return numberShape({ most: most >= LIMIT ? LIMIT - 1n : most, scale, fixed: true }, reach);
    }
    case 'text': {
      const longest = kind.type === 'long_text' || isForeign(column) ? 1_000_000 : (kind.options.maxLength ?? MAX_TEXT);
      return { ...PLAIN, ...reach, fails: false, of: 'text', length: longest };
    }
    case 'choice':
    case 'id':
      return {
        ...PLAIN,
        ...reach,
        fails: false,
        of: kind.type === 'link' || kind.type === 'attachment' ? 'opaque' : 'text',
        length: 1000,
      };
    case 'boolean':
      return { ...BOOLEAN, ...reach, fails: false };
    case 'date':
      return { ...DATE, ...reach };
    case 'datetime':
      return { ...DATETIME, ...reach };
    case 'json':
      return { ...PLAIN, ...reach, fails: false, of: 'opaque' };
  }
}

/** Whether SQL keeps such numbers as 64-bit whole numbers, and not as decimals. */
export const isWhole = ({ of, scale, most }: Shape): boolean => of === 'number' && scale === 0 && most <= MOST_BIGINT;

/** What the values of an expression are to the rest of the product. */
export function kindOfShape({ of, list, most, scale, fixed }: Shape): ValueKind {
  switch (of) {
    case 'number':
      if (scale === 0 && most <= MOST_SAFE) return { type: 'integer', options: {}, list };
      return { type: 'decimal', options: fixed ? { scale } : {}, list };
    case 'boolean':
    case 'date':
    case 'datetime':
      return { type: of, options: {}, list };
    case 'opaque':
      return { type: 'json', options: {}, list };
    case 'text':
    case 'null':
      return { type: 'long_text', options: {}, list };
  }
}

/** What one of several expressions is, whichever it is. */
export function eitherOf(shapes: readonly Shape[]): Shape {
  const some = shapes.filter(({ of }) => of !== 'null');
  const [first] = some;
  if (!first) return NULL;
  return {
    ...PLAIN,
    of: first.of,
    list: first.list,
    nullable: shapes.some(({ nullable }) => nullable),
    fails: shapes.some(({ fails }) => fails),
    most: some.reduce((most, shape) => (shape.most > most ? shape.most : most), 0n),
    scale: Math.max(...some.map(({ scale }) => scale)),
    fixed: some.every(({ fixed, scale }) => fixed && scale === first.scale),
    length: Math.max(...some.map(({ length }) => length)),
  };
}

const NAMES: Readonly<Record<Sort, readonly [string, string]>> = {
  number: ['a number', 'numbers'],
  text: ['a text', 'texts'],
  boolean: ['true or false', 'true and false'],
  date: ['a date', 'dates'],
  datetime: ['a date with time', 'dates with times'],
  opaque: ['a value that formulas can only count', 'values that formulas can only count'],
  null: ['nothing', 'nothing'],
};

/** As a person reads it. */
export const described = ({ of, list }: Pick<Shape, 'of' | 'list'>): string =>
  list ? `a list of ${NAMES[of][1]}` : NAMES[of][0];
