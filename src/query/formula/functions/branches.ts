import { comma, empty, join, sql, type Sql } from '../../sql.js';
import type { Expression } from '../expression.js';
import { FAILED, takes, type Compiled, type Lazy, type Outcome, type Param } from '../function.js';
import { literalValue } from '../literal.js';
import { BOOLEAN, eitherOf, type Shape } from '../shape.js';
import { isSame } from './comparisons.js';
import { coalesceOfMongo, ifsOfMongo, junctionOfMongo, switchOfMongo } from './mongo-branches.js';

export const or = sql` or `;
const space = sql` `;
export const fail = sql`null`;

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
export function decided(ways: readonly Way[], otherwise: Compiled | undefined): Pick<Compiled, 'value' | 'fails'> {
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
export const branches = (
  results: readonly Expression[],
  conditions: readonly Expression[],
  hasDefault: boolean,
): Shape => {
  const shape = eitherOf(results.map((part) => part.shape));
  const fails = [...results, ...conditions].some((part) => part.shape.fails);
  return { ...shape, nullable: shape.nullable || !hasDefault, fails };
};

export const result = (label: string, over: Partial<Param> = {}): Param => takes.value(label, { same: 'a', ...over });

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

export const ifs: Lazy['lazy'] = {
  mongo: ifsOfMongo,
  compute(args) {
    const { ways, otherwise } = pairs(args);
    return choose(ways, otherwise);
  },
  sql(args) {
    const { ways, otherwise } = pairs(args);
    return decided(ways.map(([condition, then]) => ({ if: condition, then })), otherwise); // prettier-ignore
  },
};

export function ifsShape(args: readonly Expression[]): Shape {
  const { ways, otherwise } = pairs(args);
  const results = [...ways.map(([, then]) => then), ...(otherwise ? [otherwise] : [])];
  return branches(results, ways.map(([condition]) => condition), otherwise !== undefined); // prettier-ignore
}

/** All (`decisive` false) or one (true) of them; behind the argument that decides nothing is looked at. */
export const junction = (decisive: boolean, operator: Sql): Lazy['lazy'] => ({
  mongo: junctionOfMongo(decisive),
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

export const truths = (args: readonly Expression[]): Shape => ({
  ...BOOLEAN,
  fails: args.some(({ shape }) => shape.fails),
});

export const coalesce: Lazy['lazy'] = {
  mongo: coalesceOfMongo,
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

export const switched: Lazy['lazy'] = {
  mongo: switchOfMongo,
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

export function switchShape([subject, ...rest]: readonly Expression[]): Shape {
  const { ways, otherwise } = pairs(rest);
  const results = [...ways.map(([, then]) => then), ...(otherwise ? [otherwise] : [])];
  return branches(results, subject ? [subject] : [], otherwise !== undefined);
}
