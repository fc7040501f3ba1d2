import { ident, literal, sql, value, type Sql } from '../sql.js';
import { commentSchema } from './ddl.js';

/** A base that was brought out of a backup into a schema of its own. */
export interface StagedBase {
  /** Of the base. */
  readonly schema: string;
  /** Where it lies by now. */
  readonly stage: string;
  readonly displayName: string;
  /** Higher than that of every table before and in the backup: nobody who knows a structure from before goes on with it. */
  readonly version: number;
}

/**
 * Puts a staged base into the place of the one that is there, if one is, which is gone then. Nobody is at work in it at that moment: every table is locked
 * against everybody, so that no statement has found some of its tables here and others there. Its logs get new epochs. What is
 * known of operations is kept: one that was given up is not done by a maker who comes late.
 */
export function takePlace({ schema, stage, displayName, version }: StagedBase): Sql[] {
  const there = sql`(select oid from pg_namespace where nspname = ${literal(schema)})`;
  return [
    sql`do $place$ declare each name; begin
  for each in select relname from pg_class where relnamespace = ${there} and relkind in ('r', 'p') order by oid loop
    execute format('lock table %I.%I in access exclusive mode', ${literal(schema)}, each);
  end loop;
  if exists (select from pg_class where relnamespace = ${there} and relname = '_applied') then
    insert into ${ident(stage, '_applied')} (op_id, outcome, at) select op_id, outcome, at from ${ident(schema, '_applied')} on conflict do nothing;
  end if;
end $place$`,
    sql`drop schema if exists ${ident(schema)} cascade`,
    sql`alter schema ${ident(stage)} rename to ${ident(schema)}`,
    commentSchema(schema, displayName),
    sql`update ${ident(schema, '_stream')} set epoch = gen_random_uuid(), schema_version = ${value(version, 'integer')}`,
  ];
}
