import type { Column, TestDatabases } from '../harness/index.js';
import { sql, waitFor } from '../harness/index.js';
import type { replay } from './changes.js';

/** The points of the saga in their order. The transaction of `applying` is the commit point: what dies later has taken place. */
export const POINTS: readonly (readonly [string, boolean])[] = [
  ['schema.recording', false],
  ['schema.recorded', false],
  ['schema.applying', false],
  ['schema.applied', true],
  ['schema.finishing', true],
  ['schema.finished', true],
];

/** Points that a change does not come to when another node was quicker to complete it. */
export const MAY_BE_MISSED = ['schema.finishing'];

/** How many changes that were begun before are not decided yet. */
export const pendingSince = async (pair: TestDatabases, before: Date): Promise<number> =>
  (await sql(pair.main, "select 1 from schema_ops where state = 'pending' and created_at < $1", [before])).length;

/** Half a minute is twenty seconds of age and ten between two sweeps; the rest is for a busy machine. */
export const settled = (pair: TestDatabases, died: Date): Promise<true> =>
  waitFor(async () => (await pendingSince(pair, died)) === 0, 45_000, 200);

/**
 * The node that is to die holds the locks of its changes until the last of them has come to the point. On a busy machine that may be
 * longer than a client waits, and no fault of whoever wants to write.
 */
export function unlessLate(error: unknown): undefined {
  if (!(error instanceof Error && error.name === 'TimeoutError')) throw error;
}

/** Rows with these of their fields alone. */
export const ofColumns = (rows: ReturnType<typeof replay>, columns: readonly Column[]): ReturnType<typeof replay> =>
  new Map(
    [...rows].map(([id, { version, fields }]) => [
      id,
      { version, fields: Object.fromEntries(columns.map(({ key }) => [key, fields[key]])) },
    ]),
  );
