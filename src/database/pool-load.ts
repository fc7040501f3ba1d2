import type pg from 'pg';

/** The connections of a pool. */
export interface PoolLoad {
  /** Open ones, those that are idle included. */
  readonly open: number;
  readonly idle: number;
  /** Callers that wait for one. */
  readonly waiting: number;
  readonly max: number;
}

/** How the connections of a pool are used now. */
export const poolLoad = ({ totalCount, idleCount, waitingCount }: pg.Pool, max: number): PoolLoad => ({
  open: totalCount,
  idle: idleCount,
  waiting: waitingCount,
  max,
});
