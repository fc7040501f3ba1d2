/** From 0000-03-01, where {@link civilDay} begins to count, to 2000-01-01. */
const DAYS_TO_2000 = 730_425;

/**
 * The day of the proleptic Gregorian calendar as year × 512 + month × 32 + day, by eras of 400 years that begin in March, so that the day that leap
 * years have more is a year's last (H. Hinnant, chrono-compatible low-level date algorithms, civil_from_days).
 */
export function civilDay(days: number): number {
  const since = days + DAYS_TO_2000;
  const era = Math.floor(since / 146_097);
  const ofEra = since - era * 146_097;
  const yearOfEra = ((ofEra - ((ofEra / 1460) | 0) + ((ofEra / 36_524) | 0) - ((ofEra / 146_096) | 0)) / 365) | 0;
  const ofYear = ofEra - (365 * yearOfEra + (yearOfEra >> 2) - ((yearOfEra / 100) | 0));
  const fromMarch = ((5 * ofYear + 2) / 153) | 0;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const day = ofYear - (((153 * fromMarch + 2) / 5) | 0) + 1;
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0)) * 512 + month * 32 + day;
}

/** `YYYY-MM-DD`, with more digits and ` BC` where it takes them. */
export function dayText(days: number): string {
  const civil = civilDay(days);
  const year = Math.floor(civil / 512);
  const ofYear = civil - year * 512;
  const pad = (n: number, length: number): string => String(n).padStart(length, '0');
  const text = `${pad(year < 1 ? 1 - year : year, 4)}-${pad(ofYear >> 5, 2)}-${pad(ofYear & 31, 2)}`;
  return year < 1 ? `${text} BC` : text;
}

const DAY_US = 86_400_000_000n;
const INFINITE: ReadonlyMap<bigint, string> = new Map([
  [2n ** 63n - 1n, 'infinity'],
  [-(2n ** 63n), '-infinity'],
]);

/** As PostgreSQL writes a timestamp, of microseconds since 2000-01-01. */
export function oddInstant(micros: bigint, zone: string): string {
  const infinite = INFINITE.get(micros);
  if (infinite !== undefined) return infinite;
  const ofDay = Number(((micros % DAY_US) + DAY_US) % DAY_US);
  const text = dayText(Number((micros - BigInt(ofDay)) / DAY_US));
  const [day, era] = text.endsWith(' BC') ? [text.slice(0, -' BC'.length), ' BC'] : [text, ''];
  const time = new Date(Math.floor(ofDay / 1000)).toISOString().slice('1970-01-01T'.length, -'.000Z'.length);
  const fraction = `.${String(ofDay % 1_000_000).padStart(6, '0')}`.replace(/\.?0+$/, '');
  return `${day} ${time}${fraction}${zone}${era}`;
}
