import { casePattern, type MatchMode } from '../../case-pattern.js';
import type { Bucket } from '../../group-plan.js';
import type { Form } from '../../object-schema.js';
import { must } from '../../../common/index.js';
import type { Comparison } from '../../plan.js';
import type { CellValue, Scalar, ValueKind } from '../../schema.js';
import { empty, ident, join, literal, sql, untyped, value, type Sql } from '../../sql.js';
import { aggregate } from '../cell.js';
import { COMPARISON } from '../comparison.js';
import { bucketStart } from '../groups.js';
import { jsonTest } from '../json-path.js';
import { concat } from '../row-json.js';
import type { FormedCell, Shown, SqlDialect } from './dialect.js';
import { itself, POSTGRES_FORMS, texted, type PostgresForm, type PostgresFormName } from './postgres-forms.js';

const form = (name: Form): PostgresForm => must(POSTGRES_FORMS[name as PostgresFormName], 'a form of PostgreSQL');

/** What a value is as text; values of a cursor are texts of the driver. */
const textOf = (v: Scalar): string => String(v);

function bound(name: Form, v: Scalar): Sql | undefined {
  const { bind, bound: through = itself } = form(name);
  const type = bind?.(textOf(v));
  return type === undefined ? undefined : through(value(v, type));
}

/** Where a value cannot be one of the form: compared with canonical cells, or as the text that is shown. */
function asTexts(cell: FormedCell, v: Scalar): { readonly left: Sql; readonly right: Sql } {
  const right = bound(cell.form, v);
  if (right !== undefined) return { left: form(cell.form).key(cell.sql), right };
  const { asText = texted, beyond } = form(cell.form);
  if (beyond) return { left: POSTGRES.canonical(cell), right: value(textOf(v), beyond) };
  return { left: asText(cell.sql), right: value(textOf(v), 'text') };
}

function equal(cell: FormedCell, v: Scalar): Sql {
  const { left, right } = asTexts(cell, v);
  // The first for indexes, which are under the column's collation; the second decides.
  if (cell.form === 'text') return sql`(${cell.sql} = ${right} and ${left} = ${right})`;
  return sql`${left} = ${right}`;
}

const textMatch = (cell: Sql, mode: MatchMode, part: string): Sql =>
  sql`${cell} ~ ${value(casePattern(part, mode, '\\Z'), 'text')}`;

/** How values are kept that a subquery made. */
function formOfKind({ type }: ValueKind): PostgresFormName {
  switch (type) {
    case 'integer':
      return 'int';
    case 'decimal':
      return 'numeric';
    case 'boolean':
      return 'boolean';
    case 'date':
      return 'date';
    case 'datetime':
      return 'timestamptz';
    default:
      return 'text';
  }
}

const shownJson = (outputs: readonly Shown[]): Sql => {
  if (outputs.length === 0) return sql`'{}'`;
  const parts = outputs.flatMap(({ key, cell }, i) => [
    literal(`${i === 0 ? '{' : ','}${JSON.stringify(key)}:`),
    sql`coalesce(${form(cell.form).json(cell.sql)}, 'null')`,
  ]);
  return concat([...parts, sql`'}'`]);
};

const orNull = ({ form: name, sql: cell }: FormedCell): Sql => {
  const { orNull: made } = form(name);
  return made ? sql`(${made(cell)})` : cell;
};

/** PostgreSQL from version 13 on. The session's time zone is UTC. */
export const POSTGRES: SqlDialect = {
  formOf: formOfKind,
  isComparable: (name) => form(name).incomparable !== true,
  key: (cell) => form(cell.form).key(cell.sql),
  bindKey(name, v: CellValue) {
    const { bind, keyType = bind?.(textOf(v as Scalar)), bound: through = itself } = form(name);
    return through(value(textOf(v as Scalar), must(keyType, 'a form that rows can be sorted by')));
  },
  moment: (at) => value(at.toISOString(), 'timestamptz'),
  canonical: ({ form: name, sql: cell }) => (form(name).canonical ?? form(name).key)(cell),
  compare(cell, op: Comparison, v) {
    if (op === 'eq') return equal(cell, v);
    const { left, right } = asTexts(cell, v);
    return op === 'neq' ? sql`${left} is distinct from ${right}` : sql`${left} ${COMPARISON[op]} ${right}`;
  },
  oneOf(cell, values) {
    const [first] = values;
    const types = new Set(values.map((v) => form(cell.form).bind?.(textOf(v))));
    const [type] = types;
    if (first === undefined) return sql`false`;
    if (types.size > 1 || type === undefined)
      return sql`(${join(
        values.map((v) => equal(cell, v)),
        sql` or `,
      )})`;
    const { key, bound: through } = form(cell.form);
    if (through)
      return sql`${key(cell.sql)} in (${join(
        values.map((v) => through(value(v, type))),
        sql`, `,
      )})`;
    const list = value([...values], `${type}[]`);
    const exact = sql`${key(cell.sql)} = any(${list})`;
    return cell.form === 'text' ? sql`(${cell.sql} = any(${list}) and ${exact})` : exact;
  },
  between(cell, low, high) {
    return sql`(${POSTGRES.compare(cell, 'gte', low)} and ${POSTGRES.compare(cell, 'lte', high)})`;
  },
  match: (cell, mode, part) => textMatch(texted(cell.sql), mode, part),
  isNull: (cell) => sql`${orNull(cell)} is null`,
  isNotNull: (cell) => sql`${orNull(cell)} is not null`,
  isEmpty: (cell) => sql`coalesce(${texted(cell.sql)}, '') = ''`,
  json: (cell, path, test) => jsonTest(sql`${cell.sql}::jsonb`, path, test, textMatch),
  same: (a, b) => sql`${a} is not distinct from ${b}`,
  joined(a, b) {
    // Two collations have no equality, but any one that tells bytes apart is as good as another.
    if (a.form === 'text' && b.form === 'text') return sql`${a.sql} = ${b.sql} collate "default"`;
    // Types that are texts to us need have nothing in common there.
    if (a.form === b.form && a.form !== 'otherText') return sql`${a.sql} = ${b.sql}`;
    return sql`${POSTGRES.canonical(a)} = ${POSTGRES.canonical(b)}`;
  },
  comparesRowsWithNulls: true,
  nulls: { asc: sql`nulls first`, desc: sql`nulls last` },
  grouped: (kind, cell) =>
    kind.type === 'decimal' && kind.options.scale === undefined ? sql`trim_scale(${cell})` : cell,
  bucket: (bucket: Bucket, isInstant, cell) =>
    sql`case when ${cell} is not null then ${bucketStart(bucket, isInstant, cell)} end`,
  aggregate: ({ fn, column }, cell) => (fn === 'count' ? sql`count(${cell})` : aggregate({ column, fn }, cell, empty)),
  show: (outputs) => [shownJson(outputs)],
  sent({ form: name, sql: cell }) {
    const { sent, json } = form(name);
    return sent?.(cell) ?? { cell: json(cell), form: 'json' };
  },
  store({ form: name, physical }, v, { physical: { schema, table } }) {
    if (v === null) return sql`null`;
    const text = textOf(v as Scalar);
    // JSON becomes an array or a record by the type that the column has in the row of its table.
    if (name === 'composite')
      return sql`(jsonb_populate_record(null::${ident(schema, table)}, jsonb_build_object(${value(physical, 'text')}, ${value(text, 'jsonb')}))).${ident(physical)}`;
    // Without a type, so that the database takes it as one of the column's.
    return form(name).store?.(text) ?? untyped(text);
  },
};
