import { sql, type Sql } from '../../sql.js';
import { ordered } from '../../compile/formula/mongo-fragments.js';
import type { MongoExpression } from '../../compile/mongo/document.js';
import { onceEach } from '../../compile/formula/fragments.js';
import { compareCodePoints } from '../../types/text.js';
import { compareNumbers, type Decimal } from '../decimal.js';
import type { CallPart } from '../expression.js';
import { takes, type FormulaFunction, type Value } from '../function.js';
import { BOOLEAN } from '../shape.js';

const two = <T>(list: readonly T[]): readonly [T, T] => list as unknown as readonly [T, T];

/** Of two values of one type that are not null: negative, zero, positive. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  if (typeof a === 'boolean') return a === b ? 0 : a ? 1 : -1;
  return compareNumbers(a as Decimal, b as Decimal);
}

export const isSame = (a: Value, b: Value): boolean => (a === null || b === null ? a === b : compareValues(a, b) === 0);

const never = ({ args }: CallPart): boolean => args.every(({ shape }) => !shape.nullable && !shape.fails);

/** Two-valued: a null is a null, and neither smaller nor greater than anything. */
function comparison(
  sign: string,
  summary: string,
  examples: FormulaFunction['examples'],
  row: { readonly ordered: boolean; readonly holds: (a: Value, b: Value) => boolean; readonly sql: (a: Sql, b: Sql, call: CallPart) => Sql; readonly mysql?: (a: Sql, b: Sql) => Sql; readonly mongo: (a: MongoExpression, b: MongoExpression) => MongoExpression }, // prettier-ignore
): FormulaFunction {
  const param = row.ordered ? takes.ordered : takes.scalar;
  const mysql = row.mysql;
  return {
    name: sign,
    category: 'operator',
    summary,
    examples,
    overloads: [
      {
        params: [param('a', { same: 'a' }), param('b', { same: 'a' })],
        aware: true,
        whole: true,
        returns: () => BOOLEAN,
        compute: (args) => row.holds(...two(args)),
        postgres: (args, call) => row.sql(...two(args), call),
        mongo: ([a, b]) => row.mongo(a, b),
        ...(mysql
          ? { mysql: (args, call) => mysql(...two(call.args[0]?.shape.of === 'text' ? args.map((text) => sql`cast(${text} as binary)`) : args)) } // prettier-ignore
          : {}),
      },
    ],
  };
}

const strictly =
  (op: Sql) =>
  (a: Sql, b: Sql, call?: CallPart): Sql =>
    call && never(call) ? sql`(${a} ${op} ${b})` : sql`coalesce(${a} ${op} ${b}, false)`;
const orBothNull =
  (op: Sql) =>
  (a: Sql, b: Sql, call?: CallPart): Sql => {
    if (call?.args.some(({ shape }) => !shape.nullable && !shape.fails)) return strictly(op)(a, b, call);
    return onceEach([a, b], ([x = a, y = b]) => sql`coalesce(${x} ${op} ${y}, ${x} is null and ${y} is null)`);
  };

const isNull = (a: Value, b: Value): boolean => a === null || b === null;
const compared =
  (holds: (order: number) => boolean, bothNull: boolean) =>
  (a: Value, b: Value): boolean =>
    isNull(a, b) ? bothNull && a === b : holds(compareValues(a, b));

export const COMPARISONS: readonly FormulaFunction[] = [
  comparison(
    '=',
    'Whether both are the same. Two nulls are.',
    [
      ['1.0 = 1', true],
      ['NULL = NULL', true],
    ],
    {
      ordered: false,
      holds: isSame,
      sql: (a, b, call) => (never(call) ? sql`(${a} = ${b})` : sql`(${a} is not distinct from ${b})`),
      mysql: (a, b) => sql`(${a} <=> ${b})`,
      mongo: (a, b) => ({ $eq: [a, b] }),
    },
  ),
  comparison(
    '!=',
    'Whether they differ; <> is the same.',
    [
      ['{status} != "open"', false],
      ['1 <> NULL', true],
    ],
    {
      ordered: false,
      holds: (a, b) => !isSame(a, b),
      sql: (a, b, call) => (never(call) ? sql`(${a} <> ${b})` : sql`(${a} is distinct from ${b})`),
      mysql: (a, b) => sql`(not (${a} <=> ${b}))`,
      mongo: (a, b) => ({ $ne: [a, b] }),
    },
  ),
  comparison(
    '<',
    'Whether the first is smaller; not where one is null. Texts go by code point, dates by time.',
    [
      ['"B" < "a"', true],
      ['NULL < 1', false],
    ],
    {
      ordered: true,
      holds: compared((order) => order < 0, false),
      sql: strictly(sql`<`),
      mysql: strictly(sql`<`),
      mongo: (a, b) => ordered('$lt', a, b),
    },
  ),
  comparison(
    '<=',
    'Whether the first is smaller, or both are the same.',
    [
      ['2 <= 2', true],
      ['NULL <= NULL', true],
    ],
    {
      ordered: true,
      holds: compared((order) => order <= 0, true),
      sql: orBothNull(sql`<=`),
      mysql: (a, b) => sql`coalesce(${a} <= ${b}, ${a} is null and ${b} is null)`,
      mongo: (a, b) => ordered('$lte', a, b),
    },
  ),
  comparison('>', 'Whether the first is greater; not where one is null.', [['{qty} > 2', true]], {
    ordered: true,
    holds: compared((order) => order > 0, false),
    sql: strictly(sql`>`),
    mysql: strictly(sql`>`),
    mongo: (a, b) => ordered('$gt', a, b),
  }),
  comparison('>=', 'Whether the first is greater, or both are the same.', [['{due} >= DATE(2026, 1, 1)', true]], {
    ordered: true,
    holds: compared((order) => order >= 0, true),
    sql: orBothNull(sql`>=`),
    mysql: (a, b) => sql`coalesce(${a} >= ${b}, ${a} is null and ${b} is null)`,
    mongo: (a, b) => ordered('$gte', a, b),
  }),
];
