import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Id } from '../../../common/index.js';
import { AuditedTransaction } from '../../../database/main/index.js';

/** How often reads of one shape were made, added up over some time. */
export interface ShapeUse {
  readonly tableId: Id;
  readonly shape: string;
  readonly uses: number;
  readonly worstMs: number;
  readonly lastAt: Date;
}

/** What is not used any more is forgotten after so many days; advice goes by what is left. */
const KEPT_DAYS = 30;
/** Of one table on one day; the most used stay. */
const MAX_SHAPES = 200;

/** How tables are asked, by day, in the main database: columns and classes of operators, never a value. */
@Injectable()
export class UsageLog {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** Adds to what the nodes have counted today. Of tables that are gone nothing is kept. */
  async add(uses: readonly ShapeUse[]): Promise<void> {
    const records = uses.map(({ tableId, shape, uses: n, worstMs, lastAt }) => ({
      table_id: tableId,
      shape,
      uses: n,
      worst_ms: Math.round(worstMs),
      last_at: lastAt,
    }));
    await this.transaction.withoutAudit((manager) =>
      // In the order of the key: two nodes that add at once wait for each other, never in a circle.
      manager.query(
        `insert into index_usage as u (table_id, shape, day, uses, worst_ms, last_at)
         select r.table_id, r.shape, (r.last_at at time zone 'UTC')::date, r.uses, r.worst_ms, r.last_at
         from json_to_recordset($1::json) as r(table_id uuid, shape text, uses bigint, worst_ms integer, last_at timestamptz)
         join tables t on t.id = r.table_id
         order by r.table_id, r.shape
         on conflict (table_id, shape, day) do update set uses = u.uses + excluded.uses,
           worst_ms = greatest(u.worst_ms, excluded.worst_ms), last_at = greatest(u.last_at, excluded.last_at)`,
        [JSON.stringify(records)],
      ),
    );
  }

  /** Forgets what is old, and what is too much. */
  async prune(): Promise<void> {
    await this.transaction.withoutAudit(async (manager) => {
      await manager.query(`delete from index_usage where day < current_date - ${KEPT_DAYS}`);
      await manager.query(
        `delete from index_usage u using (
           select table_id, shape, day, row_number() over (partition by table_id, day order by uses desc) as n from index_usage
         ) ranked where ranked.n > ${MAX_SHAPES} and (u.table_id, u.shape, u.day) = (ranked.table_id, ranked.shape, ranked.day)`,
      );
    });
  }

  /** Of one table, over all days that are kept. */
  async ofTable(tableId: Id): Promise<ShapeUse[]> {
    const rows: StoredUse[] = await this.dataSource
      .createQueryBuilder()
      .select(['table_id', 'shape', 'sum(uses) as uses', 'max(worst_ms) as worst_ms', 'max(last_at) as last_at'])
      .from('index_usage', 'u')
      .where('table_id = :tableId', { tableId })
      .groupBy('table_id, shape')
      .getRawMany();
    return rows.map(toUse);
  }

  /** Shapes that were used more often than this on one of the last two days. */
  async usedMoreThan(uses: number): Promise<ShapeUse[]> {
    const rows: StoredUse[] = await this.dataSource
      .createQueryBuilder()
      .select(['table_id', 'shape', 'max(uses) as uses', 'max(worst_ms) as worst_ms', 'max(last_at) as last_at'])
      .from('index_usage', 'u')
      .where('day >= current_date - 1 and uses > :uses', { uses })
      .groupBy('table_id, shape')
      .getRawMany();
    return rows.map(toUse);
  }
}

interface StoredUse {
  readonly table_id: Id;
  readonly shape: string;
  readonly uses: string;
  readonly worst_ms: number;
  readonly last_at: Date;
}

const toUse = (row: StoredUse): ShapeUse => ({
  tableId: row.table_id,
  shape: row.shape,
  uses: Number(row.uses),
  worstMs: row.worst_ms,
  lastAt: row.last_at,
});
