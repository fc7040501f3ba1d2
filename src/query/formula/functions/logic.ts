import { empty, join, sql, type Sql } from '../../sql.js';
import { comma } from '../../sql.js';
import {
  FAILED,
  takes,
  type Compiled,
  type FormulaFunction,
  type Lazy,
  type Outcome,
  type Param,
} from '../function.js';
import type { Expression } from '../expression.js';
import { BOOLEAN, eitherOf, NULL, type Shape } from '../shape.js';
import { isSame } from './operators.js';
import { literalValue } from '../literal.js';

const or = sql` or `;
const space = sql` `;
const fail = sql`null`;

/** Whether one of them is an error; absent where none can be. */
export function anyFails(args: readonly Compiled[]): Sql | undefined {
  const conditions = args.flatMap(({ fails }) => fails() ?? []);
  return conditions.length === 0 ? undefined : sql`(${join(conditions, or)})`;
}

const when = (condition: Sql, then: Sql): Sql => sql`when ${condition} then ${then}`;
const cases = (steps: readonly Sql[], otherwise: Sql): Sql => sql`case ${join(steps, space)} else ${otherwise} end`;

/** One way of several: it is taken where the condition is true. */
interface Way {
  readonly if: Compiled;
  readonly then: Compiled;
}

/** The first way whose condition is true; a condition in front of it that is an error is one of the whole. */
function decided(ways: readonly Way[], otherwise: Compiled | undefined): Pick<Compiled, 'value' | 'fails'> {
  const walk = (of: (compiled: Compiled) => Sql, failing: Sql, last: Sql): Sql =>
    cases(
      ways.flatMap((way) => {
        const fails = way.if.fails();
        return [...(fails ? [when(fails, failing)] : []), when(way.if.value, of(way.then))];
      }),
      last,
    );
  return {
    value: walk(({ value }) => value, fail, otherwise?.value ?? fail),
    fails: () => walk(({ fails }) => fails() ?? sql`false`, sql`true`, otherwise?.fails() ?? sql`false`),
  };
}

/** What is either of the arguments; `conditions` are looked at, too. */
const branches = (results: readonly Expression[], conditions: readonly Expression[], hasDefault: boolean): Shape => {
  const shape = eitherOf(results.map((part) => part.shape));
  const fails = [...results, ...conditions].some((part) => part.shape.fails);
  return { ...shape, nullable: shape.nullable || !hasDefault, fails };
};

const result = (label: string, over: Partial<Param> = {}): Param => takes.value(label, { same: 'a', ...over });

/** Arguments of IFS: conditions and results by turns, and what else. */
function pairs<T>(args: readonly T[]): {
  readonly ways: readonly (readonly [T, T])[];
  readonly otherwise: T | undefined;
} {
  const ways: (readonly [T, T])[] = [];
  for (let i = 0; i + 1 < args.length; i += 2) ways.push([args[i] as T, args[i + 1] as T]);
  return { ways, otherwise: args.length % 2 === 1 ? args.at(-1) : undefined };
}

function choose(
  ways: readonly (readonly [() => Outcome, () => Outcome])[],
  otherwise: (() => Outcome) | undefined,
): Outcome {
  for (const [condition, then] of ways) {
    const holds = condition();
    if (holds === FAILED) return FAILED;
    if (holds === true) return then();
  }
  return otherwise ? otherwise() : null;
}

const ifs: Lazy['lazy'] = {
  compute(args) {
    const { ways, otherwise } = pairs(args);
    return choose(ways, otherwise);
  },
  sql(args) {
    const { ways, otherwise } = pairs(args);
    return decided(ways.map(([condition, then]) => ({ if: condition, then })), otherwise); // prettier-ignore
  },
};

function ifsShape(args: readonly Expression[]): Shape {
  const { ways, otherwise } = pairs(args);
  const results = [...ways.map(([, then]) => then), ...(otherwise ? [otherwise] : [])];
  return branches(results, ways.map(([condition]) => condition), otherwise !== undefined); // prettier-ignore
}

/** All (`decisive` false) or one (true) of them; behind the argument that decides nothing is looked at. */
const junction = (decisive: boolean, operator: Sql): Lazy['lazy'] => ({
  compute(args) {
    for (const arg of args) {
      const value = arg();
      if (value === FAILED) return FAILED;
      if ((value === true) === decisive) return decisive;
    }
    return !decisive;
  },
  sql(args) {
    const isFalse = ({ value, part }: Compiled): Sql => (part.shape.nullable || part.shape.fails ? sql`(${value} is not true)` : sql`(not ${value})`); // prettier-ignore
    const decides = (arg: Compiled): Sql => (decisive ? arg.value : isFalse(arg));
    const steps = (failing: Sql, deciding: Sql, last: Sql): Sql =>
      cases(
        args.flatMap((arg) => {
          const fails = arg.fails();
          return [...(fails ? [when(fails, failing)] : []), when(decides(arg), deciding)];
        }),
        last,
      );
    const truth = ({ value, part }: Compiled): Sql => (part.shape.nullable ? sql`coalesce(${value}, false)` : value);
    const answer = decisive ? sql`true` : sql`false`;
    const canFail = args.some(({ part }) => part.shape.fails);
    return {
      value: canFail
        ? steps(fail, answer, decisive ? sql`false` : sql`true`)
        : sql`(${join(args.map(truth), operator)})`,
      fails: () => (canFail ? steps(sql`true`, sql`false`, sql`false`) : undefined),
    };
  },
});

const truths = (args: readonly Expression[]): Shape => ({ ...BOOLEAN, fails: args.some(({ shape }) => shape.fails) });

const coalesce: Lazy['lazy'] = {
  compute(args) {
    for (const arg of args) {
      const value = arg();
      if (value !== null) return value;
    }
    return null;
  },
  sql(args) {
    const value = (rest: readonly Compiled[]): Sql => {
      const [first, ...others] = rest;
      if (!first) return fail;
      if (!rest.some(({ part }) => part.shape.fails)) return sql`coalesce(${join(rest.map((arg) => arg.value), comma)})`; // prettier-ignore
      const one = others.length === 0 ? first.value : sql`coalesce(${first.value}, ${value(others)})`;
      const fails = first.fails();
      return fails ? sql`case when ${fails} then null else ${one} end` : one;
    };
    const fails = (): Sql =>
      cases(
        args.flatMap((arg) => {
          const own = arg.fails();
          return [...(own ? [when(own, sql`true`)] : []), when(sql`${arg.value} is not null`, sql`false`)];
        }),
        sql`false`,
      );
    return { value: value(args), fails };
  },
};

const switched: Lazy['lazy'] = {
  compute([subject, ...rest], { args }) {
    const value = subject?.() ?? null;
    if (value === FAILED) return FAILED;
    const { ways, otherwise } = pairs(rest);
    const found = ways.findIndex((_, i) => isSame(value, literalValue(args[1 + 2 * i])));
    const way = ways[found];
    return way ? way[1]() : otherwise ? otherwise() : null;
  },
  sql([subject, ...rest], _call, key) {
    const { ways, otherwise } = pairs(rest);
    const of = subject ? key(subject.part.shape, subject.value) : empty;
    const walk = (from: (compiled: Compiled) => Sql, failing: Sql, last: Sql): Sql => {
      const steps = ways.map(([each, then]) => when(key(each.part.shape, each.value), from(then)));
      const simple = sql`case ${of} ${join(steps, space)} else ${last} end`;
      const fails = subject?.fails();
      return fails ? sql`case when ${fails} then ${failing} else ${simple} end` : simple;
    };
    return {
      value: walk(({ value }) => value, fail, otherwise?.value ?? fail),
      fails: () => walk(({ fails }) => fails() ?? sql`false`, sql`true`, otherwise?.fails() ?? sql`false`),
    };
  },
};

function switchShape([subject, ...rest]: readonly Expression[]): Shape {
  const { ways, otherwise } = pairs(rest);
  const results = [...ways.map(([, then]) => then), ...(otherwise ? [otherwise] : [])];
  return branches(results, subject ? [subject] : [], otherwise !== undefined);
}

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
    },
  ),
  row('XOR', 'Whether an odd number of conditions is true.', [['XOR(TRUE, TRUE, FALSE)', false]], {
    params: [takes.boolean('condition', { repeats: true })],
    aware: true,
    returns: () => BOOLEAN,
    compute: (args) => args.filter((arg) => arg === true).length % 2 === 1,
    postgres: (args) => odd(args),
    mysql: (args) => odd(args),
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
      compute([arg, instead]) {
        const value = arg?.() ?? null;
        return value === FAILED ? (instead?.() ?? null) : value;
      },
      sql([arg, instead]) {
        const fails = arg?.fails();
        if (!arg || !instead || !fails) return { value: arg?.value ?? fail, fails: () => undefined };
        return {
          value: sql`case when ${fails} then ${instead.value} else ${arg.value} end`,
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
