import { must } from '../../../common/index.js';
import {
  constantOf,
  type CallPart,
  type ColumnPart,
  type Expression,
  type LiteralPart,
} from '../../formula/expression.js';
import type { Compiled, KeyOf, Strict } from '../../formula/function.js';
import { anyFails } from '../../formula/functions/logic.js';
import { isForeign, isUnbounded, isWhole, type Shape, type Sort } from '../../formula/shape.js';
import type { ColumnSchema } from '../../schema.js';
import { empty, join, sql, value, type Sql, type SqlType } from '../../sql.js';
import { elements, FIRST_DAY, LAST_DAY, settled, withinInstants, withinLimit } from './fragments.js';

/** The value of a formula in PostgreSQL: canonical for its kind, null where it is an error, and never an error of the statement. */
export function formulaSql(expression: Expression, cells: (column: ColumnSchema) => Sql): Sql {
  const { shape } = expression;
  const { value: made } = compiled(expression, cells);
  if (shape.of !== 'number') return made;
  if (shape.list) return isWhole(shape) || shape.fixed ? made : trimmedList(made);
  if (expression.kind.type === 'integer') return made;
  if (isWhole(shape)) return sql`(${made})::numeric`;
  // What has not the same digits in every row shows only those that it has.
  return shape.fixed ? made : sql`trim_scale(${made})`;
}

const trimmedList = (list: Sql): Sql => sql`(select array_agg(trim_scale(e) order by o) from ${elements(list)})`;

type Cells = (column: ColumnSchema) => Sql;

function compiled(part: Expression, cells: Cells): Compiled {
  switch (part.node) {
    case 'literal':
      return { part, value: literalSql(part), fails: () => undefined };
    case 'column':
      return columnSql(part, cells);
    case 'call':
      return callSql(part, part.args.map((arg) => compiled(arg, cells))); // prettier-ignore
  }
}

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
  if (shape.of === 'boolean') return constant === true ? sql`true` : sql`false`;
  const bound = value(String(constantOf(part)), typed(shape));
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

function columnSql(part: ColumnPart, cells: Cells): Compiled {
  const { column, shape } = part;
  const cell = cells(column);
  const made = shape.list ? listSql(column, shape, cell) : oneSql(column, shape, cell);
  return { part, value: made, fails: () => (shape.fails ? sql`(${cell} is not null and ${made} is null)` : undefined) };
}

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
    case 'date':
      return foreign ? sql`case when ${cell} between ${FIRST_DAY} and ${LAST_DAY} then ${cell} end` : cell;
    case 'datetime': {
      const exact = column.type === 'datetime' && !foreign ? cell : sql`date_trunc('milliseconds', ${cell})`;
      return foreign ? withinInstants(exact) : exact;
    }
    default:
      return cell;
  }
}

function listSql(column: ColumnSchema, shape: Shape, cell: Sql): Sql {
  if (shape.of === 'opaque') return cell;
  const type = typeName(typed(shape));
  const list = sql`(${cell})::${type}[]`;
  if (!isForeign(column) && !(shape.of === 'number' && isUnbounded(column))) return sql`nullif(${list}, '{}')`;
  const clean = oneSql(column, shape, sql`e`);
  return sql`(select array_agg(x order by o) from (select ${clean} as x, o from ${elements(list)}) _clean where x is not null)`;
}

const asIs: KeyOf = (_, given) => given;

function callSql(call: CallPart, args: readonly Compiled[]): Compiled {
  const { overload, shape } = call;
  if (overload.lazy) {
    const made = overload.lazy.sql(args, call, asIs);
    return remembering(call, typedResult(shape, made.value), () => (shape.fails ? made.fails() : undefined));
  }
  const body = typedResult(shape, overload.postgres(argumentsOf(overload, args, shape), call));
  return overload.aware ? awareSql(call, args, body) : strictSql(call, args, body);
}

function argumentsOf(overload: Strict, args: readonly Compiled[], shape: Shape): readonly Sql[] {
  const keepsWhole = overload.whole && (shape.of !== 'number' || isWhole(shape));
  return args.map(({ value: arg, part }) =>
    part.shape.of === 'number' && !part.shape.list && isWhole(part.shape) && !keepsWhole ? sql`(${arg})::numeric` : arg,
  );
}

function typedResult(shape: Shape, made: Sql): Sql {
  if (shape.list) return made;
  if (shape.of === 'number') return settled(shape, made);
  return shape.of === 'text' ? sql`(${made} ${C})` : made;
}

/** Null is no error of its own, so where no argument is null and the result is, there is one. */
function strictSql(call: CallPart, args: readonly Compiled[], body: Sql): Compiled {
  return remembering(call, body, () => {
    const inner = anyFails(args);
    if (!call.fallible) return inner;
    const present = args.flatMap(({ part, value: arg }) =>
      part.shape.nullable || part.shape.fails ? [sql`${arg} is not null`] : [],
    );
    const own = sql`(${join([...present, sql`${body} is null`], sql` and `)})`;
    return inner ? sql`(${inner} or ${own})` : own;
  });
}

/** It would hide an error of an argument behind what it makes of nulls. */
function awareSql(call: CallPart, args: readonly Compiled[], body: Sql): Compiled {
  const inner = anyFails(args);
  const made = inner ? sql`case when not ${inner} then ${body} end` : body;
  return remembering(call, made, () => (call.fallible ? sql`(${made} is null)` : inner));
}

function remembering(part: Expression, made: Sql, fails: () => Sql | undefined): Compiled {
  let known: { readonly sql: Sql | undefined } | undefined;
  return { part, value: made, fails: () => (known ??= { sql: fails() }).sql };
}
