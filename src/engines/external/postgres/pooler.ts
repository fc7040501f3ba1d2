import { Problem } from '../../../common/index.js';
import { isLent, type Sitting } from '../../../database/lent-session.js';

/** A session that knows what the server said of it when it began. */
export interface ToldSitting extends Sitting {
  /** The process that serves it, as it was told; null where it was not. */
  readonly toldProcess: number | null;
}

/**
 * Throws where the session is lent anew for each transaction. What we set would stay with sessions that others are given, who could not write any
 * more, and other sessions would be without it. PostgreSQL itself tells of its process what it has told at the beginning, poolers make up theirs;
 * only then a second session is opened, for {@link isLent}.
 * @param withSecond opens another session, and ends it behind `work`
 * @throws Problem `not_supported_by_source`; what the sessions throw
 */
export async function mustBeOurs(
  session: ToldSitting,
  withSecond: (work: (second: Sitting) => Promise<void>) => Promise<void>,
): Promise<void> {
  const ours = await session.process();
  if (ours === undefined || ours === session.toldProcess) return;
  await withSecond(async (second) => {
    if (await isLent(session, ours, second)) throw lent();
  });
}

const lent = (): Problem =>
  new Problem('not_supported_by_source', {
    detail:
      'The server is behind a connection pooler that lends sessions by transaction or statement: connect to PostgreSQL itself, or to a pooler that lends them by session.',
  });
