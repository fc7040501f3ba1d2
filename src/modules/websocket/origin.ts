import type { IncomingMessage } from 'node:http';

/** Which pages may open sockets. */
export interface OriginPolicy {
  /** Origins; `*` is any. */
  readonly allowed: readonly string[];
  /** Whether there are proxies in front of us, whose `X-Forwarded-Host` is the name that the browser called. */
  readonly behindProxy: boolean;
}

/**
 * Whether a handshake comes from a page that may open a socket: from an allowed origin, or from this server's own host. CORS does not hold for
 * WebSockets, so it is judged here. Clients that are no browsers send no origin.
 *
 * The scheme is not compared, since whoever ends TLS in front of us speaks HTTP to us. What a forged `Host` or `X-Forwarded-Host` could win is
 * nothing: browsers let no page set either for a WebSocket, and for polling only after a preflight, which is answered for allowed origins only;
 * and a socket is opened by a token, never by a cookie, so a page that gets this far can do no more than any program.
 */
export function mayConnect({ headers }: Pick<IncomingMessage, 'headers'>, policy: OriginPolicy): boolean {
  const { origin } = headers;
  if (origin === undefined || policy.allowed.includes('*') || policy.allowed.includes(origin)) return true;
  const page = URL.canParse(origin) ? new URL(origin) : undefined;
  if (page?.origin !== origin || !['http:', 'https:'].includes(page.protocol)) return false;
  const forwarded = policy.behindProxy ? last(headers['x-forwarded-host']) : undefined;
  return isHost(page, forwarded ?? headers.host);
}

/** Read as part of an address of the page's scheme, so that its default port may be there or not. */
function isHost(page: URL, host: string | undefined): boolean {
  // What is more than a host would be read as a part of the address that it is not.
  if (host === undefined || !/^[^\s/?#@\\]+$/.test(host)) return false;
  const address = `${page.protocol}//${host}`;
  return URL.canParse(address) && new URL(address).host === page.host;
}

/** What the proxy that is next to us has added. */
const last = (header: string | readonly string[] | undefined): string | undefined =>
  header === undefined ? undefined : [header].flat().join(',').split(',').at(-1)?.trim();
