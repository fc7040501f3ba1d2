import type { CallPart, ColumnPart, Expression, LiteralPart } from '../../formula/expression.js';
import type { Compiled, KeyOf, Strict } from '../../formula/function.js';
import { anyFails } from '../../formula/functions/branches.js';
import type { Shape } from '../../formula/shape.js';
import type { ColumnSchema } from '../../schema.js';
import { join, sql, type Sql } from '../../sql.js';

export type Cells = (column: ColumnSchema) => Sql;

/** Where dialects of SQL differ; what nulls and errors come to is one walk. */
export interface FormulaDialect {
  literal(part: LiteralPart): Sql;
  /** A cell, cut to what formulas can hold: null where it is beyond. */
  column(part: ColumnPart, cell: Sql): Sql;
  /** What the function makes of the arguments, in the type in which values of its shape are kept, null where that is an error. */
  call(overload: Strict, args: readonly Sql[], call: CallPart): Sql;
  /** The same for what one of several arguments is. */
  chosen(shape: Shape, made: Sql): Sql;
  readonly key: KeyOf;
}

/** An expression in SQL, and what tells its errors from nulls. */
export function compiled(part: Expression, cells: Cells, dialect: FormulaDialect): Compiled {
  switch (part.node) {
    case 'literal':
      return { part, value: dialect.literal(part), fails: () => undefined };
    case 'column': {
      const cell = cells(part.column);
      const made = dialect.column(part, cell);
      return remembering(part, made, () =>
        part.shape.fails ? sql`(${cell} is not null and ${made} is null)` : undefined,
      );
    }
    case 'call':
      return called(
        part,
        part.args.map((arg) => compiled(arg, cells, dialect)),
        dialect,
      );
  }
}

function called(call: CallPart, args: readonly Compiled[], dialect: FormulaDialect): Compiled {
  const { overload, shape } = call;
  if (overload.lazy) {
    const made = overload.lazy.sql(args, call, dialect.key);
    return remembering(call, dialect.chosen(shape, made.value), () => (shape.fails ? made.fails() : undefined));
  }
  const values = args.map(({ value }) => value);
  const body = dialect.call(overload, values, call);
  return overload.aware ? aware(call, args, body) : strict(call, args, body);
}

/** Null is no error of its own, so where no argument is null and the result is, there is one. */
function strict(call: CallPart, args: readonly Compiled[], body: Sql): Compiled {
  return remembering(call, body, () => {
    const inner = anyFails(args);
    if (!call.fallible) return inner;
    const present = args.flatMap(({ part, value }) =>
      part.shape.nullable || part.shape.fails ? [sql`${value} is not null`] : [],
    );
    const own = sql`(${join([...present, sql`${body} is null`], sql` and `)})`;
    return inner ? sql`(${inner} or ${own})` : own;
  });
}

/** It would hide an error of an argument behind what it makes of nulls. */
function aware(call: CallPart, args: readonly Compiled[], body: Sql): Compiled {
  const inner = anyFails(args);
  const made = inner ? sql`case when not ${inner} then ${body} end` : body;
  return remembering(call, made, () => (call.fallible ? sql`(${made} is null)` : inner));
}

function remembering(part: Expression, made: Sql, fails: () => Sql | undefined): Compiled {
  let known: { readonly sql: Sql | undefined } | undefined;
  return { part, value: made, fails: () => (known ??= { sql: fails() }).sql };
}
