import { sql, integer } from '../../../query/index.js';
import type { ExternalLimits, FoundColumn, FoundObject, FoundReference } from '../external-engine.js';
import { nativeType } from './forms.js';
import type { PostgresSession } from './session.js';

/** A column as the first statement tells of it. */
interface ColumnRow {
  readonly number: number;
  readonly name: string;
  readonly native: string;
  readonly base: string;
  readonly category: string;
  readonly modifier: number;
  readonly deterministic: boolean;
  readonly required: boolean;
}

interface KeyRow {
  readonly primary: boolean;
  readonly columns: readonly number[];
}

interface ReferenceRow {
  readonly columns: readonly number[];
  readonly schema: string;
  readonly name: string;
  readonly references: readonly string[];
}

/**
 * What the user may read: tables, views, materialised views, partitioned and foreign tables; not the parts of a partitioned one, nor what
 * belongs to the system. One row for each: schema, name, kind, rows, columns, keys, references; the last three are JSON.
 * A domain counts as the type below it, and may be null: what it forbids comes about nevertheless (outer joins of views). Columns that the user
 * may not read are left out, and keys and references with them. A column can be declared not null and hold nulls from before (18 on).
 */
const OBJECTS = (most: number) => sql`
select n.nspname, c.relname, case when c.relkind in ('v', 'm') then 'view' else 'table' end,
  case when c.reltuples >= 0 and c.relkind <> 'v' then c.reltuples::bigint::text end,
  (select json_agg(json_build_object('number', a.attnum, 'name', a.attname, 'native', format_type(a.atttypid, a.atttypmod),
      'base', b.typname, 'category', b.typcategory, 'modifier', b.modifier,
      'deterministic', coalesce(l.collisdeterministic, true),
      'required', a.attnotnull and not exists (select from pg_constraint v
        where v.conrelid = c.oid and v.contype = 'n' and not v.convalidated and v.conkey = array[a.attnum])) order by a.attnum)::text
    from pg_attribute a cross join lateral (
      with recursive below(typname, typcategory, typtype, typbasetype, modifier) as (
        select t.typname, t.typcategory, t.typtype, t.typbasetype, case t.typtype when 'd' then t.typtypmod else a.atttypmod end
          from pg_type t where t.oid = a.atttypid
        union all select t.typname, t.typcategory, t.typtype, t.typbasetype,
            case when below.modifier < 0 and t.typtype = 'd' then t.typtypmod else below.modifier end
          from below join pg_type t on t.oid = below.typbasetype where below.typtype = 'd')
      select * from below where typtype <> 'd') b
    left join pg_collation l on l.oid = a.attcollation
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and has_column_privilege(c.oid, a.attnum, 'select')),
  (select json_agg(json_build_object('primary', i.indisprimary, 'columns', (i.indkey::int2[])[0:i.indnkeyatts - 1]) order by i.indisprimary desc, i.indexrelid)::text
    from pg_index i
    where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null),
  (select json_agg(json_build_object('columns', f.conkey, 'schema', fn.nspname, 'name', fc.relname,
      'references', (select json_agg(fa.attname order by k.o) from unnest(f.confkey) with ordinality k(n, o)
        join pg_attribute fa on fa.attrelid = f.confrelid and fa.attnum = k.n)) order by f.oid)::text
    from pg_constraint f join pg_class fc on fc.oid = f.confrelid join pg_namespace fn on fn.oid = fc.relnamespace
    where f.conrelid = c.oid and f.contype = 'f' and f.conparentid = 0)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
  and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
  and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')
order by n.nspname collate "C", c.relname collate "C"
limit ${integer(most)}`;

/** Everything that can be read in the database of this session. */
export async function discover(
  session: PostgresSession,
  { maxObjects }: ExternalLimits,
  signal?: AbortSignal,
): Promise<readonly FoundObject[]> {
  const rows = await session.run(OBJECTS(maxObjects), maxObjects, signal);
  return rows.map(([schema, name, kind, estimate, columns, keys, references]): FoundObject => {
    const found = list(columns).map(columnRow);
    const nameOf = new Map(found.map((column) => [column.number, column.name]));
    const names = (numbers: readonly number[]): string[] => numbers.flatMap((number) => nameOf.get(number) ?? []);
    const areKnown = ({ columns: numbers }: KeyRow | ReferenceRow): boolean =>
      numbers.every((number) => nameOf.has(number));
    const required = new Set(found.flatMap((column) => (column.required ? [column.number] : [])));
    const all = list(keys).map(keyRow).filter(areKnown);
    const unique = all.filter((key) => !key.primary && key.columns.every((number) => required.has(number)));
    return {
      schema: text(schema),
      name: text(name),
      kind: kind === 'view' ? 'view' : 'table',
      columns: found.map(columnOf),
      primaryKey: names(all.find((key) => key.primary)?.columns ?? []),
      uniqueKeys: unique.map((key) => names(key.columns)),
      foreignKeys: list(references)
        .map(referenceRow)
        .filter(areKnown)
        .map(({ columns: own, ...there }): FoundReference => ({ columns: names(own), ...there })),
      estimatedRows: estimate === null ? null : whole(Number(estimate)),
    };
  });
}

// The server may be anybody: what is not as it was asked for is no answer.

const list = (cell: unknown): readonly unknown[] => {
  const found: unknown = cell === null ? [] : JSON.parse(text(cell));
  return Array.isArray(found) ? found : refuse();
};

function text(found: unknown): string {
  return typeof found === 'string' && found !== '' && !found.includes('\0') ? found : refuse();
}

const whole = (found: unknown): number => (Number.isSafeInteger(found) ? (found as number) : refuse());

function refuse(): never {
  throw new Error('the catalogue of the server is none');
}

const memberOf = (found: unknown): Readonly<Record<string, unknown>> =>
  typeof found === 'object' && found !== null ? (found as Readonly<Record<string, unknown>>) : refuse();

const many = <T>(found: unknown, each: (one: unknown) => T): readonly T[] =>
  Array.isArray(found) ? found.map(each) : refuse();

function columnRow(found: unknown): ColumnRow {
  const { number, name, native, base, category, modifier, deterministic, required } = memberOf(found);
  return {
    number: whole(number),
    name: text(name),
    native: text(native),
    base: text(base),
    category: text(category),
    modifier: whole(modifier),
    deterministic: deterministic === true,
    required: required === true,
  };
}

function keyRow(found: unknown): KeyRow {
  const { primary, columns } = memberOf(found);
  return { primary: primary === true, columns: many(columns, whole) };
}

function referenceRow(found: unknown): ReferenceRow {
  const { columns, schema, name, references } = memberOf(found);
  return { columns: many(columns, whole), schema: text(schema), name: text(name), references: many(references, text) };
}

const columnOf = ({ name, native, base, category, modifier, deterministic, required }: ColumnRow): FoundColumn => ({
  key: name,
  nativeType: native,
  ...nativeType({ name: base, category, scale: base === 'numeric' ? scaleOf(modifier) : null, deterministic }),
  nullable: !required,
});

/** From the type modifier of a numeric (src/backend/utils/adt/numeric.c): 11 bits with a sign. */
function scaleOf(modifier: number): number | null {
  if (modifier < 4) return null;
  const bits = (modifier - 4) & 0x7ff;
  return (bits ^ 1024) - 1024;
}
