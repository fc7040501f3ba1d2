import { wallClock } from './time-zone.js';

/*
 * Between instants and what calendar and clock on a wall show in a time zone. A wall time is kept as a Date that shows it in UTC,
 * so that calendar arithmetic on it is that of UTC and knows nothing of summer time.
 */

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** No zone was ever further from UTC. */
const FARTHEST = 16 * HOUR;

/** What the wall shows at an instant, to the millisecond. */
export function wallTime(instant: Date, zone: string): Date {
  if (zone === 'UTC') return instant;
  const fraction = ((instant.getTime() % SECOND) + SECOND) % SECOND;
  return new Date(wallClock(instant, zone) + fraction);
}

/** The day of the calendar at an instant, `YYYY-MM-DD`. */
export const localDate = (instant: Date, zone: string): string => wallTime(instant, zone).toISOString().slice(0, 10);

/**
 * The first instant at which the wall shows this time. One that is skipped (a gap where summer time begins, or a whole day where a
 * country changed sides of the date line) ends where the clock goes on.
 */
export function instantOf(wall: Date, zone: string): Date {
  if (zone === 'UTC') return wall;
  const shown = wall.getTime();
  const offsets = [-DAY, 0, DAY].map((around) => offsetAt(shown + around, zone));
  const instants = offsets.map((offset) => shown - offset).filter((at) => at + offsetAt(at, zone) === shown);
  return new Date(instants.length > 0 ? Math.min(...instants) : firstBehind(shown, zone));
}

function offsetAt(at: number, zone: string): number {
  const instant = new Date(at);
  return wallTime(instant, zone).getTime() - at;
}

/** The second at which the wall jumps over this time. */
function firstBehind(shown: number, zone: string): number {
  let before = Math.floor((shown - FARTHEST) / SECOND);
  let behind = Math.ceil((shown + FARTHEST) / SECOND);
  while (behind - before > 1) {
    const middle = Math.floor((before + behind) / 2);
    const at = middle * SECOND;
    if (at + offsetAt(at, zone) < shown) before = middle;
    else behind = middle;
  }
  return behind * SECOND;
}
