import { invalid } from '../../../common/index.js';

/** Where a webhook is sent to, as it is connected to. */
export interface WebhookTarget {
  readonly isSecure: boolean;
  /** Name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** As `Host` says it. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
}

/**
 * The parts of a webhook's address. Odd forms of addresses (`http://2130706433`) come out as what they mean.
 * @throws Problem `validation_failed` it is no address of HTTP, has a user, password or fragment, or is not encrypted where it has to be
 */
export function targetOfUrl(url: string, mayBePlain: boolean): WebhookTarget {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isSecure = parsed?.protocol === 'https:';
  if (!parsed || (!isSecure && parsed.protocol !== 'http:'))
    throw refused('It must be an address that begins with https://.');
  if (!isSecure && !mayBePlain)
    throw refused('It must begin with https://: what is sent would be readable on its way.');
  if (parsed.username || parsed.password) throw refused('It must have no user and password; messages are signed.');
  if (parsed.hash) throw refused('It must have no fragment (#): nothing of it is ever sent.');
  return {
    isSecure,
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? (isSecure ? 443 : 80) : Number(parsed.port),
    authority: parsed.host,
    path: parsed.pathname + parsed.search,
  };
}

const refused = (detail: string) => invalid([{ pointer: '/url', code: 'url_invalid', detail }]);
