import { Injectable } from '@nestjs/common';
import { MiniDatabase } from '../../database/mini/index.js';
import { sql, toStatement, value } from '../../query/index.js';

/** What one comparison of the metadata with the mini-DB found, in short. */
export interface DriftSummary {
  readonly bases: number;
  /** How many bases could not be compared, because they changed all the time. */
  readonly skipped: number;
  readonly findings: number;
}

/** The last comparison, as all nodes know it, and whose turn the next one is. One row in the mini-DB. */
@Injectable()
export class DriftRecord {
  constructor(private readonly database: MiniDatabase) {}

  /** Whether a comparison is due and this caller is the one to make it; true for one of many at the same moment. */
  async claim(everySeconds: number): Promise<boolean> {
    const rows = await this.database.query(
      toStatement(sql`update public._live_tables_drift_check set started_at = clock_timestamp()
where started_at is null or started_at <= clock_timestamp() - make_interval(secs => ${value(everySeconds, 'integer')}) returning 1`),
    );
    return rows.length === 1;
  }

  async save(summary: DriftSummary): Promise<void> {
    await this.database.query(
      toStatement(
        sql`update public._live_tables_drift_check set finished_at = clock_timestamp(), result = ${value(JSON.stringify(summary), 'json')}`,
      ),
    );
  }

  /** Undefined before the first one has ended. */
  async last(): Promise<(DriftSummary & { readonly at: string }) | undefined> {
    const [row] = await this.database.query(
      toStatement(sql`select to_char(finished_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), result
from public._live_tables_drift_check where result is not null`),
    );
    return row && { ...(JSON.parse(row[1] ?? '') as DriftSummary), at: String(row[0]) };
  }
}
