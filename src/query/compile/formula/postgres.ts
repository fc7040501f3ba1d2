import { must } from '../../../common/index.js';
import type { CallPart, Expression, LiteralPart } from '../../formula/expression.js';
import type { Strict } from '../../formula/function.js';
import { isForeign, isUnbounded, isWhole, type Shape, type Sort } from '../../formula/shape.js';
import type { ColumnSchema } from '../../schema.js';
import { empty, sql, value, type Sql, type SqlType } from '../../sql.js';
import { elements, settled, withinDays, withinInstants, withinLimit } from './fragments.js';
import { compiled, type Cells, type FormulaDialect } from './walk.js';

/** The value of a formula in PostgreSQL: canonical for its kind, null where it is an error, and never an error of the statement. */
export function formulaSql(expression: Expression, cells: Cells): Sql {
  const { shape } = expression;
  const made = bareFormulaSql(expression, cells);
  if (shape.of !== 'number') return made;
  if (shape.list) return isWhole(shape) || shape.fixed ? made : trimmedList(made);
  if (expression.kind.type === 'integer') return made;
  if (isWhole(shape)) return sql`(${made})::numeric`;
  // What has not the same digits in every row shows only those that it has.
  return shape.fixed ? made : sql`trim_scale(${made})`;
}

/**
 * The same where nobody sees it: equal to it and ordered as it, while a number may have zeros at its end, and be a whole number to
 * PostgreSQL. For what goes on with it.
 */
export const bareFormulaSql = (expression: Expression, cells: Cells): Sql => compiled(expression, cells, DIALECT).value;

const trimmedList = (list: Sql): Sql => sql`(select array_agg(trim_scale(e) order by o) from ${elements(list)})`;

const TYPES: Readonly<Record<Sort, SqlType>> = {
  number: 'numeric',
  text: 'text',
  boolean: 'boolean',
  date: 'date',
  datetime: 'timestamptz',
  opaque: 'text',
  null: 'text',
};

const typed = (shape: Shape): SqlType => (isWhole(shape) ? 'bigint' : TYPES[shape.of]);
const C = sql`collate "C"`;

function literalSql(part: LiteralPart): Sql {
  const { value: constant, shape, as } = part;
  if (constant === null) return sql`null::${typeName(TYPES[as?.of ?? 'text'])}${as?.list ? sql`[]` : empty}`;
  // With its type: PostgreSQL orders and groups by no bare constant.
  if (shape.of === 'boolean') return constant === true ? sql`true::boolean` : sql`false::boolean`;
  const bound = value(String(constant), typed(shape));
  return shape.of === 'text' ? sql`(${bound} ${C})` : bound;
}

const NAMES: Readonly<Partial<Record<SqlType, Sql>>> = {
  numeric: sql`numeric`,
  bigint: sql`bigint`,
  text: sql`text`,
  boolean: sql`boolean`,
  date: sql`date`,
  timestamptz: sql`timestamptz`,
};
const typeName = (type: SqlType): Sql => must(NAMES[type], 'a type of formulas');

/** A cell, cut to what formulas can hold where it can be more. */
function oneSql(column: ColumnSchema, shape: Shape, cell: Sql): Sql {
  const foreign = isForeign(column);
  switch (shape.of) {
    case 'number': {
      const cast = sql`(${cell})::${typeName(typed(shape))}`;
      if (isWhole(shape)) return cast;
      const cut = isUnbounded(column) ? sql`round(${cast}, 18)` : cast;
      return foreign ? withinLimit(cut) : cut;
    }
    case 'text':
      return sql`((${cell})::text ${C})`;
    // Whoever writes SQL can write infinity and years beyond the calendar into our tables, too.
    case 'date':
      return isMade(column) ? cell : withinDays(cell);
    case 'datetime':
      if (isMade(column)) return cell;
      return column.type === 'datetime' && !foreign
        ? withinInstants(cell)
        : withinInstants(cell, (at) => sql`date_trunc('milliseconds', ${at})`);
    default:
      return cell;
  }
}

/** What a formula made is what formulas can hold. */
const isMade = ({ derived }: ColumnSchema): boolean => derived?.kind === 'formula';

/** Whether elements of a list have to be looked at one by one. */
const mayHoldMore = (column: ColumnSchema, { of }: Shape): boolean =>
  isForeign(column) ||
  (of === 'number' ? isUnbounded(column) : (of === 'date' || of === 'datetime') && !isMade(column));

function listSql(column: ColumnSchema, shape: Shape, cell: Sql): Sql {
  if (shape.of === 'opaque') return cell;
  const type = typeName(typed(shape));
  const list = sql`(${cell})::${type}[]`;
  if (!mayHoldMore(column, shape)) return sql`nullif(${list}, '{}')`;
  const clean = oneSql(column, shape, sql`e`);
  return sql`(select array_agg(x order by o) from (select ${clean} as x, o from ${elements(list)}) _clean where x is not null)`;
}

function argumentsOf(overload: Strict, args: readonly Sql[], { args: parts, shape }: CallPart): readonly Sql[] {
  const keepsWhole = overload.whole && (shape.of !== 'number' || isWhole(shape));
  const isCast = (of: Shape | undefined): boolean => of?.of === 'number' && !of.list && isWhole(of) && !keepsWhole;
  return args.map((arg, i) => (isCast(parts[i]?.shape) ? sql`(${arg})::numeric` : arg));
}

function typedResult(shape: Shape, made: Sql): Sql {
  if (shape.list) return made;
  if (shape.of === 'number') return settled(shape, made);
  return shape.of === 'text' ? sql`(${made} ${C})` : made;
}

const DIALECT: FormulaDialect = {
  literal: literalSql,
  column: ({ column, shape }, cell) => (shape.list ? listSql(column, shape, cell) : oneSql(column, shape, cell)),
  call: (overload, args, call) => typedResult(call.shape, overload.postgres(argumentsOf(overload, args, call), call)),
  chosen: typedResult,
  key: (_, given) => given,
};
