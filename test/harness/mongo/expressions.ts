import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { instantOf, wallTime } from '../../../src/query/zoned-time.js';
import {
  calculate, divide, exactOf, floored, isNumber, logarithm, mapped, negated, numeric, raised, remainder, rounded, toDecimal, truncated, type BsonNumber,
} from './numbers.js'; // prettier-ignore
import { CommandError, compare, docOf, equal, failed, isDoc, typeOf, type Doc } from './values.js';

export type Variables = ReadonlyMap<string, unknown>;
type Operator = (argument: unknown, variables: Variables) => unknown;

/** The value of an expression; undefined where it is missing. */
export function evaluateExpression(expression: unknown, variables: Variables): unknown {
  if (typeof expression === 'string') return expression.startsWith('$') ? path(expression, variables) : expression;
  if (Array.isArray(expression)) return expression.map((each) => evaluateExpression(each, variables) ?? null);
  if (!isDoc(expression)) return expression;
  const [name] = Object.keys(expression);
  if (name?.startsWith('$')) {
    if (Object.keys(expression).length > 1) throw failed('an expression must have exactly one field');
    const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
    if (!operator) throw new CommandError(168, 'InvalidPipelineOperator', `Unrecognized expression '${name}'`);
    return operator(expression[name], variables);
  }
  return docOf(
    Object.entries(expression)
      .map(([key, each]) => [key, evaluateExpression(each, variables)] as const)
      .filter(([, value]) => value !== undefined),
  );
}

export const truthy = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && !(isNumber(value) && equal(value, new Int32(0)));

function path(text: string, variables: Variables): unknown {
  const [first = '', ...parts] = text.startsWith('$$')
    ? text.slice(2).split('.')
    : ['ROOT', ...text.slice(1).split('.')];
  if (parts.some((part) => part === '' || part.startsWith('$')))
    throw new CommandError(16410, 'Location16410', 'FieldPath field names may not start with $ or be empty.');
  if (first === 'REMOVE') return undefined;
  if (!variables.has(first)) throw new CommandError(17276, 'Location17276', `Use of undefined variable: ${first}`);
  return parts.reduce(member, variables.get(first));
}

/** Into documents, and into all documents of a list. */
export function member(of: unknown, name: string): unknown {
  if (Array.isArray(of)) return of.map((each) => member(each, name)).filter((each) => each !== undefined);
  return isDoc(of) && Object.hasOwn(of, name) ? of[name] : undefined;
}

const many =
  (compute: (values: readonly unknown[]) => unknown): Operator =>
  (argument, variables) =>
    compute(
      Array.isArray(argument)
        ? argument.map((each) => evaluateExpression(each, variables))
        : [evaluateExpression(argument, variables)],
    );

/** Of numbers; null where one of them is null or missing. */
const arithmetic = (compute: (values: readonly BsonNumber[]) => unknown): Operator =>
  many((values) => {
    if (values.some((value) => value === undefined || value === null)) return null;
    if (!values.every(isNumber)) throw new CommandError(14, 'TypeMismatch', 'only supports numeric types');
    return compute(values);
  });

const comparison = (holds: (sign: number) => boolean): Operator => many(([a, b]) => holds(compare(a, b)));

const named =
  (compute: (of: (name: string) => unknown, argument: Doc) => unknown): Operator =>
  (argument, variables) => {
    if (!isDoc(argument)) throw failed('an object is expected');
    return compute((name) => evaluateExpression(argument[name], variables), argument);
  };

const textOf = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);

const isNothing = (value: unknown): boolean => value === undefined || value === null;
const least = (values: readonly unknown[], sign: 1 | -1): unknown =>
  values
    .flatMap((value) => (Array.isArray(value) && values.length === 1 ? (value as unknown[]) : [value]))
    .filter((value) => !isNothing(value))
    .reduce<unknown>((best, each) => (best === null || sign * compare(each, best) < 0 ? each : best), null);

const numberOf = (value: unknown): number => (isNumber(value) ? numeric(exactOf(value)) : NaN);

function toInt(value: unknown): unknown {
  if (isNothing(value)) return null;
  const exact = isNumber(value) ? exactOf(value) : 'NaN';
  const whole = typeof exact === 'string' ? undefined : truncated(exact).digits;
  if (whole === undefined || whole !== BigInt.asIntN(32, whole))
    throw new CommandError(241, 'ConversionFailure', 'Failed to convert to int');
  return new Int32(Number(whole));
}

function toLong(value: unknown): unknown {
  if (isNothing(value)) return null;
  const exact = isNumber(value) ? exactOf(value) : 'NaN';
  const whole = typeof exact === 'string' ? undefined : truncated(exact).digits;
  if (whole === undefined || whole !== BigInt.asIntN(64, whole))
    throw new CommandError(241, 'ConversionFailure', 'Failed to convert to long');
  return Long.fromBigInt(whole);
}

function toDouble(value: unknown): unknown {
  if (isNothing(value)) return null;
  if (!isNumber(value)) throw new CommandError(241, 'ConversionFailure', 'Unsupported conversion to double');
  const exact = exactOf(value);
  const double = numeric(exact);
  if (typeof exact !== 'string' && (!Number.isFinite(double) || (double === 0 && exact.digits !== 0n)))
    throw new CommandError(241, 'ConversionFailure', 'Conversion would overflow target type');
  return new Double(double);
}

function toText(value: unknown): unknown {
  if (isNothing(value)) return null;
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (value instanceof Int32 || value instanceof Long || value instanceof Decimal128) return value.toString();
  throw new CommandError(241, 'ConversionFailure', `Unsupported conversion from ${typeOf(value)} to string`);
}

/** What the clock of a zone shows, as if it were UTC. */
function shown(of: (name: string) => unknown): Date | null {
  const date = of('date');
  if (isNothing(date)) return null;
  if (!(date instanceof Date))
    throw new CommandError(16006, 'Location16006', `can't convert from BSON type ${typeOf(date)} to Date`);
  return wallTime(date, textOf(of('timezone'), 'UTC'));
}

const part = (read: (wall: Date) => number): Operator =>
  named((of) => {
    const wall = shown(of);
    return wall && new Int32(read(wall));
  });

/** As wall time; the caller shows it in the same zone. */
function truncatedDay(wall: Date, unit: string, startOfWeek: unknown): Date {
  const start = new Date(wall);
  start.setUTCHours(0, 0, 0, 0);
  if (unit === 'week') {
    if (startOfWeek !== 'monday') throw failed('weeks begin on Monday here');
    start.setUTCDate(start.getUTCDate() - ((start.getUTCDay() + 6) % 7));
  }
  if (unit === 'month' || unit === 'quarter' || unit === 'year') start.setUTCDate(1);
  if (unit === 'quarter') start.setUTCMonth(start.getUTCMonth() - (start.getUTCMonth() % 3));
  if (unit === 'year') start.setUTCMonth(0);
  return start;
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  $literal: (argument) => argument,
  $eq: comparison((sign) => sign === 0),
  $ne: comparison((sign) => sign !== 0),
  $gt: comparison((sign) => sign > 0),
  $gte: comparison((sign) => sign >= 0),
  $lt: comparison((sign) => sign < 0),
  $lte: comparison((sign) => sign <= 0),
  $and: (argument, variables) => (argument as unknown[]).every((each) => truthy(evaluateExpression(each, variables))),
  $or: (argument, variables) => (argument as unknown[]).some((each) => truthy(evaluateExpression(each, variables))),
  $not: many(([value]) => !truthy(value)),
  $in: many(([value, list]) => {
    if (!Array.isArray(list)) throw new CommandError(40081, 'Location40081', '$in requires an array');
    return list.some((each) => equal(each, value));
  }),
  $cond: (argument, variables) => {
    const [condition, then, otherwise] = argument as unknown[];
    return evaluateExpression(truthy(evaluateExpression(condition, variables)) ? then : otherwise, variables);
  },
  $switch: (argument, variables) => {
    const { branches, default: otherwise } = argument as {
      branches: { case: unknown; then: unknown }[];
      default: unknown;
    };
    const branch = branches.find((each) => truthy(evaluateExpression(each.case, variables)));
    return evaluateExpression(branch ? branch.then : otherwise, variables);
  },
  $ifNull: many((values) => values.find((value) => !isNothing(value)) ?? null),
  $let: (argument, variables) => {
    const { vars, in: within } = argument as { vars: Doc; in: unknown };
    for (const name of Object.keys(vars))
      if (!/^[a-z]\w*$/.test(name)) throw failed(`${name} is not the name of a variable`);
    const bound = Object.entries(vars).map(([name, each]) => [name, evaluateExpression(each, variables)] as const);
    return evaluateExpression(within, new Map([...variables, ...bound]));
  },
  $type: many(([value]) => typeOf(value)),
  $isArray: many(([value]) => Array.isArray(value)),
  $arrayElemAt: many(([list, at]) => {
    if (isNothing(list)) return null;
    if (!Array.isArray(list)) throw new CommandError(28689, 'Location28689', '$arrayElemAt needs an array');
    return list.at(numberOf(at)) as unknown;
  }),
  $getField: named((of) => {
    const input = of('input');
    return isDoc(input) ? member(input, String(of('field'))) : undefined;
  }),
  $size: many(([list]) => {
    if (!Array.isArray(list)) throw new CommandError(17124, 'Location17124', 'The argument to $size must be an array');
    return new Int32(list.length);
  }),
  $setDifference: many(([a, b]) =>
    (a as unknown[]).filter((each) => !(b as unknown[]).some((other) => equal(each, other))),
  ),
  $add: arithmetic((values) => values.reduce((a, b) => calculate('add', a, b))),
  $multiply: arithmetic((values) => values.reduce((a, b) => calculate('multiply', a, b))),
  $subtract: many(([a, b]) => {
    if (isNothing(a) || isNothing(b)) return null;
    if (a instanceof Date && isNumber(b)) return new Date(a.getTime() - numberOf(b));
    if (!isNumber(a) || !isNumber(b)) throw new CommandError(14, 'TypeMismatch', "can't $subtract");
    return calculate('subtract', a, b);
  }),
  $divide: arithmetic(([a = new Int32(0), b = new Int32(0)]) => {
    if (equal(b, new Int32(0))) throw new CommandError(2, 'BadValue', "can't $divide by zero");
    return divide(a, b);
  }),
  $abs: arithmetic(([a = new Int32(0)]) =>
    mapped(a, ({ digits, scale }) => ({ digits: digits < 0n ? -digits : digits, scale })),
  ),
  $ceil: arithmetic(([a = new Int32(0)]) => mapped(a, (exact) => negated(floored(negated(exact))))),
  $mod: arithmetic(([a = new Int32(0), b = new Int32(0)]) => {
    if (equal(b, new Int32(0))) throw new CommandError(16610, 'Location16610', "can't $mod by zero");
    const by = exactOf(b);
    const number = b instanceof Decimal128 ? toDecimal(a) : a;
    return mapped(number, (exact) => (typeof by === 'string' ? exact : remainder(exact, by)));
  }),
  $floor: arithmetic(([a = new Int32(0)]) => mapped(a, floored)),
  $trunc: arithmetic(([a = new Int32(0), places = new Int32(0)]) => {
    const to = numberOf(places);
    if (to < -20 || to > 100)
      throw new CommandError(51083, 'Location51083', 'cannot apply $trunc with precision value');
    return mapped(a, (exact) => truncated(exact, to));
  }),
  $log: arithmetic(
    ([a = new Int32(0), base = new Int32(0)]) => new Double(Math.log2(numberOf(a)) / Math.log2(numberOf(base))),
  ),
  $pow: arithmetic(([base = new Int32(0), exponent = new Int32(0)]) => raised(base, numberOf(exponent))),
  $log10: arithmetic(([a = new Int32(0)]) => logarithm(a)),
  $round: arithmetic(([a = new Int32(0), places = new Int32(0)]) => {
    const to = numberOf(places);
    if (to < -20 || to > 100)
      throw new CommandError(51083, 'Location51083', 'cannot apply $round with precision value');
    return mapped(a, (exact) => rounded(exact, to));
  }),
  $max: many((values) => least(values, -1)),
  $min: many((values) => least(values, 1)),
  $toDecimal: many(([value]) => {
    if (isNothing(value)) return null;
    if (!isNumber(value)) throw new CommandError(241, 'ConversionFailure', 'Unsupported conversion to decimal');
    return toDecimal(value);
  }),
  $toInt: many(([value]) => toInt(value)),
  $toString: many(([value]) => toText(value)),
  $convert: named((of, argument) => {
    const to = { double: toDouble, long: toLong }[String(of('to'))];
    if (!to) throw failed('only to double and long here');
    try {
      return to(of('input'));
    } catch (error) {
      if (error instanceof CommandError && error.code === 241 && 'onError' in argument) return of('onError');
      throw error;
    }
  }),
  $regexMatch: named((of) => {
    const input = of('input');
    if (isNothing(input)) return false;
    if (typeof input !== 'string')
      throw new CommandError(51104, 'Location51104', '$regexMatch needs input to be of type string');
    const pattern = String(of('regex'));
    if (pattern.includes('\0'))
      throw new CommandError(51109, 'Location51109', 'regular expression cannot contain an embedded null byte');
    if (Buffer.byteLength(pattern) > 16_384)
      throw new CommandError(51091, 'Location51091', 'Regular expression is invalid: too large');
    // What PCRE calls the ends of a text, JavaScript writes otherwise.
    const ours = pattern.replace(/^\\A/, '^').replace(/\\z$/, '(?![\\s\\S])');
    return new RegExp(ours).test(input);
  }),
  $strLenCP: many(([text]) => {
    if (typeof text !== 'string')
      throw new CommandError(34471, 'Location34471', '$strLenCP requires a string argument');
    return new Int32([...text].length);
  }),
  $substrCP: many(([text, from, count]) => {
    const [start, length] = [numberOf(from), numberOf(count)];
    if (!(start >= 0) || !(length >= 0))
      throw new CommandError(34451, 'Location34451', '$substrCP: places and counts are whole numbers from 0 on');
    return [...(isNothing(text) ? '' : String(text))].slice(start, start + length).join('');
  }),
  $concat: many((texts) => {
    if (texts.some(isNothing)) return null;
    if (texts.some((text) => typeof text !== 'string'))
      throw new CommandError(16702, 'Location16702', '$concat only supports strings');
    return texts.join('');
  }),
  $year: part((wall) => wall.getUTCFullYear()),
  $month: part((wall) => wall.getUTCMonth() + 1),
  $dayOfMonth: part((wall) => wall.getUTCDate()),
  $hour: part((wall) => wall.getUTCHours()),
  $minute: part((wall) => wall.getUTCMinutes()),
  $second: part((wall) => wall.getUTCSeconds()),
  $millisecond: part((wall) => wall.getUTCMilliseconds()),
  $dateTrunc: named((of) => {
    const wall = shown(of);
    if (!wall) return null;
    return instantOf(truncatedDay(wall, String(of('unit')), of('startOfWeek')), textOf(of('timezone'), 'UTC'));
  }),
  $dateToString: named((of) => {
    const wall = shown(of);
    if (!wall) return null;
    const year = wall.getUTCFullYear();
    if (year < 0 || year > 9999)
      throw new CommandError(18537, 'Location18537', '$dateToString is only defined on year 0-9999');
    const two = (n: number): string => String(n).padStart(2, '0');
    return String(of('format')).replaceAll(/%[A-Za-z]/g, (field) => {
      switch (field) {
        case '%Y':
          return String(year).padStart(4, '0');
        case '%m':
          return two(wall.getUTCMonth() + 1);
        case '%d':
          return two(wall.getUTCDate());
        case '%H':
          return two(wall.getUTCHours());
        case '%M':
          return two(wall.getUTCMinutes());
        case '%S':
          return two(wall.getUTCSeconds());
        case '%L':
          return String(wall.getUTCMilliseconds()).padStart(3, '0');
        default:
          throw new CommandError(18536, 'Location18536', `Invalid format character '${field}'`);
      }
    });
  }),
};
