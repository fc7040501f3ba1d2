import { empty, join, sql, type Sql } from '../../sql.js';
import * as mongo from '../../compile/formula/mongo-fragments.js';
import { any, literal, not } from '../../compile/mongo/document.js';
import { FAILED, takes, type FormulaFunction } from '../function.js';
import { BOOLEAN, eitherOf, NULL } from '../shape.js';
import {
  branches,
  coalesce,
  fail,
  ifs,
  ifsShape,
  junction,
  or,
  result,
  switched,
  switchShape,
  truths,
} from './branches.js';
import { ifErrorOfMongo, isErrorOfMongo } from './mongo-branches.js';

const row = (
  name: string,
  summary: string,
  examples: FormulaFunction['examples'],
  ...overloads: FormulaFunction['overloads']
): FormulaFunction => ({ name, category: 'logic', summary, examples, overloads });

export const LOGIC: readonly FormulaFunction[] = [
  row(
    'IF',
    'The second value where the condition is true, else the third, or nothing. Only the one that is taken is computed.',
    [
      ['IF({qty} > 2, "many", "few")', 'many'],
      ['IF(FALSE, 1)', null],
    ],
    {
      params: [takes.boolean('condition'), result('then'), result('else', { optional: true })],
      returns: ([condition, ...results]) => branches(results, condition ? [condition] : [], results.length > 1),
      lazy: ifs,
    },
  ),
  row(
    'IFS',
    'The value behind the first condition that is true; a last value alone is what else.',
    [['IFS({qty} > 5, "L", {qty} > 2, "M", "S")', 'M']],
    {
      params: [takes.boolean('condition', { repeats: true }), result('value', { repeats: true })],
      tail: result('else'),
      returns: ifsShape,
      lazy: ifs,
    },
  ),
  row(
    'SWITCH',
    'The value behind the constant that the first argument is the same as; a last value alone is what else.',
    [['SWITCH({status}, "open", "Go", "won", "Done", "?")', 'Go']],
    {
      params: [
        takes.scalar('value', { same: 'b' }),
        takes.scalar('constant', { same: 'b', repeats: true, constant: (value) => (value === null ? { code: 'constant_expected', detail: 'Nothing is the same as null here; use ISBLANK.' } : undefined) }), // prettier-ignore
        result('result', { repeats: true }),
      ],
      tail: result('else'),
      returns: switchShape,
      lazy: switched,
    },
  ),
  row(
    'AND',
    'Whether all conditions are true. Behind the first that is not, none is looked at.',
    [['AND({qty} != 0, 6 / {qty} = 2)', true]],
    {
      params: [takes.boolean('condition', { repeats: true })],
      returns: truths,
      lazy: junction(false, sql` and `),
    },
  ),
  row(
    'OR',
    'Whether a condition is true. Behind the first that is, none is looked at.',
    [['OR({qty} = 1, {qty} = 3)', true]],
    {
      params: [takes.boolean('condition', { repeats: true })],
      returns: truths,
      lazy: junction(true, or),
    },
  ),
  row(
    'NOT',
    'Whether the condition is not true.',
    [
      ['NOT({qty} > 2)', false],
      ['NOT(NULL)', true],
    ],
    {
      params: [takes.boolean('condition')],
      aware: true,
      returns: () => BOOLEAN,
      compute: ([a]) => a !== true,
      postgres: ([a = empty]) => sql`(${a} is not true)`,
      mysql: ([a = empty]) => sql`(${a} is not true)`,
      mongo: ([a]) => not(a),
    },
  ),
  row('XOR', 'Whether an odd number of conditions is true.', [['XOR(TRUE, TRUE, FALSE)', false]], {
    params: [takes.boolean('condition', { repeats: true })],
    aware: true,
    returns: () => BOOLEAN,
    compute: (args) => args.filter((arg) => arg === true).length % 2 === 1,
    postgres: (args) => odd(args),
    mysql: (args) => odd(args),
    mongo: (args) => ({ $eq: [{ $mod: [{ $add: args.map((arg) => mongo.choose(arg, 1, 0)) }, 2] }, 1] }),
  }),
  {
    ...row('BLANK', 'Nothing: the same as NULL.', [['BLANK()', null]], {
      params: [],
      aware: true,
      returns: () => NULL,
      compute: () => null,
      postgres: () => sql`null`,
    }),
    constant: null,
  },
  row(
    'ISBLANK',
    'Whether there is nothing: null, an empty text, an empty list.',
    [
      ['ISBLANK("")', true],
      ['ISBLANK({tags})', false],
    ],
    {
      params: [takes.anything('value')],
      aware: true,
      returns: () => BOOLEAN,
      compute: ([a]) => a === null || a === '' || (Array.isArray(a) && a.length === 0),
      postgres: ([a = empty], { args: [part] }) =>
        part?.shape.list
          ? sql`(coalesce(cardinality(${a}), 0) = 0)`
          : part?.shape.of === 'text'
            ? sql`(coalesce(${a}, '') = '')`
            : sql`(${a} is null)`,
      mysql: ([a = empty], { args: [part] }) =>
        part?.shape.of === 'text' ? sql`(coalesce(length(${a}), 0) = 0)` : sql`(${a} is null)`,
      mongo: ([a]) => any([mongo.isNothing(a), { $eq: [a, literal('')] }]),
    },
  ),
  row('COALESCE', 'The first value that is not null.', [['COALESCE(NULL, {qty}, 0)', 3]], {
    params: [result('value', { repeats: true })],
    returns: (args) => ({
      ...eitherOf(args.map(({ shape }) => shape)),
      nullable: args.every(({ shape }) => shape.nullable),
    }),
    lazy: coalesce,
  }),
  row(
    'ISERROR',
    'Whether the value cannot be computed.',
    [
      ['ISERROR(1 / 0)', true],
      ['ISERROR(NULL)', false],
    ],
    {
      params: [takes.anything('value')],
      returns: () => BOOLEAN,
      lazy: {
        mongo: isErrorOfMongo,
        compute: ([arg]) => arg?.() === FAILED,
        sql: ([arg]) => ({ value: arg?.fails() ?? sql`false`, fails: () => undefined }),
      },
    },
  ),
  row('IFERROR', 'The first value, or the second where the first cannot be computed.', [['IFERROR(1 / 0, -1)', '-1']], {
    params: [result('value'), result('instead')],
    returns: (args) => ({
      ...eitherOf(args.map(({ shape }) => shape)),
      fails: args.every(({ shape }) => shape.fails),
    }),
    lazy: {
      mongo: ifErrorOfMongo,
      compute([arg, instead]) {
        const value = arg?.() ?? null;
        return value === FAILED ? (instead?.() ?? null) : value;
      },
      sql([arg, instead]) {
        const fails = arg?.fails();
        if (!arg || !instead || !fails) return { value: arg?.value ?? fail, fails: () => undefined };
        return {
          // An error is a null, so whether there is one is asked of nulls only.
          value: sql`coalesce(${arg.value}, case when ${fails} then ${instead.value} end)`,
          fails: () => {
            const both = instead.fails();
            return both && sql`(${fails} and ${both})`;
          },
        };
      },
    },
  }),
];

function odd(args: readonly Sql[]): Sql {
  const ones = args.map((arg) => sql`case when ${arg} then 1 else 0 end`);
  return sql`((${join(ones, sql` + `)}) % 2 = 1)`;
}
