import { Int32 } from 'mongodb';
import { evaluateExpression, member, truthy } from './expressions.js';
import { calculate, isNumber, type BsonNumber } from './numbers.js';
import { CommandError, compare, docOf, equal, failed, isDoc, rankOf, typeOf, type Doc } from './values.js';

/** The documents of the other collections of the database. */
export type CollectionOf = (name: string) => readonly Doc[];

type Stage = (
  specification: unknown,
  docs: readonly Doc[],
  collections: CollectionOf,
  variables: Doc,
) => readonly Doc[];

/** What an aggregation gives. `variables` are those of the pipeline around it. */
export function aggregate(
  pipeline: readonly Doc[],
  docs: readonly Doc[],
  collections: CollectionOf = () => [],
  variables: Doc = {},
): readonly Doc[] {
  return pipeline.reduce((found, stage) => {
    const [name = '', ...more] = Object.keys(stage);
    const run = Object.hasOwn(STAGES, name) ? STAGES[name] : undefined;
    if (!run || more.length > 0)
      throw new CommandError(40324, 'Location40324', `Unrecognized pipeline stage name: '${name}'`);
    return run(stage[name], found, collections, variables);
  }, docs);
}

const scope = (doc: Doc, variables: Doc): ReadonlyMap<string, unknown> =>
  new Map([...Object.entries(variables), ['ROOT', doc], ['CURRENT', doc]]);

/** A filter of the query language. */
export function matches(filter: Doc, doc: Doc, variables: Doc = {}): boolean {
  return Object.entries(filter).every(([name, test]) => {
    switch (name) {
      case '$and':
        return (test as Doc[]).every((each) => matches(each, doc, variables));
      case '$or':
        return (test as Doc[]).some((each) => matches(each, doc, variables));
      case '$nor':
        return !(test as Doc[]).some((each) => matches(each, doc, variables));
      case '$expr':
        return truthy(evaluateExpression(test, scope(doc, variables)));
      default:
        if (name.startsWith('$')) throw failed(`unknown top level operator: ${name}`);
        return passes(reached(doc, name.split('.')), test);
    }
  });
}

/** All that a path leads to, lists themselves and their elements. */
function reached(of: unknown, [first, ...rest]: readonly string[]): readonly unknown[] {
  if (first === undefined) return Array.isArray(of) ? [of, ...(of as unknown[])] : [of];
  if (Array.isArray(of)) {
    const place = /^\d+$/.test(first) ? [reached(of[Number(first)], rest)] : [];
    return [...place, ...of.filter(isDoc).map((each) => reached(each, [first, ...rest]))].flat();
  }
  return reached(member(of, first), rest);
}

function passes(values: readonly unknown[], test: unknown): boolean {
  const isTests = isDoc(test) && Object.keys(test).some((name) => name.startsWith('$'));
  if (!isTests) return holds(values, '$eq', test);
  return Object.entries(test).every(([operator, operand]) => holds(values, operator, operand));
}

/** Ranges take values of the type that is asked for only, and not what is not a number. */
function holds(values: readonly unknown[], operator: string, operand: unknown): boolean {
  const within = (fits: (sign: number) => boolean): boolean =>
    values.some(
      (value) =>
        rankOf(value) === rankOf(operand) && !isNaN_(value) && !isNaN_(operand) && fits(compare(value, operand)),
    );
  switch (operator) {
    case '$eq':
      return values.some((value) => equal(value, operand) || (operand === null && value === undefined));
    case '$in':
      return (operand as unknown[]).some((each) => holds(values, '$eq', each));
    case '$gt':
      return within((sign) => sign > 0);
    case '$gte':
      return within((sign) => sign >= 0);
    case '$lt':
      return within((sign) => sign < 0);
    case '$lte':
      return within((sign) => sign <= 0);
    case '$exists':
      return values.some((value) => value !== undefined) === truthy(operand);
    case '$not':
      return !passes(values, operand);
    default:
      throw failed(`unknown operator: ${operator}`);
  }
}

const isNaN_ = (value: unknown): boolean => isNumber(value) && value.toString() === 'NaN';

/** Fields at paths; `_id` stays unless it is left out. */
function project(specification: Doc, doc: Doc, variables: Doc): Doc {
  const { _id: id, ...fields } = specification;
  const keepsId = id === undefined || truthy(id);
  const made = Object.entries(fields).map(([name, each]) => {
    if (name.includes('.')) throw failed('paths are not made by this projection');
    const isShown = isNumber(each) || typeof each === 'boolean';
    return [name, isShown ? member(doc, name) : evaluateExpression(each, scope(doc, variables))] as const;
  });
  const own = keepsId && '_id' in doc ? [['_id', doc._id] as const] : [];
  return docOf([...own, ...made.filter(([, value]) => value !== undefined)]);
}

function sorted(specification: Doc, docs: readonly Doc[]): readonly Doc[] {
  const keys = Object.entries(specification).map(([name, dir]) => ({ path: name.split('.'), dir: Number(dir) }));
  if (keys.length > 32) throw new CommandError(13103, 'Location13103', 'too many compound keys');
  // Of lists the least or the greatest element.
  const keyOf = (doc: Doc, { path, dir }: (typeof keys)[number]): unknown => {
    const value = path.reduce<unknown>(member, doc) ?? null;
    return Array.isArray(value) ? ((value as unknown[]).toSorted((a, b) => dir * compare(a, b))[0] ?? null) : value;
  };
  return docs.toSorted((a, b) => {
    for (const key of keys) {
      const sign = compare(keyOf(a, key), keyOf(b, key));
      if (sign !== 0) return sign * key.dir;
    }
    return 0;
  });
}

function grouped(specification: Doc, docs: readonly Doc[], variables: Doc): readonly Doc[] {
  const { _id: id, ...accumulators } = specification;
  const groups: { id: unknown; docs: Doc[] }[] = [];
  for (const doc of docs) {
    const key = evaluateExpression(id, scope(doc, variables)) ?? null;
    const known = groups.find((each) => equal(each.id, key));
    if (known) known.docs.push(doc);
    else groups.push({ id: key, docs: [doc] });
  }
  return groups.map((group) =>
    docOf([
      ['_id', group.id],
      ...Object.entries(accumulators).map(
        ([name, each]) => [name, accumulated(each as Doc, group.docs, variables)] as const,
      ),
    ]),
  );
}

function accumulated(accumulator: Doc, docs: readonly Doc[], variables: Doc): unknown {
  const [[operator, expression] = ['', null]] = Object.entries(accumulator);
  const values = docs.map((doc) => evaluateExpression(expression, scope(doc, variables)));
  const there = values.filter((value) => value !== undefined && value !== null);
  switch (operator) {
    case '$sum':
      return there.filter(isNumber).reduce<BsonNumber>((a, b) => calculate('add', a, b), new Int32(0));
    case '$min':
    case '$max': {
      const order = there.toSorted(compare);
      return (operator === '$min' ? order[0] : order.at(-1)) ?? null;
    }
    case '$addToSet':
      return values
        .filter((value) => value !== undefined)
        .filter((value, i, list) => list.findIndex((each) => equal(each, value)) === i);
    case '$first':
      return values[0] ?? null;
    default:
      throw new CommandError(15952, 'Location15952', `unknown group operator '${operator}'`);
  }
}

function unwound(specification: unknown, docs: readonly Doc[]): readonly Doc[] {
  const { path = '', preserveNullAndEmptyArrays } = specification as {
    path?: string;
    preserveNullAndEmptyArrays?: boolean;
  };
  const name = path.slice(1);
  return docs.flatMap((doc) => {
    const list = doc[name];
    const elements = Array.isArray(list) ? (list as unknown[]) : list === undefined || list === null ? [] : [list];
    if (elements.length > 0) return elements.map((each) => ({ ...doc, [name]: each }));
    if (preserveNullAndEmptyArrays !== true) return [];
    return [docOf(Object.entries(doc).filter(([key]) => key !== name))];
  });
}

const STAGES: Readonly<Record<string, Stage>> = {
  $match: (filter, docs, _, variables) => docs.filter((doc) => matches(filter as Doc, doc, variables)),
  $project: (specification, docs, _, variables) => docs.map((doc) => project(specification as Doc, doc, variables)),
  $set: (fields, docs, _, variables) =>
    docs.map((doc) => {
      const values = Object.entries(fields as Doc).map(
        ([name, each]) => [name, evaluateExpression(each, scope(doc, variables))] as const,
      );
      return docOf([...Object.entries(doc), ...values.filter(([, value]) => value !== undefined)]);
    }),
  $sort: (specification, docs) => sorted(specification as Doc, docs),
  $skip: (n, docs) => docs.slice(Number(n)),
  $limit: (n, docs) => docs.slice(0, Number(n)),
  $count: (name, docs) => (docs.length === 0 ? [] : [{ [String(name)]: new Int32(docs.length) }]),
  $group: (specification, docs, _, variables) => grouped(specification as Doc, docs, variables),
  $unwind: (specification, docs) => unwound(specification, docs),
  $replaceWith: (expression, docs, _, variables) =>
    docs.map((doc) => {
      const value = evaluateExpression(expression, scope(doc, variables));
      if (!isDoc(value))
        throw new CommandError(
          40228,
          'Location40228',
          `'replacement document' must be an object, not ${typeOf(value)}`,
        );
      return value;
    }),
  $facet: (specification, docs, collections, variables) => [
    docOf(
      Object.entries(specification as Doc).map(
        ([name, pipeline]) => [name, aggregate(pipeline as Doc[], docs, collections, variables)] as const,
      ),
    ),
  ],
  $lookup: (specification, docs, collections, variables) => {
    const {
      from,
      let: bindings,
      pipeline,
      as,
    } = specification as { from: string; let: Doc; pipeline: Doc[]; as: string };
    return docs.map((doc) => {
      const bound = Object.entries(bindings).map(
        ([name, each]) => [name, evaluateExpression(each, scope(doc, variables))] as const,
      );
      return { ...doc, [as]: aggregate(pipeline, collections(from), collections, { ...variables, ...docOf(bound) }) };
    });
  },
  // Not at random: what a test has loaded first.
  $sample: (specification, docs) => docs.slice(0, Number((specification as Doc).size)),
};
