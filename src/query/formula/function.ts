import type { MongoExpression } from '../compile/mongo/document.js';
import type { Sql } from '../sql.js';
import type { Decimal } from './decimal.js';
import type { CallPart, Expression } from './expression.js';
import type { FlawCode } from './flaw.js';
import type { Shape, Sort } from './shape.js';

/** A value while it is computed in memory. Dates and datetimes are their canonical texts. */
export type Value = null | boolean | string | Decimal | readonly Value[];

/** What stands for a value that could not be computed. */
export const FAILED: unique symbol = Symbol('an error of a formula');
export type Outcome = Value | typeof FAILED;

/** What a parameter takes. */
export interface Param {
  /** As signatures name it. */
  readonly label: string;
  readonly accepts: (shape: Shape) => boolean;
  /** What is expected, in the words of a flaw. */
  readonly expected: string;
  /** What a null that is written there is taken for. */
  readonly sort: Sort;
  readonly optional?: true;
  /** It stands for any number of arguments, one at least; with `optional`, none too. Only the last ones, which repeat together. */
  readonly repeats?: true;
  /** All arguments with one mark must be of one type. */
  readonly same?: 'a' | 'b';
  /** Only a constant may stand there, and only one that this finds nothing wrong with. */
  readonly constant?: (value: string | number | boolean | null) => Omission | undefined;
  /** What else is asked of the argument. */
  readonly requires?: (part: Expression) => Omission | undefined;
}

/** Why a constant is refused. */
export interface Omission {
  readonly code: FlawCode;
  readonly detail: string;
  readonly expected?: string;
}

/** An argument in SQL: its value, which is null where it is an error, and what tells an error from a null; absent where there is none. */
export interface Compiled {
  readonly part: Expression;
  readonly value: Sql;
  readonly fails: () => Sql | undefined;
}

/** The same as an expression of MongoDB. */
export interface MongoCompiled extends MongoBranch {
  readonly part: Expression;
}
export interface MongoBranch {
  readonly value: MongoExpression;
  /** Undefined where there is no error. */
  readonly fails: () => MongoExpression;
}

/** What values of a shape are compared by. */
export type KeyOf = (shape: Shape, value: Sql) => Sql;

export type Compile = (args: readonly Sql[], call: CallPart) => Sql;

interface Common {
  readonly params: readonly Param[];
  readonly returns: (args: readonly Expression[]) => Shape;
  /** It asks for the time. */
  readonly volatile?: true;
  /** One argument more that may stand behind those that repeat. */
  readonly tail?: Param;
  /** Calls within its first argument are one call with all arguments. */
  readonly flat?: true;
}

export interface Moment {
  readonly now: Date;
}

/**
 * Computes its value from those of all its arguments; an error in one of them is an error. Unless `aware`, null in any of them gives
 * null, and SQL that says so by itself: then an error is where no argument is null and the result is. SQL never raises an error,
 * whatever the values are.
 */
export interface Strict extends Common {
  readonly lazy?: undefined;
  /** It makes something of nulls. Then an error of its own is a null, which it never gives else; only where its shape is not nullable. */
  readonly aware?: true;
  /** Whether SQL takes whole numbers as such, and not as decimals. */
  readonly whole?: true;
  readonly compute: (args: readonly Value[], call: CallPart, moment: Moment) => Outcome;
  readonly postgres: Compile;
  /** Undefined, too, where this call has no exact form there. */
  readonly mysql?: (args: readonly Sql[], call: CallPart) => Sql | undefined;
  /** The same for MongoDB, undefined where this call has no exact form there; what it gives where an argument is null is not looked at, but it must be no error of the pipeline. */
  readonly mongo?: (args: readonly MongoExpression[], call: CallPart) => MongoExpression;
}

/** Computes no more of its arguments than it takes, and may look at errors. */
export interface Lazy extends Common {
  readonly lazy: {
    readonly compute: (args: readonly (() => Outcome)[], call: CallPart) => Outcome;
    /** The same for every dialect, but for how equality of texts is said. */
    readonly sql: (args: readonly Compiled[], call: CallPart, key: KeyOf) => Pick<Compiled, 'value' | 'fails'>;
    readonly mongo: (args: readonly MongoCompiled[]) => MongoBranch;
  };
}

/** One way to call a function. */
export type Overload = Strict | Lazy;

export const CATEGORIES = ['logic', 'number', 'text', 'date', 'list'] as const;
export type Category = (typeof CATEGORIES)[number];

/** A formula and its result for the row of {@link ../functions/sample}. */
export type Example = readonly [formula: string, result: unknown];

/** All that is known of a function; nothing elsewhere knows it by its name. */
export interface FormulaFunction {
  readonly name: string;
  readonly category: Category | 'operator';
  readonly summary: string;
  readonly examples: readonly Example[];
  readonly overloads: readonly Overload[];
  /** It is another way to write a constant. */
  readonly constant?: null;
}

const one =
  (...sorts: readonly Sort[]) =>
  ({ of, list }: Shape): boolean =>
    of === 'null' || (!list && sorts.includes(of));
const many =
  (...sorts: readonly Sort[]) =>
  ({ of, list }: Shape): boolean =>
    list && sorts.includes(of);
const either =
  (...sorts: readonly Sort[]) =>
  ({ of }: Shape): boolean =>
    of === 'null' || sorts.includes(of);

const SCALARS: readonly Sort[] = ['number', 'text', 'boolean', 'date', 'datetime'];

type Make = (label: string, over?: Partial<Param>) => Param;
const param =
  (sort: Sort, expected: string, accepts: Param['accepts']): Make =>
  (label, over = {}) => ({ label, sort, expected, accepts, ...over });

/** Parameters by what they take. */
export const takes = {
  number: param('number', 'number', one('number')),
  text: param('text', 'text', one('text')),
  boolean: param('boolean', 'true or false', one('boolean')),
  date: param('date', 'date', one('date')),
  datetime: param('datetime', 'date with time', one('datetime')),
  /** One value of any type that can be compared. */
  scalar: param('text', 'one value', one(...SCALARS)),
  ordered: param('number', 'number, text, date or date with time', one('number', 'text', 'date', 'datetime')),
  /** One value or a list of them. */
  value: param('text', 'a value', either(...SCALARS)),
  anything: param('text', 'any value', () => true),
  /** A number or a list of numbers. */
  numbers: param('number', 'number or list of numbers', either('number')),
  dates: param('date', 'date or list of dates', either('date')),
  datetimes: param('datetime', 'date with time or list of them', either('datetime')),
  list: param('text', 'list', many(...SCALARS)),
  listOf: (sort: Sort, label: string): Param => param(sort, `list of ${sort}s`, many(sort))(label),
} as const;
