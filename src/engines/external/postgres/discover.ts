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
 * A domain counts as the type below it.
 */
const OBJECTS = (most: number) => sql`
select n.nspname, c.relname, case when c.relkind in ('v', 'm') then 'view' else 'table' end,
  case when c.reltuples >= 0 and c.relkind <> 'v' then c.reltuples::bigint::text end,
  (select json_agg(json_build_object('number', a.attnum, 'name', a.attname, 'native', format_type(a.atttypid, a.atttypmod),
      'base', coalesce(b.typname, t.typname), 'category', coalesce(b.typcategory, t.typcategory),
      'modifier', case when t.typtype = 'd' then t.typtypmod else a.atttypmod end,
      'deterministic', coalesce(l.collisdeterministic, true),
      'required', a.attnotnull or t.typnotnull) order by a.attnum)::text
    from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_type b on b.oid = t.typbasetype
    left join pg_collation l on l.oid = a.attcollation
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  (select json_agg(json_build_object('primary', i.indisprimary, 'columns', i.indkey::int2[]) order by i.indisprimary desc, i.indexrelid)::text
    from pg_index i
    where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
      and i.indnkeyatts = i.indnatts),
  (select json_agg(json_build_object('columns', f.conkey, 'schema', fn.nspname, 'name', fc.relname,
      'references', (select json_agg(fa.attname order by k.o) from unnest(f.confkey) with ordinality k(n, o)
        join pg_attribute fa on fa.attrelid = f.confrelid and fa.attnum = k.n)) order by f.oid)::text
    from pg_constraint f join pg_class fc on fc.oid = f.confrelid join pg_namespace fn on fn.oid = fc.relnamespace
    where f.conrelid = c.oid and f.contype = 'f')
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
    const found = parsed(columns) as readonly ColumnRow[];
    const nameOf = new Map(found.map((column) => [column.number, column.name]));
    const names = (numbers: readonly number[]): string[] => numbers.flatMap((number) => nameOf.get(number) ?? []);
    const required = new Set(found.flatMap((column) => (column.required ? [column.number] : [])));
    const all = parsed(keys) as readonly KeyRow[];
    const unique = all.filter((key) => !key.primary && key.columns.every((number) => required.has(number)));
    return {
      schema: String(schema),
      name: String(name),
      kind: kind === 'view' ? 'view' : 'table',
      columns: found.map(columnOf),
      primaryKey: names(all.find((key) => key.primary)?.columns ?? []),
      uniqueKeys: unique.map((key) => names(key.columns)),
      foreignKeys: (parsed(references) as readonly ReferenceRow[]).map(
        ({ columns: own, ...there }): FoundReference => ({
          columns: names(own),
          ...there,
        }),
      ),
      estimatedRows: estimate === null || estimate === undefined ? null : Number(estimate),
    };
  });
}

const parsed = (cell: unknown): readonly unknown[] =>
  typeof cell === 'string' ? (JSON.parse(cell) as readonly unknown[]) : [];

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
