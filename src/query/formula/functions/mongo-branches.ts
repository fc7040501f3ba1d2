import { any, literal, not, type MongoExpression } from '../../compile/mongo/document.js';
import { choose, isNothing } from '../../compile/formula/mongo-fragments.js';
import type { MongoBranch, MongoCompiled } from '../function.js';

/*
 * What the functions that compute no more of their arguments than they take are in MongoDB: as in `branches`. A null is not true there.
 */

interface Case {
  readonly case: MongoExpression;
  readonly then: MongoExpression;
}
interface Way {
  readonly if: MongoExpression;
  readonly ifFails: MongoExpression;
  readonly then: MongoCompiled;
}

const [YES, NO, NOTHING] = [literal(true), literal(false), literal(null)];
const failsOf = (compiled: MongoCompiled | undefined): MongoExpression => compiled?.fails() ?? NO;
const switched = (branches: readonly Case[], otherwise: MongoExpression): MongoExpression =>
  branches.length === 0 ? otherwise : { $switch: { branches, default: otherwise } };

/** The first way whose condition is true; a condition in front of it that is an error is one of the whole. */
function decided(ways: readonly Way[], otherwise: MongoCompiled | undefined): MongoBranch {
  const walk = (of: (compiled: MongoCompiled) => MongoExpression, failing: MongoExpression, last: MongoExpression) =>
    switched(
      ways.flatMap((way) => [
        ...(way.ifFails === undefined ? [] : [{ case: way.ifFails, then: failing }]),
        { case: way.if, then: of(way.then) },
      ]),
      last,
    );
  return {
    value: walk(({ value }) => value, NOTHING, otherwise?.value ?? NOTHING),
    fails: () => walk(failsOf, YES, failsOf(otherwise)),
  };
}

function pairs(
  args: readonly MongoCompiled[],
  way: (condition: MongoCompiled, then: MongoCompiled) => Way,
): readonly Way[] {
  return args.flatMap((condition, i) => {
    const then = i % 2 === 0 ? args[i + 1] : undefined;
    return then ? [way(condition, then)] : [];
  });
}
const last = (args: readonly MongoCompiled[]): MongoCompiled | undefined =>
  args.length % 2 === 1 ? args.at(-1) : undefined;

/** Conditions and results by turns, and what else. */
export const ifsOfMongo = (args: readonly MongoCompiled[]): MongoBranch =>
  decided(
    pairs(args, (condition, then) => ({ if: condition.value, ifFails: condition.fails(), then })),
    last(args),
  );

export function switchOfMongo([subject, ...rest]: readonly MongoCompiled[]): MongoBranch {
  const ways = pairs(rest, (constant, then) => ({ if: { $eq: [subject?.value, constant.value] }, ifFails: undefined, then })); // prettier-ignore
  const { value, fails } = decided(ways, last(rest));
  const failed = subject?.fails();
  return {
    value: failed === undefined ? value : choose(failed, NOTHING, value),
    fails: () => (failed === undefined ? fails() : choose(failed, YES, fails())),
  };
}

/** All (`decisive` false) or one (true) of them. */
export const junctionOfMongo =
  (decisive: boolean) =>
  (args: readonly MongoCompiled[]): MongoBranch => {
    const steps = (failing: MongoExpression, deciding: MongoExpression, otherwise: MongoExpression): MongoExpression =>
      switched(
        args.flatMap((arg) => {
          const fails = arg.fails();
          const decides = decisive ? arg.value : not(arg.value);
          return [...(fails === undefined ? [] : [{ case: fails, then: failing }]), { case: decides, then: deciding }];
        }),
        otherwise,
      );
    return { value: steps(NOTHING, literal(decisive), literal(!decisive)), fails: () => steps(YES, NO, NO) };
  };

export function coalesceOfMongo(args: readonly MongoCompiled[]): MongoBranch {
  const [first, ...others] = args;
  if (!first) return { value: NOTHING, fails: () => undefined };
  const rest = coalesceOfMongo(others);
  const failed = first.fails();
  const value = others.length === 0 ? first.value : { $ifNull: [first.value, rest.value] };
  return {
    value: failed === undefined ? value : choose(failed, NOTHING, value),
    fails: () => any([failed ?? NO, choose(isNothing(first.value), rest.fails() ?? NO, NO)]),
  };
}

export const isErrorOfMongo = ([arg]: readonly MongoCompiled[]): MongoBranch => ({
  value: failsOf(arg),
  fails: () => undefined,
});

export function ifErrorOfMongo([arg, instead]: readonly MongoCompiled[]): MongoBranch {
  const failed = arg?.fails();
  if (!arg || !instead || failed === undefined) return { value: arg?.value ?? NOTHING, fails: () => undefined };
  return { value: choose(failed, instead.value, arg.value), fails: () => choose(failed, failsOf(instead), NO) };
}
