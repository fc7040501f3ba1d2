import type { Expression } from './expression.js';
import { flaw, type FormulaFlaw, type Span } from './flaw.js';
import type { FormulaFunction, Overload, Param } from './function.js';
import { described, type Shape } from './shape.js';

/** The parameter that an argument is for. */
function paramAt({ params, tail }: Overload, index: number, count: number): Param | undefined {
  const single = params.filter(({ repeats }) => !repeats);
  if (index < single.length) return params[index];
  const group = params.slice(single.length);
  if (group.length === 0) return undefined;
  const behind = count - single.length;
  if (tail && index === count - 1 && behind % group.length === 1) return tail;
  return group[(index - single.length) % group.length];
}

function takesCount({ params, tail }: Overload, count: number): boolean {
  const single = params.filter(({ repeats }) => !repeats);
  const group = params.length - single.length;
  const least = single.filter(({ optional }) => !optional).length + group;
  if (count < least) return false;
  if (group === 0) return count <= single.length;
  const rest = (count - single.length) % group;
  return rest === 0 || (tail !== undefined && rest === 1);
}

/** How it is called, as documents and flaws show it. */
export function signatureOf(name: string, { params, tail }: Overload): string {
  const shownParams = params.map(({ label, optional, repeats }) => (optional && !repeats ? `[${label}]` : label));
  const repeated = params.some(({ repeats }) => repeats) ? ['…'] : [];
  return `${name}(${[...shownParams, ...repeated, ...(tail ? [`[${tail.label}]`] : [])].join(', ')})`;
}

type Refusal = { readonly index: number; readonly flaw: FormulaFlaw };
export type Match =
  | { readonly ok: true; readonly overload: Overload; readonly args: readonly Expression[] }
  | { readonly ok: false; readonly flaw: FormulaFlaw };

/** The way to call the function that takes these arguments; or else what is wrong with them for the way that they fit best. */
export function matched(entry: FormulaFunction, args: readonly Expression[], at: Span): Match {
  const candidates = entry.overloads.filter((overload) => takesCount(overload, args.length));
  if (candidates.length === 0) return { ok: false, flaw: wrongCount(entry, args.length, at) };
  const refusals: Refusal[] = [];
  for (const overload of candidates) {
    const refusal = refusalOf(overload, entry, args);
    if (!refusal) return { ok: true, overload, args: typedNulls(overload, args) };
    refusals.push(refusal);
  }
  const farthest = Math.max(...refusals.map(({ index }) => index));
  const best = refusals.filter(({ index }) => index === farthest).map((refusal) => refusal.flaw);
  return { ok: false, flaw: together(best) };
}

function wrongCount(entry: FormulaFunction, count: number, at: Span): FormulaFlaw {
  const signatures = [...new Set(entry.overloads.map((overload) => signatureOf(entry.name, overload)))].join(' or ');
  const given = count === 1 ? 'one argument' : count === 0 ? 'no arguments' : `${count} arguments`;
  return flaw('wrong_argument_count', at, `${entry.name} is called as ${signatures}, not with ${given}.`, signatures);
}

function refusalOf(overload: Overload, entry: FormulaFunction, args: readonly Expression[]): Refusal | undefined {
  const firsts = new Map<string, Expression>();
  for (const [index, arg] of args.entries()) {
    const param = paramAt(overload, index, args.length);
    const refuse = (...[code, detail, expected]: [FormulaFlaw['code'], string, string?]): Refusal => ({
      index,
      flaw: flaw(code, arg.at, detail, expected),
    });
    if (!param) return undefined;
    if (!param.accepts(arg.shape))
      return refuse('wrong_type', `${subject(entry)} takes ${param.expected} here, not ${described(arg.shape)}.`, param.expected); // prettier-ignore
    if (param.constant) {
      if (arg.node !== 'literal') return refuse('constant_expected', `The value for ${param.label} has to be known before there are rows: ${param.expected}.`, param.expected); // prettier-ignore
      const omission = param.constant(arg.value);
      if (omission) return refuse(omission.code, omission.detail, omission.expected ?? param.expected);
    }
    const more = param.requires?.(arg);
    if (more) return refuse(more.code, more.detail, more.expected);
    if (!param.same || arg.shape.of === 'null') continue;
    const first = firsts.get(param.same) ?? arg;
    firsts.set(param.same, first);
    if (first.shape.of !== arg.shape.of || first.shape.list !== arg.shape.list)
      return refuse('mixed_types', `${described(first.shape)} and ${described(arg.shape)} do not mix here.`, described(first.shape)); // prettier-ignore
  }
  return undefined;
}

const subject = ({ name, category }: FormulaFunction): string =>
  category === 'operator' ? `The operator ${name === 'NEGATE' ? '-' : name === 'PLUS' ? '+' : name}` : name;

/** One flaw of several ways to call a function that fail at the same argument. */
function together(flaws: readonly FormulaFlaw[]): FormulaFlaw {
  const [first, ...others] = flaws;
  if (!first) throw new Error('a function without a way to call it');
  const type = flaws.find(({ code }) => code === 'wrong_type') ?? first;
  if (others.length === 0 || type.code !== 'wrong_type') return first;
  const expected = [
    ...new Set(flaws.flatMap((each) => (each.code === 'wrong_type' ? (each.expected ?? []) : []))),
  ].join(' or ');
  return { ...type, detail: type.detail.replace(type.expected ?? '', expected), expected };
}

/** Nulls that are written there, as what they stand for. */
function typedNulls(overload: Overload, args: readonly Expression[]): readonly Expression[] {
  if (!args.some(({ shape }) => shape.of === 'null')) return args;
  const params = args.map((_, i) => paramAt(overload, i, args.length));
  const shared = (mark: string | undefined): Shape | undefined =>
    args.find(({ shape }, i) => mark !== undefined && params[i]?.same === mark && shape.of !== 'null')?.shape;
  return args.map((arg, i): Expression => {
    if (arg.node !== 'literal' || arg.value !== null) return arg;
    return { ...arg, as: shared(params[i]?.same) ?? { of: params[i]?.sort ?? 'text', list: false } };
  });
}
