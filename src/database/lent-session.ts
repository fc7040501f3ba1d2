/** A session of PostgreSQL that is asked whose it is. */
export interface Sitting {
  /** The process that serves it now; undefined where the server knows no such thing. */
  process(): Promise<number | undefined>;
  /** Begins a transaction; false where it is refused. */
  transaction(): Promise<boolean>;
}

/**
 * Whether a pooler lends the session to us for one transaction or statement after the other: `second`, which is in a transaction while ours is in
 * none, is given the process that was ours, or we another one then.
 * @param ours the process that served the session so far
 */
export async function isLent(session: Sitting, ours: number | undefined, second: Sitting): Promise<boolean> {
  // Asked in this order: of a pooler that has one session, the first would wait for the second.
  return !(await second.transaction()) || (await second.process()) === ours || (await session.process()) !== ours;
}
