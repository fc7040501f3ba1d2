import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import { poolLoad, type PoolLoad } from '../pool-load.js';
import { PROBE } from '../probe.js';

/** The main database as a thing that can be up or down. */
@Injectable()
export class MainDatabase {
  constructor(private readonly dataSource: DataSource) {}

  /** Reads that belong together: all of them see the database as it was at the first. Nothing is written here (see {@link AuditedTransaction}). */
  snapshot<T>(read: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction('REPEATABLE READ', read);
  }

  /**
   * Runs `work` unless work under this lock is being done already, by whatever node; then undefined. The lock belongs to a connection
   * and ends with it, also when the node dies.
   */
  async alone<T>(lock: number, work: () => Promise<T>): Promise<T | undefined> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const [free] = (await runner.query('select pg_try_advisory_lock($1) as free', [lock])) as { free: boolean }[];
      if (!free?.free) return undefined;
      try {
        return await work();
      } finally {
        await runner.query('select pg_advisory_unlock($1)', [lock]);
      }
    } finally {
      await runner.release();
    }
  }

  /** How the connections are used now. */
  load(): PoolLoad {
    return poolLoad(this.pool, this.pool.options.max);
  }

  /** One trivial round trip; rejects when the database does not answer soon. */
  async ping(): Promise<void> {
    // TypeORM passes no timeout to a query.
    await this.pool.query(PROBE);
  }

  /** TypeORM's driver keeps it in the open. */
  private get pool(): pg.Pool {
    return (this.dataSource.driver as unknown as { readonly master: pg.Pool }).master;
  }
}
