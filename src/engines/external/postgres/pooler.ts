import { Problem } from '../../../common/index.js';

/** What a session can say of itself. */
export interface Sitting {
  /** The process that serves it, as it was told when it began; null where it was not. */
  readonly toldProcess: number | null;
  /** The process that serves it now; undefined where the server knows no such thing. */
  process(): Promise<number | undefined>;
  /** Begins a transaction; false where that is refused. */
  transaction(): Promise<boolean>;
}

/**
 * Throws where the session is lent anew for each transaction. What we set would stay with sessions that others are given, who could not write any
 * more, and other sessions would be without it. PostgreSQL itself tells of its process what it has told at the beginning, poolers make up theirs;
 * only then a second session is opened, which has its transaction while ours has none: by transaction it is given the process that was ours.
 * @param withSecond opens another session, and ends it behind `work`
 * @throws Problem `not_supported_by_source`; what the sessions throw
 */
export async function mustBeOurs(
  session: Sitting,
  withSecond: (work: (second: Sitting) => Promise<void>) => Promise<void>,
): Promise<void> {
  const ours = await session.process();
  if (ours === undefined || ours === session.toldProcess) return;
  await withSecond(async (second) => {
    // Asked in this order: of a pooler that has one session, the first would wait for the second.
    const isLent =
      !(await second.transaction()) || (await second.process()) === ours || (await session.process()) !== ours;
    if (isLent) throw lent();
  });
}

const lent = (): Problem =>
  new Problem('not_supported_by_source', {
    detail:
      'The server is behind a connection pooler that lends sessions by transaction or statement: connect to PostgreSQL itself, or to a pooler that lends them by session.',
  });
