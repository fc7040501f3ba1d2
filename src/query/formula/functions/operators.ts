import { sql, type Sql } from '../../sql.js';
import { asText, withinLength, once, onceEach } from '../../compile/formula/fragments.js';
import { comma, integer, join } from '../../sql.js';
import { compareCodePoints } from '../../types/text.js';
import { add, compareNumbers, divide, isZero, multiply, negated, QUOTIENT_SCALE, remainder, subtract, tens, type Decimal } from '../decimal.js'; // prettier-ignore
import { takes, type Compile, type FormulaFunction, type Strict, type Value, FAILED } from '../function.js';
import { BOOLEAN, MAX_TEXT, numberShape, textShape, type Shape } from '../shape.js';
import type { CallPart, Expression } from '../expression.js';
import { textOf } from '../text-of.js';

export const shapesOf = (args: readonly Expression[]): readonly Shape[] => args.map(({ shape }) => shape);

type Two<T> = readonly [T, T];
const two = <T>(list: readonly T[]): Two<T> => list as unknown as Two<T>;

/** Arithmetic of two numbers, both exact. */
function arithmetic(
  sign: string,
  summary: string,
  examples: FormulaFunction['examples'],
  row: Pick<Strict, 'whole'> & {
    readonly shape: (a: Shape, b: Shape) => Shape;
    readonly compute: (a: Decimal, b: Decimal) => Decimal | undefined;
    readonly postgres: (a: Sql, b: Sql) => Sql;
    readonly mysql?: Compile;
  },
): FormulaFunction {
  return {
    name: sign,
    category: 'operator',
    summary,
    examples,
    overloads: [
      {
        params: [takes.number('a'), takes.number('b')],
        ...(row.whole ? { whole: row.whole } : {}),
        returns: (args) => row.shape(...two(shapesOf(args))),
        compute: (args) => row.compute(...two(args as readonly Decimal[])) ?? FAILED,
        postgres: (args) => row.postgres(...two(args)),
        ...(row.mysql ? { mysql: row.mysql } : {}),
      },
    ],
  };
}

const sumShape = (a: Shape, b: Shape): Shape =>
  numberShape({ most: a.most + b.most, scale: Math.max(a.scale, b.scale), fixed: a.fixed && b.fixed });

/** A quotient cannot be larger than what the smallest divisor makes of it. */
export const quotientShape = (a: Shape, b: Shape): Shape =>
  numberShape({ most: (a.most + 1n) * tens(b.scale) + 1n, scale: QUOTIENT_SCALE }, { fails: true });

/** Cut off behind one digit more, which decides about halves; numeric division by itself rounds somewhere, and then again. */
export const quotient = (a: Sql, b: Sql): Sql =>
  sql`round(div(${a} * 100000000000, nullif(${b}, 0)) * 0.00000000001, ${integer(QUOTIENT_SCALE)})`;

export const flooredRemainder = (a: Sql, b: Sql): Sql =>
  once(b, (divisor) => sql`mod(mod(${a}, nullif(${divisor}, 0)) + ${divisor}, nullif(${divisor}, 0))`);

export const remainderShape = (a: Shape, b: Shape): Shape =>
  numberShape({ most: b.most, scale: Math.max(a.scale, b.scale), fixed: a.fixed && b.fixed }, { fails: true });

/** Of two values of one type that are not null: negative, zero, positive. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  if (typeof a === 'boolean') return a === b ? 0 : a ? 1 : -1;
  return compareNumbers(a as Decimal, b as Decimal);
}

export const isSame = (a: Value, b: Value): boolean => (a === null || b === null ? a === b : compareValues(a, b) === 0);

const never = ({ args }: CallPart): boolean => args.every(({ shape }) => !shape.nullable && !shape.fails);

/** Two-valued: a null is a null, and neither smaller nor greater than anything. */
function comparison(
  sign: string,
  summary: string,
  examples: FormulaFunction['examples'],
  row: { readonly ordered: boolean; readonly holds: (a: Value, b: Value) => boolean; readonly sql: (a: Sql, b: Sql, call: CallPart) => Sql; readonly mysql?: (a: Sql, b: Sql) => Sql }, // prettier-ignore
): FormulaFunction {
  const param = row.ordered ? takes.ordered : takes.scalar;
  const mysql = row.mysql;
  return {
    name: sign,
    category: 'operator',
    summary,
    examples,
    overloads: [
      {
        params: [param('a', { same: 'a' }), param('b', { same: 'a' })],
        aware: true,
        whole: true,
        returns: () => BOOLEAN,
        compute: (args) => row.holds(...two(args)),
        postgres: (args, call) => row.sql(...two(args), call),
        ...(mysql
          ? { mysql: (args, call) => mysql(...two(call.args[0]?.shape.of === 'text' ? args.map((text) => sql`cast(${text} as binary)`) : args)) } // prettier-ignore
          : {}),
      },
    ],
  };
}

const strictly =
  (op: Sql) =>
  (a: Sql, b: Sql, call?: CallPart): Sql =>
    call && never(call) ? sql`(${a} ${op} ${b})` : sql`coalesce(${a} ${op} ${b}, false)`;
const orBothNull =
  (op: Sql) =>
  (a: Sql, b: Sql, call?: CallPart): Sql => {
    if (call?.args.some(({ shape }) => !shape.nullable && !shape.fails)) return strictly(op)(a, b, call);
    return onceEach([a, b], ([x = a, y = b]) => sql`coalesce(${x} ${op} ${y}, ${x} is null and ${y} is null)`);
  };

const isNull = (a: Value, b: Value): boolean => a === null || b === null;
const compared =
  (holds: (order: number) => boolean, bothNull: boolean) =>
  (a: Value, b: Value): boolean =>
    isNull(a, b) ? bothNull && a === b : holds(compareValues(a, b));

export const joinTexts: Compile = (args, call) => {
  const texts = args.map((value, i) => {
    const shape = call.args[i]?.shape;
    return shape ? asText(shape, value) : value;
  });
  const longest = call.args.reduce((sum, { shape }) => sum + textLength(shape), 0);
  return withinLength(longest, sql`concat(${join(texts, comma)})`);
};

/** Characters that a value has at most as a text. */
export const textLength = ({ of, length }: Shape): number => (of === 'text' ? length : 64);

export const CONCATENATION: Strict & { readonly flat: true } = {
  params: [takes.scalar('value', { repeats: true })],
  aware: true,
  flat: true,
  returns: (args) => {
    const longest = args.reduce((sum, { shape }) => sum + textLength(shape), 0);
    return { ...textShape(longest), fails: longest > MAX_TEXT };
  },
  compute: (args, { args: parts }) => args.map((value, i) => textOf(value, parts[i]?.shape)).join(''),
  postgres: joinTexts,
};

export const OPERATORS: readonly FormulaFunction[] = [
  arithmetic(
    '+',
    'The sum of two numbers.',
    [
      ['1.5 + 1', '2.5'],
      ['0.1 + 0.2', '0.3'],
    ],
    {
      whole: true,
      shape: sumShape,
      compute: add,
      postgres: (a, b) => sql`(${a} + ${b})`,
      mysql: ([a = sql``, b = sql``]) => sql`(${a} + ${b})`,
    },
  ),
  arithmetic('-', 'The difference of two numbers.', [['{price} - {cost}', '4.50']], {
    whole: true,
    shape: sumShape,
    compute: subtract,
    postgres: (a, b) => sql`(${a} - ${b})`,
    mysql: ([a = sql``, b = sql``]) => sql`(${a} - ${b})`,
  }),
  arithmetic('*', 'The product of two numbers.', [['{qty} * {price}', '36.00']], {
    whole: true,
    shape: (a, b) => numberShape({ most: a.most * b.most, scale: a.scale + b.scale, fixed: a.fixed && b.fixed }),
    compute: multiply,
    postgres: (a, b) => sql`(${a} * ${b})`,
  }),
  arithmetic(
    '/',
    'The quotient of two numbers, with up to 10 digits behind the point. By zero it is an error.',
    [
      ['1 / 3', '0.3333333333'],
      ['1 / 0', null],
    ],
    {
      shape: quotientShape,
      compute: (a, b) => (isZero(b) ? undefined : divide(a, b)),
      postgres: quotient,
    },
  ),
  arithmetic(
    '%',
    'What is left by a division, as MOD: it has the sign of the divisor.',
    [
      ['7 % 3', 1],
      ['-7 % 3', 2],
    ],
    {
      shape: remainderShape,
      compute: (a, b) => (isZero(b) ? undefined : remainder(a, b)),
      postgres: flooredRemainder,
    },
  ),
  {
    name: 'NEGATE',
    category: 'operator',
    summary: 'The number with the other sign.',
    examples: [
      ['-{qty}', -3],
      ['-2 ^ 2', -4],
    ],
    overloads: [
      {
        params: [takes.number('a')],
        whole: true,
        returns: ([a]) => (a ? numberShape(a.shape) : BOOLEAN),
        compute: ([a]) => negated(a as Decimal),
        postgres: ([a = sql``]) => sql`(- ${a})`,
        mysql: ([a = sql``]) => sql`(- ${a})`,
      },
    ],
  },
  {
    name: 'PLUS',
    category: 'operator',
    summary: 'The number itself.',
    examples: [['+{qty}', 3]],
    overloads: [
      {
        params: [takes.number('a')],
        whole: true,
        returns: ([a]) => (a ? numberShape(a.shape) : BOOLEAN),
        compute: ([a]) => a as Decimal,
        postgres: ([a = sql``]) => a,
        mysql: ([a = sql``]) => a,
      },
    ],
  },
  {
    name: '&',
    category: 'operator',
    summary: 'Both as one text. Nothing is an empty text here.',
    examples: [
      ['"n° " & 7', 'n° 7'],
      ['"a" & NULL & "b"', 'ab'],
    ],
    overloads: [CONCATENATION],
  },
  comparison(
    '=',
    'Whether both are the same. Two nulls are.',
    [
      ['1.0 = 1', true],
      ['NULL = NULL', true],
    ],
    {
      ordered: false,
      holds: isSame,
      sql: (a, b, call) => (never(call) ? sql`(${a} = ${b})` : sql`(${a} is not distinct from ${b})`),
      mysql: (a, b) => sql`(${a} <=> ${b})`,
    },
  ),
  comparison(
    '!=',
    'Whether they differ; <> is the same.',
    [
      ['{status} != "open"', false],
      ['1 <> NULL', true],
    ],
    {
      ordered: false,
      holds: (a, b) => !isSame(a, b),
      sql: (a, b, call) => (never(call) ? sql`(${a} <> ${b})` : sql`(${a} is distinct from ${b})`),
      mysql: (a, b) => sql`(not (${a} <=> ${b}))`,
    },
  ),
  comparison(
    '<',
    'Whether the first is smaller; not where one is null. Texts go by code point, dates by time.',
    [
      ['"B" < "a"', true],
      ['NULL < 1', false],
    ],
    {
      ordered: true,
      holds: compared((order) => order < 0, false),
      sql: strictly(sql`<`),
      mysql: strictly(sql`<`),
    },
  ),
  comparison(
    '<=',
    'Whether the first is smaller, or both are the same.',
    [
      ['2 <= 2', true],
      ['NULL <= NULL', true],
    ],
    {
      ordered: true,
      holds: compared((order) => order <= 0, true),
      sql: orBothNull(sql`<=`),
    },
  ),
  comparison('>', 'Whether the first is greater; not where one is null.', [['{qty} > 2', true]], {
    ordered: true,
    holds: compared((order) => order > 0, false),
    sql: strictly(sql`>`),
    mysql: strictly(sql`>`),
  }),
  comparison('>=', 'Whether the first is greater, or both are the same.', [['{due} >= DATE(2026, 1, 1)', true]], {
    ordered: true,
    holds: compared((order) => order >= 0, true),
    sql: orBothNull(sql`>=`),
  }),
];
