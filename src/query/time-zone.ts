export const DEFAULT_TIME_ZONE = 'UTC';

/**
 * A region and a place in it, or UTC. Short names are left out, for IST is India here and Israel in PostgreSQL, where CET has no
 * summer; so are offsets, whose sign it reads the other way round, and names that ICU alone has, which it takes for offsets.
 */
const NAME = /^(?:UTC|(?!SystemV\/)[A-Za-z][A-Za-z_]{0,31}(?:\/[A-Za-z0-9_+-]{1,31}){1,2})$/i;

/** Whether it is a name of the IANA time zone database that says the same everywhere. */
export function isTimeZone(name: string): boolean {
  if (!NAME.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const clocks = new Map<string, Intl.DateTimeFormat>();
const MAX_CLOCKS = 100;

function clockOf(zone: string): Intl.DateTimeFormat {
  const known = clocks.get(zone);
  if (known) return known;
  const numbers = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
  const clock = new Intl.DateTimeFormat('en', {
    ...numbers, second: '2-digit', era: 'short', hourCycle: 'h23', timeZone: zone,
  }); // prettier-ignore
  if (clocks.size >= MAX_CLOCKS) clocks.clear();
  clocks.set(zone, clock);
  return clock;
}

/** What calendar and clock on a wall of the zone show at an instant, as if it were UTC: milliseconds, fractions of seconds left out. */
export function wallClock(instant: Date, zone: string): number {
  const parts = new Map(
    clockOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
  const year = parts.get('era')?.startsWith('B') ? 1 - part('year') : part('year');
  const shown = new Date(0);
  shown.setUTCFullYear(year, part('month') - 1, part('day'));
  return shown.setUTCHours(part('hour'), part('minute'), part('second'));
}
