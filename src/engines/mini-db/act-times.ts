import type { Id } from '../../common/index.js';
import { sql, value, type Sql } from '../../query/index.js';

/*
 * An act (`change_set`) is found in a log without an index of its own, which each write would pay for: its id is a UUIDv7 (RFC 9562, 5.7), whose first
 * 48 bits are the time at which the act began, and the time of entries has an index.
 */

/** Entries of which times to look at, in milliseconds since 1970, and whether there may be more of an act that are later. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

const MINUTE = 60_000;

/** Time that passes between two entries of an act at most: PostgreSQL ends a statement after seconds, and imports, which may rest, are told apart. */
const GAP = 5 * MINUTE;

/**
 * When entries of an act may have been made, the likely first: minutes, in which there are few others; hours, if the clock of the node was wrong or the
 * act long; up to now. None where the id tells no time.
 */
export function windowsOf(act: Id): readonly Window[] {
  if (act.charAt(14) !== '7') return [];
  const began = Number.parseInt(act.replaceAll('-', '').slice(0, 12), 16);
  // Ids are taken from whoever asks: one from far ahead is none of ours, and no time that PostgreSQL knows.
  if (began > Date.now() + 24 * 60 * MINUTE) return [];
  const minutes = { from: began - 2 * GAP, to: began + 4 * GAP };
  const hours = { from: began - 60 * MINUTE, to: began + 420 * MINUTE };
  return [minutes, hours, { ...hours, to: Infinity }];
}

export const ANY_TIME: Window = { from: -Infinity, to: Infinity };

export const within = ({ from, to }: Window): Sql =>
  from === -Infinity
    ? sql`true`
    : to === Infinity
      ? sql`at >= ${time(from)}`
      : sql`at >= ${time(from)} and at < ${time(to)}`;

/** Whether it is certain of the entries that are found within that there are no others of their act outside. */
export const isWholeWithin = ({ from, to }: Window): Sql =>
  from === -Infinity
    ? sql`true`
    : to === Infinity
      ? sql`bool_and(at >= ${time(from + GAP)})`
      : sql`bool_and(source <> 'import' and at >= ${time(from + GAP)} and at < ${time(to - GAP)})`;

const time = (ms: number): Sql => value(new Date(ms).toISOString(), 'timestamptz');
