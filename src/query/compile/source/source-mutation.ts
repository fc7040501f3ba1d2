import type { Mutation, ObjectCell } from '../../source-plan.js';
import type { ObjectColumn, ObjectSchema } from '../../object-schema.js';
import { kindOf } from '../../kind.js';
import { comma, ident, join, sql, type Sql } from '../../sql.js';
import type { SqlDialect } from './dialect.js';
import type { SourceStatement } from './source-read.js';

/** Alias of the object in reads of one row. */
const ROW = 't';

const objectName = ({ physical }: ObjectSchema): Sql => ident(physical.schema, physical.table);
const cellOf = (column: ObjectColumn, alias?: string) => ({
  sql: alias === undefined ? ident(column.physical) : ident(alias, column.physical),
  form: column.form,
});

/** What the row of this key holds now, and whether that is what was expected (`true` or not, as the last column); locked until the transaction ends. */
export function compileLockedRow(
  mutation: Extract<Mutation, { readonly key: readonly ObjectCell[] }>,
  dialect: SqlDialect,
): SourceStatement {
  const { object, key, expected } = mutation;
  const shown = dialect.show(
    object.columns.map((column) => ({ key: column.key, cell: cellOf(column, ROW), kind: kindOf(column) })),
  );
  const holds = sql`case when ${join([sql`true`, ...expected.map((each) => holdsValue(each, dialect, ROW))], sql` and `)} then 1 else 0 end`;
  return {
    sql: sql`select ${join([...shown, holds], comma)} from ${objectName(object)} ${ident(ROW)} where ${byKey(key, dialect, ROW)} for update`,
    shown: shown.length,
  };
}

/** What the row of this key holds. */
export function compileRowByKey(
  object: ObjectSchema,
  key: readonly ObjectCell[],
  dialect: SqlDialect,
): SourceStatement {
  const shown = dialect.show(
    object.columns.map((column) => ({ key: column.key, cell: cellOf(column, ROW), kind: kindOf(column) })),
  );
  return {
    sql: sql`select ${join(shown, comma)} from ${objectName(object)} ${ident(ROW)} where ${byKey(key, dialect, ROW)}`,
    shown: shown.length,
  };
}

/** The change itself; of a row that was locked before, so that nothing has to be asked again. */
export function compileMutation(mutation: Mutation, dialect: SqlDialect): Sql {
  const { object } = mutation;
  switch (mutation.op) {
    case 'insert': {
      const names = mutation.values.map(({ column }) => ident(column.physical));
      const values = mutation.values.map(({ column, value }) => dialect.store(column, value, object));
      return sql`insert into ${objectName(object)} (${join(names, comma)}) values (${join(values, comma)})`;
    }
    case 'update': {
      const { increment } = mutation;
      const sets = mutation.values.map(
        ({ column, value }) => sql`${ident(column.physical)} = ${dialect.store(column, value, object)}`,
      );
      if (increment) sets.push(sql`${ident(increment.physical)} = ${ident(increment.physical)} + 1`);
      return sql`update ${objectName(object)} set ${join(sets, comma)} where ${byKey(mutation.key, dialect)}`;
    }
    case 'delete':
      return sql`delete from ${objectName(object)} where ${byKey(mutation.key, dialect)}`;
  }
}

const byKey = (key: readonly ObjectCell[], dialect: SqlDialect, alias?: string): Sql =>
  join(
    key.map((each) => holdsValue(each, dialect, alias)),
    sql` and `,
  );

function holdsValue({ column, value }: ObjectCell, dialect: SqlDialect, alias?: string): Sql {
  const cell = cellOf(column, alias);
  if (value === null || Array.isArray(value)) return dialect.isNull(cell);
  return dialect.compare(cell, 'eq', value as string | number | boolean);
}
