import { remembered } from '../remember.js';
import type { CellValue, CheckedExpression, ColumnSchema, ValueKind } from '../schema.js';
import type { Span } from './flaw.js';
import type { Overload } from './function.js';
import type { Shape } from './shape.js';

interface Part {
  /** What the values are to the rest of the product. */
  readonly kind: ValueKind;
  /** Where it stands in the text that was checked. */
  readonly at: Span;
  readonly shape: Shape;
}

/** A constant in its canonical form. */
export interface LiteralPart extends Part {
  readonly node: 'literal';
  readonly value: Exclude<CellValue, readonly unknown[]>;
  /** What a null is taken for. */
  readonly as?: Pick<Shape, 'of' | 'list'>;
}

export interface ColumnPart extends Part {
  readonly node: 'column';
  readonly column: ColumnSchema;
}

/** A function or an operator with arguments that fit it. */
export interface CallPart extends Part {
  readonly node: 'call';
  readonly name: string;
  readonly overload: Overload;
  readonly args: readonly Expression[];
  /** Whether it can be an error where no argument is one. */
  readonly fallible: boolean;
}

/** A formula that is known to make sense: names are columns, and every part has a type. */
export type Expression = LiteralPart | ColumnPart | CallPart;

/** What a column of formulas is made by; schemas keep it without knowing the language. */
export const expressionOf = (checked: CheckedExpression): Expression => checked as Expression;

function* partsOf(expression: Expression): Generator<Expression, void> {
  const left = [expression];
  for (let part = left.pop(); part; part = left.pop()) {
    yield part;
    if (part.node === 'call') left.push(...part.args);
  }
}

/** The columns that it reads, each once. */
export const columnsOf = remembered((expression: Expression): readonly ColumnSchema[] => [
  ...new Set([...partsOf(expression)].flatMap((part) => (part.node === 'column' ? [part.column] : []))),
]);

/** Whether its value changes while no cell does: it asks for the time. */
export const isVolatile = remembered((expression: Expression): boolean =>
  [...partsOf(expression)].some((part) => part.node === 'call' && part.overload.volatile === true),
);

/** The constant that stands there, where one does. */
export function constantOf(part: Expression | undefined): LiteralPart['value'] | undefined {
  return part?.node === 'literal' ? part.value : undefined;
}
