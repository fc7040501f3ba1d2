import type { CallPart, Expression, LiteralPart } from '../../formula/expression.js';
import type { Strict } from '../../formula/function.js';
import { isForeign, isUnbounded, type Shape, type Sort } from '../../formula/shape.js';
import type { ColumnSchema } from '../../schema.js';
import { integer, sql, value, type Sql } from '../../sql.js';
import { bytes, settled, utf8, withinLimit } from './mysql-fragments.js';
import { compiled, type Cells, type FormulaDialect } from './walk.js';

/** A function that has no exact form in MySQL, or a formula that would take too much of it. */
class NoForm extends Error {}

/** Nothing is computed aside in MySQL, so formulas may become long. */
const MAX_SIZE = 20_000;

/**
 * The value of a formula in MySQL and MariaDB: canonical for its kind, null where it is an error, and never an error of the statement.
 * Undefined where they cannot give exactly what all others give.
 */
export function mysqlFormulaSql(expression: Expression, cells: Cells): Sql | undefined {
  try {
    const { value: made } = compiled(expression, cells, DIALECT);
    if (expression.shape.of === 'text') return bytes(made);
    return expression.kind.type === 'integer' ? sql`cast(${made} as signed)` : made;
  } catch (error) {
    if (error instanceof NoForm) return undefined;
    throw error;
  }
}

const sizeOf = ({ parts }: Sql): number =>
  parts.reduce((size: number, part) => size + (typeof part === 'string' ? part.length : 1), 0);

function bounded(made: Sql): Sql {
  if (sizeOf(made) > MAX_SIZE) throw new NoForm();
  return made;
}

/** Beside a null without a type numbers become doubles. */
function nullOf(sort: Sort | undefined): Sql {
  switch (sort) {
    case 'number':
      return sql`cast(null as decimal(38, 0))`;
    case 'date':
      return sql`cast(null as date)`;
    case 'datetime':
      return sql`cast(null as datetime(6))`;
    default:
      return sql`null`;
  }
}

function literalSql({ value: constant, shape, as }: LiteralPart): Sql {
  if (constant === null) return nullOf(as?.of);
  if (typeof constant === 'boolean') return constant ? sql`true` : sql`false`;
  const bound = value(String(constant), 'text');
  if (shape.of !== 'number') return utf8(bound);
  return sql`cast(${bound} as decimal(${integer(Math.max(38 + shape.scale, 1))}, ${integer(shape.scale)}))`;
}

function columnSql(column: ColumnSchema, shape: Shape, cell: Sql): Sql {
  if (shape.list) throw new NoForm();
  switch (shape.of) {
    case 'number': {
      if (shape.scale === 0 && !shape.fails) return sql`cast(${cell} as decimal(20, 0))`;
      const cut = isUnbounded(column) ? sql`round(${cell}, 18)` : cell;
      return isForeign(column) ? withinLimit(cut) : cut;
    }
    case 'text':
      return utf8(cell);
    case 'date':
      return sql`case when ${cell} between '0001-01-01' and '9999-12-31' then ${cell} end`;
    case 'datetime':
      return sql`case when ${cell} >= '0001-01-01' then ${cell} - interval (microsecond(${cell}) % 1000) microsecond end`;
    case 'boolean':
      return cell;
    default:
      throw new NoForm();
  }
}

const chosen = (shape: Shape, made: Sql): Sql => bounded(shape.of === 'number' ? settled(shape, made) : made);

function callSql(overload: Strict, args: readonly Sql[], call: CallPart): Sql {
  const made = call.args.some(({ shape }) => shape.list) ? undefined : overload.mysql?.(args, call);
  if (!made) throw new NoForm();
  return chosen(call.shape, made);
}

const DIALECT: FormulaDialect = {
  literal: literalSql,
  column: ({ column, shape }, cell) => columnSql(column, shape, cell),
  call: callSql,
  chosen: (shape, made) => {
    if (shape.list) throw new NoForm();
    return chosen(shape, made);
  },
  key: (shape, given) => (shape.of === 'text' ? bytes(given) : given),
};
