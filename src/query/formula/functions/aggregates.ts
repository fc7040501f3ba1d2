import { comma, integer, join, sql, type Sql } from '../../sql.js';
import { elements, onceEach } from '../../compile/formula/fragments.js';
import { add, divide, LIMIT, QUOTIENT_SCALE, whole, ZERO, type Decimal } from '../decimal.js';
import type { Expression } from '../expression.js';
import { takes, type FormulaFunction, type Strict, type Value } from '../function.js';
import { eitherOf, numberShape, wholeShape, type Shape } from '../shape.js';
import { compareValues } from './comparisons.js';
import { quotient } from './quotients.js';

/** The values of arguments that are values or lists of them; nulls are left out. */
const valuesOf = (args: readonly Value[]): readonly Value[] =>
  args.flatMap((arg): readonly Value[] => (Array.isArray(arg) ? (arg as readonly Value[]) : arg === null ? [] : [arg]));
const numbersOf = (args: readonly Value[]): readonly Decimal[] => valuesOf(args) as readonly Decimal[];

const largest = (args: readonly Expression[]): bigint =>
  args.reduce((most, { shape }) => (shape.most > most ? shape.most : most), 1n);

/** Elements that a list may have, as far as sums of them are concerned. */
const ELEMENTS = 1_000_000n;

function sumShape(args: readonly Expression[]): Shape {
  const shapes = args.map(({ shape }) => shape);
  const most = shapes.reduce((sum, { most: each, list }) => sum + (list ? each * ELEMENTS : each), 0n);
  const scale = Math.max(...shapes.map((shape) => shape.scale));
  return numberShape({ most, scale, fixed: shapes.every((shape) => shape.fixed && shape.scale === scale) });
}

function extremes(name: 'MIN' | 'MAX'): FormulaFunction {
  const isLeast = name === 'MIN';
  const of = (param: (typeof takes)['numbers']): Strict => ({
    params: [param('value', { repeats: true })],
    aware: true,
    whole: true,
    returns: (args) => {
      const shape = eitherOf(args.map((arg) => arg.shape));
      return {
        ...shape,
        list: false,
        fails: false,
        nullable: args.every((arg) => arg.shape.nullable || arg.shape.list),
      };
    },
    compute: (args) =>
      valuesOf(args).reduce<Value>(
        (best, value) => (best === null || compareValues(value, best) < 0 === isLeast ? value : best),
        null,
      ),
    mysql: (args) => {
      const both = isLeast ? sql`least` : sql`greatest`;
      return args.reduce((best, arg) => sql`coalesce(${both}(${best}, ${arg}), ${best}, ${arg})`);
    },
    postgres: (args, { args: parts }) => {
      const each = args.map((arg, i) =>
        parts[i]?.shape.list ? sql`(select ${isLeast ? sql`min` : sql`max`}(e) from ${elements(arg)})` : arg,
      );
      return each.length === 1 ? join(each, comma) : sql`${isLeast ? sql`least` : sql`greatest`}(${join(each, comma)})`;
    },
  });
  return {
    name,
    category: 'number',
    summary: `The ${isLeast ? 'smallest' : 'largest'} of numbers, dates or dates with times, and of those in lists. Nulls are left out.`,
    examples: isLeast ? [['MIN(4, {qty}, NULL, 5)', 3], ['MIN({marks})', 1]] : [['MAX(1, 2.5)', '2.5'], ['MAX({due}, DATE(2027, 1, 1))', '2027-01-01']], // prettier-ignore
    overloads: [of(takes.numbers), of(takes.dates), of(takes.datetimes)],
  };
}

/** Cut off behind one digit more, which decides about halves. */
const averageOf = sql`round(div(sum(n) * 100000000000, nullif(count(n), 0)) * 0.00000000001, ${integer(QUOTIENT_SCALE)})`;

/** Of values side by side. */
function averageOfFew(args: readonly Sql[], parts: readonly Expression[]): Sql {
  const sum = join(
    args.map((arg) => sql`coalesce(${arg}, 0)`),
    sql` + `,
  );
  const total = { ...numberShape({ most: LIMIT, scale: 0 }), scale: sumShape(parts).scale };
  return quotient(sql`(${sum})`, sql`num_nonnulls(${join(args, comma)})`, total, wholeShape(args.length));
}

/** The arguments as rows of `n`. */
function rowsOf(args: readonly Sql[], parts: readonly Expression[]): Sql {
  const each = args.map((arg, i) => (parts[i]?.shape.list ? sql`select e from ${elements(arg)}` : sql`select ${arg}`));
  return sql`(${join(each, sql` union all `)}) _all(n)`;
}

export const AGGREGATES: readonly FormulaFunction[] = [
  extremes('MIN'),
  extremes('MAX'),
  {
    name: 'SUM',
    category: 'number',
    summary: 'The sum of numbers and of the numbers in lists. Nothing counts as 0.',
    examples: [['SUM(1, 2.5, NULL)', '3.5'], ['SUM({marks})', '6']], // prettier-ignore
    overloads: [
      {
        params: [takes.numbers('number', { repeats: true })],
        aware: true,
        whole: true,
        returns: sumShape,
        compute: (args) => numbersOf(args).reduce(add, ZERO),
        mysql: (args) =>
          sql`(${join(
            args.map((arg) => sql`coalesce(${arg}, 0)`),
            sql` + `,
          )})`,
        postgres: (args, { args: parts, shape }) => {
          const zero = shape.scale > 0 && shape.fixed ? sql`round(0::numeric, ${integer(shape.scale)})` : sql`0`;
          const each = args.map((arg, i) => (parts[i]?.shape.list ? sql`(select sum(e) from ${elements(arg)})` : arg));
          return sql`(${join(each.map((sum) => sql`coalesce(${sum}, ${zero})`), sql` + `)})`; // prettier-ignore
        },
      },
    ],
  },
  {
    name: 'AVERAGE',
    category: 'number',
    summary: 'The average of numbers and of the numbers in lists, with up to 10 digits behind the point. Nulls are left out.', // prettier-ignore
    examples: [['AVERAGE(1, 2, NULL)', '1.5'], ['AVERAGE({marks})', '2']], // prettier-ignore
    overloads: [
      {
        params: [takes.numbers('number', { repeats: true })],
        aware: true,
        returns: (args) => {
          const most = largest(args) + 1n;
          return numberShape({ most: most < LIMIT ? most : LIMIT - 1n, scale: QUOTIENT_SCALE }, { nullable: true });
        },
        compute: (args) => {
          const numbers = numbersOf(args);
          return numbers.length === 0 ? null : divide(numbers.reduce(add, ZERO), whole(numbers.length));
        },
        postgres: (args, { args: parts }) =>
          parts.some(({ shape }) => shape.list)
            ? sql`(select ${averageOf} from ${rowsOf(args, parts)})`
            : onceEach(args, (each) => averageOfFew(each, parts)),
      },
    ],
  },
  {
    name: 'COUNT',
    category: 'list',
    summary: 'How many values there are: in lists, and besides them. Nulls are left out.',
    examples: [['COUNT({tags})', 2], ['COUNT(1, NULL, "a")', 2]], // prettier-ignore
    overloads: [
      {
        params: [takes.anything('value', { repeats: true })],
        aware: true,
        returns: (args) => wholeShape(1_000_000_000n * BigInt(args.length)),
        compute: (args) => whole(valuesOf(args).length),
        mysql: (args) =>
          sql`(${join(
            args.map((arg) => sql`(${arg} is not null)`),
            sql` + `,
          )})`,
        postgres: (args, { args: parts }) => {
          const each = args.map((arg, i) =>
            parts[i]?.shape.list
              ? sql`coalesce(cardinality(${arg}), 0)`
              : sql`case when ${arg} is null then 0 else 1 end`,
          );
          return sql`(${join(each, sql` + `)})`;
        },
      },
    ],
  },
];
