import * as mongo from '../../compile/formula/mongo-fragments.js';
import * as mysql from '../../compile/formula/mysql-fragments.js';
import { sql, type Sql } from '../../sql.js';
import { asText, onceEach } from '../../compile/formula/fragments.js';
import { comma, integer, join } from '../../sql.js';
import { add, divide, isZero, multiply, negated, remainder, subtract, type Decimal } from '../decimal.js'; // prettier-ignore
import { takes, type Compile, type FormulaFunction, type Strict, FAILED } from '../function.js';
import { BOOLEAN, MAX_TEXT, numberShape, textShape, type Shape } from '../shape.js';
import { constantOf, type CallPart, type Expression } from '../expression.js';
import { joined, textOf } from '../text-of.js';
import { divided, quotientShape, remainderOf, remainderShape } from './quotients.js';

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
    readonly postgres: (a: Sql, b: Sql, call: CallPart) => Sql;
    readonly mysql?: NonNullable<Strict['mysql']>;
    readonly mongo: NonNullable<Strict['mongo']>;
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
        postgres: (args, call) => row.postgres(...two(args), call),
        ...(row.mysql ? { mysql: row.mysql } : {}),
        mongo: row.mongo,
      },
    ],
  };
}

const sumShape = (a: Shape, b: Shape): Shape =>
  numberShape({ most: a.most + b.most, scale: Math.max(a.scale, b.scale), fixed: a.fixed && b.fixed });

/** So many texts stand one by one in SQL, which is faster and longer than a call with all of them. */
const FEW = 4;

/** Nothing is an empty text. */
function textsAsOne(texts: readonly Sql[], { args }: CallPart): Sql {
  if (texts.length > FEW) return sql`concat(${join(texts, comma)})`;
  const present = texts.map((text, i) => (isMissing(args[i]) ? sql`coalesce(${text}, '')` : text));
  return sql`(${join(present, sql` || `)})`;
}

const isMissing = (part: Expression | undefined): boolean => !part || part.shape.nullable || part.shape.fails;

export const joinTexts: Compile = (args, call) => {
  const texts = args.map((value, i) => {
    const shape = call.args[i]?.shape;
    return shape ? asText(shape, value) : value;
  });
  const longest = call.args.reduce((sum, { shape }) => sum + textLength(shape), 0);
  if (longest <= MAX_TEXT) return textsAsOne(texts, call);
  return onceEach(texts, (each) => sql`case when ${isTooLong(each, call)} then null else ${textsAsOne(each, call)} end`); // prettier-ignore
};

/** Characters are counted only where there are so many bytes that it matters; parts that are always short are no question. */
function isTooLong(texts: readonly Sql[], { args }: CallPart): Sql {
  const isLong = args.map(({ shape }) => textLength(shape) > SHORT_TEXT);
  const room = MAX_TEXT - args.reduce((sum, { shape }, i) => sum + (isLong[i] === true ? 0 : textLength(shape)), 0);
  const measured = (of: Sql, text: Sql, part: Expression | undefined): Sql => {
    const constant = constantOf(part);
    if (typeof constant === 'string' && part?.shape.of === 'text') return integer(part.shape.length);
    return isMissing(part) ? sql`coalesce(${of}(${text}), 0)` : sql`${of}(${text})`;
  };
  const lengths = (of: Sql, some: readonly Sql[], parts: readonly Expression[]): Sql =>
    join(some.map((text, i) => measured(of, text, parts[i])), sql` + `); // prettier-ignore
  const characters = sql`${lengths(sql`char_length`, texts, args)} > ${integer(MAX_TEXT)}`;
  const long = texts.filter((_, i) => isLong[i]);
  const [only = characters, ...others] = long;
  if (long.length === 0) return characters;
  // A null is not too long.
  const bytes = others.length === 0 ? sql`octet_length(${only})` : lengths(sql`octet_length`, long, args.filter((_, i) => isLong[i])); // prettier-ignore
  return sql`${bytes} > ${integer(room)} and ${characters}`;
}

const joinTextsOfMysql: NonNullable<Strict['mysql']> = (args, { args: parts }) => {
  const texts = args.map((value, i) => (parts[i] ? mysql.asText(parts[i].shape, value) : undefined));
  const known = texts.filter((text) => text !== undefined);
  const longest = parts.reduce((sum, { shape }) => sum + textLength(shape), 0);
  return known.length === texts.length ? mysql.joined(known, longest) : undefined;
};

const joinTextsOfMongo: NonNullable<Strict['mongo']> = (args, { args: parts }) => {
  const texts = args.map((value, i) => (parts[i] ? mongo.shown(parts[i].shape, value) : undefined));
  const longest = parts.reduce((sum, { shape }) => sum + textLength(shape), 0);
  return texts.every((text) => text !== undefined) ? mongo.joined(texts, longest) : undefined;
};

/** Texts that can be longer are measured. */
const SHORT_TEXT = 1_000;

/** Characters that a value has at most as a text. */
export const textLength = ({ of, length }: Shape): number => (of === 'text' ? length : 64);

export const CONCATENATION: Strict & { readonly flat: true } = {
  params: [takes.scalar('value', { repeats: true })],
  aware: true,
  flat: true,
  whole: true,
  returns: (args) => {
    const longest = args.reduce((sum, { shape }) => sum + textLength(shape), 0);
    return { ...textShape(longest), fails: longest > MAX_TEXT };
  },
  compute: (args, { args: parts }) => joined(args.map((value, i) => textOf(value, parts[i]?.shape))),
  postgres: joinTexts,
  mysql: joinTextsOfMysql,
  mongo: joinTextsOfMongo,
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
      mongo: (args, call) => mongo.arithmetic('$add', args, call),
    },
  ),
  arithmetic('-', 'The difference of two numbers.', [['{price} - {cost}', '4.50']], {
    whole: true,
    shape: sumShape,
    compute: subtract,
    postgres: (a, b) => sql`(${a} - ${b})`,
    mysql: ([a = sql``, b = sql``]) => sql`(${a} - ${b})`,
    mongo: (args, call) => mongo.arithmetic('$subtract', args, call),
  }),
  arithmetic('*', 'The product of two numbers.', [['{qty} * {price}', '36.00']], {
    whole: true,
    shape: (a, b) => numberShape({ most: a.most * b.most, scale: a.scale + b.scale, fixed: a.fixed && b.fixed }),
    compute: multiply,
    postgres: (a, b) => sql`(${a} * ${b})`,
    mysql: ([a = sql``, b = sql``], { shape }) => mysql.product(a, b, shape),
    mongo: (args, call) => mongo.arithmetic('$multiply', args, call),
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
      postgres: (a, b, { args }) => divided(a, b, ...two(args)),
      mysql: ([a = sql``, b = sql``]) => mysql.quotient(a, b),
      mongo: ([a, b], call) => mongo.quotient(a, b, call),
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
      whole: true,
      shape: remainderShape,
      compute: (a, b) => (isZero(b) ? undefined : remainder(a, b)),
      postgres: remainderOf,
      mysql: ([a = sql``, b = sql``]) => mysql.flooredRemainder(a, b),
      mongo: ([a, b], call) => mongo.exactly(call, mongo.flooredRemainder(a, b)),
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
        mongo: ([a]) => mongo.negated(a),
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
        mongo: ([a]) => a,
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
];
