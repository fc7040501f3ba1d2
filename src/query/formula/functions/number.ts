import * as mongo from '../../compile/formula/mongo-fragments.js';
import * as mysql from '../../compile/formula/mysql-fragments.js';
import { integer, join, literal, sql, type Sql } from '../../sql.js';
import { once, onceEach } from '../../compile/formula/fragments.js';
import { absolute, add, ceiling, decimalOf, floor, isZero, LIMIT, multiply, negated, QUOTIENT_SCALE, remainder, rounded, signOf, subtract, tens, whole, type Decimal, type Rounding } from '../decimal.js'; // prettier-ignore
import { constantOf, type Expression } from '../expression.js';
import { FAILED, takes, type FormulaFunction, type Param, type Strict } from '../function.js';
import { numberShape, wholeShape, type Shape } from '../shape.js';
import { exponential, logarithm, naturalLogarithm, raised, squareRoot } from '../transcendental.js';
import { flooredRemainder, remainderOf, remainderShape } from './quotients.js';

type Row = Omit<Strict, 'params' | 'returns' | 'compute' | 'postgres' | 'lazy'>;

/** A function of one number. */
const of1 = (
  returns: (a: Shape) => Shape,
  compute: (a: Decimal) => Decimal | undefined,
  postgres: (a: Sql) => Sql,
  over: Row = {},
): Strict => ({
  params: [takes.number('number')],
  returns: ([a]) => returns(shapeOf(a)),
  compute: ([a]) => compute(a as Decimal) ?? FAILED,
  postgres: ([a = sql`null`]) => postgres(a),
  ...over,
});

const shapeOf = (part: Expression | undefined): Shape => part?.shape ?? wholeShape(1);
const row = (name: string, summary: string, examples: FormulaFunction['examples'], ...overloads: Strict[]): FormulaFunction => ({ name, category: 'number', summary, examples, overloads }); // prettier-ignore

/** Digits behind the point, which have to be known before there are rows, for they say what the result is. */
const DIGITS: Param = takes.number('digits', {
  optional: true,
  expected: 'whole number from -37 to 18, written out',
  constant: (value) =>
    /^-?\d{1,2}$/.test(String(value)) && Number(value) >= -37 && Number(value) <= 18
      ? undefined
      : { code: 'constant_expected', detail: 'Digits are a whole number from -37 to 18.' },
});
const digitsOf = (part: Expression | undefined): number => Number(constantOf(part) ?? 0);

const roundedShape = ({ most, scale, fixed }: Shape, places: number): Shape =>
  scale <= places
    ? numberShape({ most, scale, fixed })
    : numberShape({ most: most + (places < 0 ? tens(-places) : 1n), scale: Math.max(places, 0), fixed: true });

const rounding = (name: Rounding, postgres: (a: Sql, places: number) => Sql): Strict => ({
  params: [takes.number('number'), DIGITS],
  returns: ([a, places]) => roundedShape(shapeOf(a), digitsOf(places)),
  compute: ([a], { args }) => rounded(a as Decimal, digitsOf(args[1]), name),
  postgres: ([a = sql`null`], { args: [part, places] }) =>
    shapeOf(part).scale <= digitsOf(places) ? a : postgres(a, digitsOf(places)),
});

const unit = (places: number): Sql => sql`${literal(places > 0 ? `0.${'0'.repeat(places - 1)}1` : `1${'0'.repeat(-places)}`)}::numeric`; // prettier-ignore

/** To a multiple of the step; without one, to a whole number. */
const stepped = (compute: (a: Decimal) => Decimal, postgres: (a: Sql) => Sql, up: boolean): readonly Strict[] => [
  of1(({ most }) => wholeShape(most + 1n), compute, postgres, {
    mysql: ([a = sql``]) => postgres(a),
    mongo: ([a]) => ({ [up ? '$ceil' : '$floor']: a }),
  }),
  {
    params: [takes.number('number'), takes.number('step')],
    returns: ([a, step]) => {
      const [x, y] = [shapeOf(a), shapeOf(step)];
      return numberShape({ most: x.most + y.most, scale: Math.max(x.scale, y.scale), fixed: x.fixed && y.fixed }, { fails: true }); // prettier-ignore
    },
    compute: ([a, step]) => {
      const [x, y] = [a as Decimal, absolute(step as Decimal)];
      if (isZero(y)) return FAILED;
      return up ? add(x, remainder(negated(x), y)) : subtract(x, remainder(x, y));
    },
    postgres: ([a = sql`null`, step = sql`null`]) =>
      onceEach([a, step], ([x = a, y = step]) =>
        up
          ? sql`(${x} + ${flooredRemainder(sql`(- ${x})`, sql`abs(${y})`)})`
          : sql`(${x} - ${flooredRemainder(x, sql`abs(${y})`)})`,
      ),
  },
];

const down = (a: Sql): Sql => sql`floor(${a})`;
const HALF: Decimal = { digits: 5n, scale: 1 };
const halfUp = (a: Decimal): Decimal => ceiling(multiply(a, HALF));

const NATURAL = 30;
/** With so many digits that nothing before the tenth is rounded twice. */
const precise = (a: Sql, digits = NATURAL): Sql => sql`round(${a}, ${integer(digits)})`;
const toTen = (a: Sql): Sql => sql`round(${a}, ${integer(QUOTIENT_SCALE)})`;
const positive = (a: Sql): Sql => sql`ln(${precise(sql`case when ${a} > 0 then ${a} end`, 40)})`;
const openEnded = { most: LIMIT, scale: QUOTIENT_SCALE } as const;
/** The logarithm of a number of formulas is smaller. */
const LOGARITHM = numberShape({ most: 90n, scale: QUOTIENT_SCALE }, { fails: true });

/**
 * The square root of a number that has 22 digits behind the point at most is none that ends with the eleventh, or differs from those by
 * 1 / (10^22 × the sum of both): with so many digits it is not rounded to a half. The cast changes but the header of a number.
 */
function rootSql(a: Sql, { most }: Shape): Sql {
  const digits = 24 + Math.ceil(String(most).length / 2);
  return toTen(sql`sqrt(case when ${a} >= 0 then (${a})::numeric(1000, ${integer(digits)}) end)`);
}

const rootOf: Strict = {
  params: [takes.number('number')],
  returns: ([a]) => numberShape({ most: shapeOf(a).most + 1n, scale: QUOTIENT_SCALE }, { fails: true }),
  compute: ([a]) => ((a as Decimal).digits < 0n ? FAILED : squareRoot(a as Decimal)),
  postgres: ([a = sql`null`], { args: [part] }) => once(a, (x) => rootSql(x, shapeOf(part))),
};

/** Of small whole exponents it is known how many digits the power has. */
function powerShape({ most, scale, fixed }: Shape, exponent: unknown): Shape {
  const n = /^[0-9]{1,2}$/.test(String(exponent)) ? Number(exponent) : undefined;
  if (n === undefined || scale * n > QUOTIENT_SCALE) return numberShape(openEnded);
  return numberShape({ most: n === 0 ? 1n : most ** BigInt(n), scale: scale * n, fixed });
}

/** Exponents so small are multiplied out. */
const FACTORS = 4;

function product(base: Sql, exponent: number): Sql {
  return once(base, (x) => sql`(${join(Array.from({ length: exponent }, () => x), sql` * `)})`); // prettier-ignore
}

/** How large a power becomes, in doubles, is known before it is computed: nothing is multiplied out that is past the limit. */
function power(base: Sql, exponent: Sql): Sql {
  return onceEach([base, exponent], ([x = base, y = exponent]) => {
    const size = sql`${y}::float8 * ln(abs(nullif(${x}, 0))::float8)`;
    const raise = (from: Sql, digits: number): Sql =>
      sql`case when ${size} >= 88.5 then null when ${size} < -60 then 0 else ${toTen(sql`power(${precise(from, digits)}, ${y})`)} end`;
    return sql`case when ${x} = 0 then case when ${y} = 0 then 1 when ${y} > 0 then 0 end
      when ${y} = trunc(${y}) and abs(${y}) <= 1000 then ${raise(sql`nullif(${x}, 0)`, 60)}
      when ${x} > 0 then ${raise(sql`case when ${x} > 0 then ${x} end`, 60)} end`;
  });
}

const NUMBER = '^ *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})? *$';

export const NUMBERS: readonly FormulaFunction[] = [
  row('ABS', 'The number without its sign.', [['ABS(-2.5)', '2.5']], of1((a) => numberShape(a), absolute, (a) => sql`abs(${a})`, { whole: true, mysql: ([a = sql``]) => sql`abs(${a})`, mongo: ([a]) => ({ $abs: a }) })), // prettier-ignore
  row('SIGN', '-1, 0 or 1.', [['SIGN(-2.5)', -1]], of1(() => wholeShape(1), (a) => whole(signOf(a)), (a) => sql`sign(${a})`, { mysql: ([a = sql``]) => sql`sign(${a})`, mongo: ([a]) => mongo.choose({ $gt: [a, 0] }, 1, mongo.choose({ $lt: [a, 0] }, -1, 0)) })), // prettier-ignore
  row(
    'ROUND',
    'Rounded to so many digits behind the point, none if not said; halves away from zero. Negative digits round to tens, hundreds and so on.',
    [
      ['ROUND(2.345, 2)', '2.35'],
      ['ROUND(-2.5)', -3],
      ['ROUND(1234, -2)', 1200],
    ],
    {
      ...rounding('half', (a, places) => sql`round(${a}, ${integer(places)})`),
      mysql: ([a = sql``], { args: [part, places] }) => (shapeOf(part).scale <= digitsOf(places) ? a : sql`round(${a}, ${integer(digitsOf(places))})`), // prettier-ignore
      mongo: ([a], { args: [part, places] }) => (digitsOf(places) < -20 ? undefined : shapeOf(part).scale <= digitsOf(places) ? a : mongo.rounded(a, digitsOf(places))), // prettier-ignore
    },
  ),
  row('ROUNDUP', 'Rounded away from zero.', [['ROUNDUP(2.341, 2)', '2.35'], ['ROUNDUP(-2.1)', -3]],
    rounding('up', (a, places) => once(a, (x) => sql`(trunc(${x}, ${integer(places)}) + sign(${x} - trunc(${x}, ${integer(places)})) * ${unit(places)})`))), // prettier-ignore
  row('ROUNDDOWN', 'Rounded towards zero.', [['ROUNDDOWN(2.349, 2)', '2.34']], {
    ...rounding('down', (a, places) => sql`trunc(${a}, ${integer(places)})`),
    mysql: ([a = sql``], { args: [part, places] }) => (shapeOf(part).scale <= digitsOf(places) ? a : sql`truncate(${a}, ${integer(digitsOf(places))})`), // prettier-ignore
    mongo: ([a], { args: [part, places] }) => (digitsOf(places) < -20 ? undefined : shapeOf(part).scale <= digitsOf(places) ? a : mongo.truncated(a, digitsOf(places))), // prettier-ignore
  }),
  row('FLOOR', 'The largest whole number, or multiple of the step, that is not larger.', [['FLOOR(-2.5)', -3], ['FLOOR(7.3, 0.5)', '7.0']], ...stepped(floor, down, false)), // prettier-ignore
  row('CEILING', 'The smallest whole number, or multiple of the step, that is not smaller.', [['CEILING(2.1)', 3], ['CEILING(7.3, 0.5)', '7.5']], ...stepped(ceiling, (a) => sql`ceil(${a})`, true)), // prettier-ignore
  row('INT', 'The largest whole number that is not larger, as FLOOR.', [['INT(-2.5)', -3]], of1(({ most }) => wholeShape(most + 1n), floor, down, { mysql: ([a = sql``]) => sql`floor(${a})`, mongo: ([a]) => ({ $floor: a }) })), // prettier-ignore
  row('EVEN', 'The next even number away from zero.', [['EVEN(3)', 4], ['EVEN(-1.5)', -2]], of1(({ most }) => wholeShape(most + 2n), (a) => multiply(whole(2 * signOf(a)), halfUp(absolute(a))), (a) => once(a, (x) => sql`(sign(${x}) * 2 * ceil(abs(${x}) * 0.5))`))), // prettier-ignore
  row('ODD', 'The next odd number away from zero.', [['ODD(2)', 3], ['ODD(-2)', -3], ['ODD(0)', 1]], of1(({ most }) => wholeShape(most + 2n), (a) => {
    const size = add(multiply(whole(2), halfUp(subtract(absolute(a), whole(1)))), whole(1));
    return signOf(a) < 0 ? negated(size) : size;
  }, (a) => once(a, (x) => sql`(case when ${x} < 0 then -1 else 1 end * (2 * ceil((abs(${x}) - 1) * 0.5) + 1))`))), // prettier-ignore
  row(
    'MOD',
    'What is left by the division, with the sign of the divisor.',
    [
      ['MOD(-7, 3)', 2],
      ['MOD(5.5, 2)', '1.5'],
    ],
    {
      params: [takes.number('number'), takes.number('divisor')],
      returns: ([a, b]) => remainderShape(shapeOf(a), shapeOf(b)),
      compute: ([a, b]) => (isZero(b as Decimal) ? FAILED : remainder(a as Decimal, b as Decimal)),
      whole: true,
      postgres: ([a = sql``, b = sql``], call) => remainderOf(a, b, call),
      mysql: ([a = sql``, b = sql``]) => mysql.flooredRemainder(a, b),
      mongo: ([a, b], call) => mongo.exactly(call, mongo.flooredRemainder(a, b)),
    },
  ),
  ...['POWER', '^'].map((name): FormulaFunction => ({
    name,
    category: name === '^' ? 'operator' : 'number',
    summary: 'The first number to the power of the second, with up to 10 digits behind the point. Whole exponents up to 1,000 are multiplied out exactly.', // prettier-ignore
    examples:
      name === '^'
        ? [
            ['2 ^ 3 ^ 2', '512'],
            ['{qty} ^ 2', '9'],
            ['2 ^ -1', '0.5'],
          ]
        : [
            ['POWER(1.05, 2)', '1.1025'],
            ['POWER(2, 0.5)', '1.4142135624'],
          ],
    overloads: [
      {
        params: [takes.number('number'), takes.number('exponent')],
        returns: ([a, b]) => powerShape(shapeOf(a), constantOf(b)),
        compute: ([a, b]) => raised(a as Decimal, b as Decimal) ?? FAILED,
        postgres: ([a = sql``, b = sql``], { shape, args: [, exponent] }) => {
          const n = Number(constantOf(exponent) ?? NaN);
          const isSmall = Number.isInteger(n) && n >= 1 && n <= FACTORS;
          if (shape.fixed) return isSmall ? product(a, n) : sql`round(${power(a, b)}, ${integer(shape.scale)})`;
          return isSmall ? toTen(product(a, n)) : power(a, b);
        },
      },
    ],
  })),
  row('SQRT', 'The square root, with up to 10 digits behind the point; of a negative number an error.', [['SQRT(2)', '1.4142135624'], ['SQRT(2.25)', '1.5']],
    rootOf), // prettier-ignore
  row('EXP', 'e to the power of the number.', [['EXP(1)', '2.7182818285']],
    of1(() => numberShape(openEnded), exponential, (a) => once(a, (x) => sql`case when ${x} < 88 then ${toTen(sql`exp(${precise(sql`least(greatest(${x}, -60), 88)`, 40)})`)} end`))), // prettier-ignore
  row('LN', 'The natural logarithm; of zero and below an error.', [['LN(10)', '2.302585093']], of1(() => LOGARITHM, naturalLogarithm, (a) => toTen(positive(a)))), // prettier-ignore
  row(
    'LOG',
    'The logarithm to a base, 10 if not said.',
    [
      ['LOG(1000)', '3'],
      ['LOG(8, 2)', '3'],
    ],
    {
      params: [takes.number('number'), takes.number('base', { optional: true })],
      returns: () => numberShape({ most: tens(22), scale: QUOTIENT_SCALE }, { fails: true }),
      compute: ([a, base]) => logarithm(a as Decimal, base === undefined ? whole(10) : (base as Decimal)) ?? FAILED,
      postgres: ([a = sql``, base = sql`10::numeric`]) => toTen(sql`(${positive(a)} / nullif(${positive(base)}, 0))`),
    },
  ),
  row(
    'VALUE',
    'The number that a text says; where it says none, an error.',
    [
      ['VALUE(" 1.50 ")', '1.5'],
      ['VALUE("x")', null],
    ],
    {
      params: [takes.text('text')],
      returns: () => numberShape({ most: LIMIT, scale: 100 }),
      compute: ([a]) =>
        new RegExp(NUMBER).test(a as string) && [...(a as string)].length <= 100
          ? (decimalOf((a as string).trim()) ?? FAILED)
          : FAILED,
      postgres: ([a = sql``]) => once(a, (text) => sql`case when char_length(${text}) <= 100 and (${text} <> '' and ltrim(${text}, '0123456789') = '' or ${text} ~ ${literal(NUMBER)}) then (${text})::numeric end`), // prettier-ignore
    },
  ),
];
