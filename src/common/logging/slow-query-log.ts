import type { Logger } from 'pino';
import type { AskedRequest } from '../http.js';

/** Lines of one minute; how many were left out is told with the next. */
const MAX_PER_MINUTE = 60;
const MINUTE_MS = 60_000;

/**
 * One line for each read or write of rows that took its databases at least so long, with the shape of its plan and none of its values. Bounded: a database
 * that is slow for everybody does not fill the log as well.
 *
 * @param thresholdMs 0 is no line at all
 * @param now milliseconds, of a clock that never goes back
 */
export function slowQueryLog(
  logger: Logger,
  thresholdMs: number,
  now: () => number = () => performance.now(),
): (request: AskedRequest) => void {
  let [since, lines, leftOut] = [now(), 0, 0];
  return (request) => {
    const { databaseMs, queryFacts } = request;
    if (thresholdMs === 0 || queryFacts === undefined || databaseMs === undefined || databaseMs < thresholdMs) return;
    if (now() - since >= MINUTE_MS) [since, lines] = [now(), 0];
    if (lines >= MAX_PER_MINUTE) {
      leftOut++;
      return;
    }
    lines++;
    const { kind, plan, rows, workspaceId } = queryFacts();
    logger.warn(
      {
        requestId: request.id,
        route: request.routeOptions.url,
        workspaceId: request.access?.workspaceId ?? workspaceId,
        ...{ kind, plan, rows, databaseMs: Math.round(databaseMs * 10) / 10 },
        ...(leftOut > 0 ? { leftOut } : {}),
      },
      'Slow query',
    );
    leftOut = 0;
  };
}
