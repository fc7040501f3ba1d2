import { Injectable } from '@nestjs/common';
import { MiniDatabase } from '../../database/mini/index.js';
import { ident, literal, sql, toStatement, type Sql } from '../../query/index.js';
import { pgError } from './pg-errors.js';

export interface PhysicalColumn {
  readonly name: string;
  /** As PostgreSQL writes it: `numeric(38,2)`, `timestamp with time zone`. */
  readonly type: string;
  /** Null where the type has none; `default` is the database's. */
  readonly collation: string | null;
  readonly notNull: boolean;
  readonly comment: string | null;
}

export interface PhysicalIndex {
  readonly name: string;
  readonly unique: boolean;
  /** False of what a failed CREATE INDEX CONCURRENTLY left behind. */
  readonly valid: boolean;
}

export interface PhysicalCheck {
  readonly columns: readonly string[];
  readonly definition: string;
}

export interface PhysicalRelation {
  readonly name: string;
  /** `other` is nothing that we make: a sequence, a materialized view, a foreign table. */
  readonly kind: 'table' | 'view' | 'other';
  readonly comment: string | null;
  readonly columns: readonly PhysicalColumn[];
  readonly indexes: readonly PhysicalIndex[];
  readonly checks: readonly PhysicalCheck[];
}

/** A base as PostgreSQL has it. */
export interface PhysicalBase {
  readonly comment: string | null;
  readonly relations: readonly PhysicalRelation[];
  /** Schema versions by table id. */
  readonly streams: readonly { readonly tableId: string; readonly schemaVersion: number }[];
}

/** Reads what PostgreSQL itself says of the structure of bases. */
@Injectable()
export class MiniDbCatalog {
  constructor(private readonly database: MiniDatabase) {}

  /** Schemas that were made as a base: they hold `_applied`. Others are not ours and nobody's business. */
  async schemas(): Promise<string[]> {
    const rows = await this.database.query({
      text: `select n.nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid and c.relname = '_applied' and c.relkind = 'r' order by 1`,
      values: [],
    });
    return rows.map(([name]) => String(name));
  }

  /** Undefined when there is no such schema. */
  async base(schema: string): Promise<PhysicalBase | undefined> {
    try {
      return await this.read(schema, streamsOf(schema));
    } catch (error) {
      // Somebody took `_stream` away, or the whole schema: what is left is read all the same.
      if (!['42P01', '3F000'].includes(pgError(error)?.code ?? '')) throw error;
      return this.read(schema, sql`'[]'::json`);
    }
  }

  private async read(schema: string, streams: Sql): Promise<PhysicalBase | undefined> {
    const [row] = await this.database.query(toStatement(baseAsJson(schema, streams)));
    return row ? (JSON.parse(row[0] ?? '') as PhysicalBase) : undefined;
  }
}

const list = (item: Sql, from: Sql): Sql => sql`(select coalesce(json_agg(${item}), '[]'::json) from ${from})`;

const streamsOf = (schema: string): Sql =>
  list(
    sql`json_build_object('tableId', s.table_id, 'schemaVersion', s.schema_version)`,
    sql`${ident(schema, '_stream')} s`,
  );

/** One statement, hence one snapshot of all but what PostgreSQL's own functions look up (format_type and the like). */
function baseAsJson(schema: string, streams: Sql): Sql {
  const columns = list(
    sql`json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'collation', l.collname,
      'notNull', a.attnotnull, 'comment', col_description(c.oid, a.attnum)) order by a.attnum`,
    sql`pg_attribute a left join pg_collation l on l.oid = a.attcollation where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`,
  );
  const indexes = list(
    sql`json_build_object('name', x.relname, 'unique', i.indisunique, 'valid', i.indisvalid)`,
    sql`pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid`,
  );
  const checks = list(
    sql`json_build_object('definition', pg_get_constraintdef(k.oid), 'columns', array(select attname from pg_attribute where attrelid = c.oid and attnum = any (k.conkey)))`,
    sql`pg_constraint k where k.conrelid = c.oid and k.contype = 'c'`,
  );
  const relations = list(
    sql`json_build_object('name', c.relname, 'kind', case when c.relkind in ('r', 'p') then 'table' when c.relkind = 'v' then 'view' else 'other' end,
      'comment', obj_description(c.oid, 'pg_class'), 'columns', ${columns}, 'indexes', ${indexes}, 'checks', ${checks}) order by c.relname`,
    // A sequence that belongs to a column, such as that of an autonumber, is a part of it.
    sql`pg_class c where c.relnamespace = n.oid and (c.relkind in ('r', 'p', 'v', 'm', 'f') or c.relkind = 'S' and not exists (
      select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refobjsubid > 0 and d.deptype in ('a', 'i')))`,
  );
  return sql`select json_build_object('comment', obj_description(n.oid, 'pg_namespace'), 'streams', ${streams}, 'relations', ${relations})
from pg_namespace n where n.nspname = ${literal(schema)}`;
}
