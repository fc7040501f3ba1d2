import type { Row } from '../harness/index.js';
import type { HeldTable } from '../support/change-feed.js';
import type { Follower } from './follower.js';
import type { History } from './history.js';

/** What there is in the end, and what clients were told before. */
export interface Evidence {
  readonly history: History;
  readonly rows: readonly Row[];
  /** The table as its log makes it. */
  readonly held: HeldTable['rows'];
  /** Newest number of the log. */
  readonly head: number;
  readonly followers: readonly Pick<Follower, 'flaws' | 'resets' | 'position'>[];
  readonly counterId: string;
  readonly bulkSize: number;
  /** Nodes that ended by themselves, and stops that were not clean. */
  readonly wrong: readonly string[];
  readonly unclean: readonly string[];
  /** Undefined: never. */
  readonly revokedMs: number | undefined;
}

/** By promise, what broke it. */
export function judge(evidence: Evidence): Readonly<Record<string, readonly string[]>> {
  const { history, rows, held, head, followers, counterId, bulkSize, wrong, unclean, revokedMs } = evidence;
  const versions = new Map(rows.map(({ id, version }) => [id, version]));
  const named = new Map<unknown, number>();
  for (const { fields } of rows) named.set(fields.name, (named.get(fields.name) ?? 0) + 1);
  const rowsOf = (name: string) => named.get(name) ?? 0;
  const counted = Number(rows.find(({ id }) => id === counterId)?.fields.qty);
  return {
    'a 2xx is durable': [...history.acknowledged]
      .filter(([id, version]) => (versions.get(id) ?? 0) < version)
      .map(([id, version]) => `${id} is not there in version ${version}`),
    'all or nothing, and the log is the table': [
      ...[...history.bulks.keys()]
        .filter((name) => ![0, bulkSize].includes(rowsOf(name)))
        .map((name) => `${name}: ${rowsOf(name)} rows of ${bulkSize}`),
      ...rows
        .filter(({ id, version, fields }) => {
          const other = held.get(id);
          return other?.version !== version || other.fields.qty !== fields.qty;
        })
        .map(({ id }) => `${id} is another in the log`),
      ...(held.size === rows.length ? [] : [`${held.size} rows in the log, ${rows.length} in the table`]),
    ],
    'retries are safe': [
      ...[...history.created]
        .filter(([name, ids]) => ids.size !== 1 || rowsOf(name) !== 1)
        .map(([name, ids]) => `${name}: ${rowsOf(name)} rows, ${ids.size} ids were told`),
      ...[...history.bulks]
        .filter(([name, told]) => rowsOf(name) !== told)
        .map(([name, told]) => `${name}: ${rowsOf(name)} rows, ${told} were told`),
    ],
    'lost updates are avoidable':
      counted === history.increments ? [] : [`${history.increments} increments were told, ${counted} are counted`],
    'no silent gap, nothing twice': followers.flatMap(({ flaws, position, resets }) => [
      ...flaws,
      ...resets.map((reason) => `reset: ${reason}`),
      ...((position?.seq ?? 0) >= head ? [] : [`stopped at ${position?.seq ?? 0} of ${head}`]),
    ]),
    'the process stays up, and answers no error of its own': [...history.wrong, ...wrong],
    'a stop is clean': unclean,
    'revocation is real': revokedMs === undefined ? ['a member who was removed was let in all the time'] : [],
  };
}
