import type { TableSchema } from '../schema.js';
import { literal, sql, value, type Sql } from '../sql.js';
import { tableName } from './read.js';

/** PostgreSQL has at most 1,600 columns in a table and never forgets one (manual: Appendix K). From here on a table is worth a rebuild. */
export const WORN_COLUMNS = 1_200;
/** So many of them have to be gone, or a rebuild gains nothing. */
export const WORN_GONE = 200;
/** A rebuild copies the table while nobody can use it: this much takes about a second. */
export const MAX_REBUILD_BYTES = 64 * 1024 * 1024;

/** Setting of the transaction by which the block below is told its table: DO takes no parameters. */
const TARGET = 'live_tables.rebuild';

/**
 * Copies a table into a new one that has only the columns which are there, hidden ones included, and gives it the place of the
 * old one: name, comments, constraints, indexes and rights under their names. Everything is read from PostgreSQL's own
 * catalogue, so nothing is forgotten that others added to the table; what still hangs on the old one (a view of an operator, a
 * foreign key, a sequence) makes the drop fail, and then nothing has happened.
 */
export const rebuildTable = (table: TableSchema): Sql[] => [
  sql`lock table ${tableName(table)} in access exclusive mode`,
  sql`select set_config(${literal(TARGET)}, ${value(JSON.stringify(table.physical), 'text')}, true)`,
  sql`do ${literal(BLOCK)}`,
];

const BLOCK = `
declare
  target json := current_setting('${TARGET}')::json;
  place text := target->>'schema';
  name text := target->>'table';
  old regclass := format('%I.%I', place, name)::regclass;
  fresh text := format('%I.%I', place, '_rebuilt');
  columns text;
  comment text := obj_description(old, 'pg_class');
  constraints text[];
  indexes text[];
  rights text[];
  pointing text[];
  cut text[];
  numbers text[];
  statement text;
begin
  select string_agg(quote_ident(attname), ', ' order by attnum) into columns
    from pg_attribute where attrelid = old and attnum > 0 and not attisdropped;
  -- Those that LIKE copies are checks and NOT NULL; a primary key has the name of its index.
  select coalesce(array_agg(format('add constraint %I %s', conname, pg_get_constraintdef(oid)) order by oid), '{}') into constraints
    from pg_constraint where conrelid = old and contype in ('p', 'u', 'f', 'x');
  select coalesce(array_agg(pg_get_indexdef(indexrelid) order by indexrelid), '{}') into indexes
    from pg_index where indrelid = old and not exists (select from pg_constraint where conindid = indexrelid and conrelid = old);
  select coalesce(array_agg(format('grant %s on %I.%I to %s', privilege_type, place, name,
      case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end)), '{}') into rights
    from pg_class, aclexplode(relacl) where pg_class.oid = old and grantee <> relowner;
  -- Of links: they point to the rows, which stay the same.
  select coalesce(array_agg(format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))), '{}'),
      coalesce(array_agg(format('alter table %s drop constraint %I', conrelid::regclass, conname)), '{}') into pointing, cut
    from pg_constraint where confrelid = old and contype = 'f' and conrelid <> old;
  select coalesce(array_agg(format('select setval(pg_get_serial_sequence(%L, %L), %s, %L)', format('%I.%I', place, name), attname,
      coalesce(s.last_value, 1), s.last_value is not null)), '{}') into numbers
    from pg_attribute a join pg_class q on q.oid = pg_get_serial_sequence(format('%I.%I', place, name), a.attname)::regclass
      join pg_sequences s on s.schemaname = place and s.sequencename = q.relname
    where a.attrelid = old and a.attidentity <> '' and not a.attisdropped;
  foreach statement in array cut loop
    execute statement;
  end loop;
  execute format('create table %s (like %s including all excluding indexes)', fresh, old);
  execute format('insert into %s (%s) select %s from %s', fresh, columns, columns, old);
  execute format('drop table %s', old);
  execute format('alter table %s rename to %I', fresh, name);
  foreach statement in array constraints loop
    execute format('alter table %I.%I ', place, name) || statement;
  end loop;
  foreach statement in array indexes || rights || pointing || numbers loop
    execute statement;
  end loop;
  execute format('comment on table %I.%I is %L', place, name, comment);
end`;
