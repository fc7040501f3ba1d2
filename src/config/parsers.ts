import { isIP } from 'node:net';

/** Turns the text of a variable into its value, or throws an `Error` whose message completes "NAME …", such as "must be …". */
export type Parser<T> = (text: string) => T;

const fail = (expectation: string): never => {
  throw new Error(expectation);
};

/** Any text, as it is. */
export const text: Parser<string> = (value) => value;

/** A comma list of texts, without the blanks around them. */
export const list: Parser<readonly string[]> = (value) => value.split(',').flatMap((item) => item.trim() || []);

/** A whole number between the bounds, both included. */
export const integer =
  (min: number, max: number): Parser<number> =>
  (value) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    return number >= min && number <= max ? number : fail(`must be a whole number from ${min} to ${max}`);
  };

/** A part of a whole: a number from 0 to 1. */
export const share: Parser<number> = (value) =>
  /^\d{1,3}(\.\d{1,12})?$/.test(value) && Number(value) <= 1 ? Number(value) : fail('must be a number from 0 to 1');

/** One word out of a closed list. */
export const oneOf =
  <const T extends string>(...words: readonly T[]): Parser<T> =>
  (value) =>
    words.find((word) => word === value) ?? fail(`must be one of ${words.join(', ')}`);

/** `true` or `false`, with the spellings people use in environment files. */
export const flag: Parser<boolean> = (value) => {
  const word = value.toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  return ['false', '0', 'no', 'off'].includes(word) ? false : fail('must be true or false');
};

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** A time span such as `15m`, `30d` or `900` (seconds); the value is in seconds. */
export const duration =
  (minSeconds: number, maxSeconds: number): Parser<number> =>
  (value) => {
    const [, amount, unit = 's'] = /^(\d{1,9})([smhdw])?$/.exec(value) ?? [];
    const seconds = Number(amount) * (UNITS[unit] ?? NaN);
    return seconds >= minSeconds && seconds <= maxSeconds
      ? seconds
      : fail(`must be a time span from ${minSeconds} to ${maxSeconds} seconds, such as 15m, 12h or 30d`);
  };

/** A word instead of a value. */
export const orForever =
  <T>(parse: Parser<T>): Parser<T | 'forever'> =>
  (value) =>
    value === 'forever' ? 'forever' : parse(value);

/** Exactly 32 bytes as 64 hexadecimal digits. */
export const key32: Parser<Buffer> = (value) =>
  /^[0-9a-f]{64}$/i.test(value) ? Buffer.from(value, 'hex') : fail('must be 64 hexadecimal digits (32 bytes)');

/** A comma list of browser origins; `*` alone is any origin. */
export const origins: Parser<readonly string[]> = (value) => {
  const items = list(value);
  const wellFormed = (item: string) => URL.canParse(item) && /^https?:/.test(item) && new URL(item).origin === item;
  return items.every((item) => item === '*' || wellFormed(item)) && (!items.includes('*') || items.length === 1)
    ? items
    : fail('must be * or a comma list of origins such as https://app.example.com (no path, no slash at the end)');
};

/** Address of web pages: an http or https URL without query; the value has no slash at the end. */
export const webAddress: Parser<string> = (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '')
    return fail('must be an address such as https://app.example.com');
  return url.href.replace(/\/+$/, '');
};

/** Where mails are handed over. */
export const smtpUrl: Parser<string> = (value) =>
  URL.canParse(value) && /^smtps?:$/.test(new URL(value).protocol) && new URL(value).hostname !== ''
    ? value
    : fail('must be smtp://user:password@host:587, or smtps:// for TLS from the first byte');

/** A comma list of {@link key32}s. */
export const keys32: Parser<readonly Buffer[]> = (value) => {
  const items = list(value);
  return items.every((item) => /^[0-9a-f]{64}$/i.test(item))
    ? items.map((item) => Buffer.from(item, 'hex'))
    : fail('must be a comma list of keys of 64 hexadecimal digits (32 bytes) each');
};

/** An address, or a range of them in CIDR notation. */
const isNetwork = (item: string): boolean => {
  const [ip = '', bits, ...rest] = item.split('/');
  const width = isIP(ip) === 6 ? 128 : 32;
  return (
    rest.length === 0 &&
    isIP(ip) !== 0 &&
    !ip.includes('%') &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width))
  );
};

/**
 * HTTP headers as OpenTelemetry writes them in a variable: `name=value,name=value`, values percent-encoded where they have to be
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables). The complaint holds none of it.
 */
export const headerList: Parser<Readonly<Record<string, string>>> = (value) => {
  try {
    return Object.fromEntries(
      list(value).map((item) => {
        const [, name = '', content = ''] = /^([\w!#$%&'*+.^`|~-]+)\s*=\s*(.+)$/.exec(item) ?? [];
        const decoded = decodeURIComponent(content);
        return /^[\x20-\x7e]+$/.test(decoded) ? [name.toLowerCase(), decoded] : fail('');
      }),
    );
  } catch {
    return fail('must be a comma list of headers such as api-key=abc,x-tenant=live-tables');
  }
};

/** A comma list of networks; none is allowed too. */
export const networks: Parser<readonly string[]> = (value) => {
  const items = list(value);
  return items.every(isNetwork) ? items : fail('must be a comma list of networks such as 10.0.0.0/8,fd00::/8');
};

/** How many proxies stand in front, or a comma list of their addresses or CIDR ranges. */
export const proxies: Parser<number | readonly string[]> = (value) => {
  if (/^\d$/.test(value)) return Number(value);
  const items = list(value);
  return items.length > 0 && items.every(isNetwork)
    ? items
    : fail('must be the number of proxies (0 to 9) or a comma list of their addresses, such as 10.0.0.0/8');
};

/** A comma list of media types (RFC 9110, section 8.3.1) without parameters, or of whole families: `image/*`. */
export const mediaTypes: Parser<readonly string[]> = (value) => {
  const items = list(value.toLowerCase());
  return items.every((item) => /^[a-z0-9][\w!#$&^.+-]*\/([a-z0-9][\w!#$&^.+-]*|\*)$/.test(item))
    ? items
    : fail('must be a comma list of media types such as image/*,application/pdf');
};

/** Beginning of object names: folders of plain characters; the value has no slash at either end. */
export const objectPrefix: Parser<string> = (value) =>
  /^[\w.-]+(\/[\w.-]+)*\/?$/.test(value) || value === ''
    ? value.replace(/\/$/, '')
    : fail('must be a path of letters, digits, ".", "_", "-" such as live-tables/files');
