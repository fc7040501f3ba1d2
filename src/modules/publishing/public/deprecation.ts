import type { AppReply } from '../../../common/index.js';
import type { Publication } from './publication.js';

/** A version that another has followed, and what its readers are told of that. */
export interface Succession {
  /** Path of the newest version. */
  readonly path: string;
  /** When it was published, and when this one ends, in milliseconds; Infinity: nobody has said. */
  readonly since: number;
  readonly until: number;
}

/** Tells that there is a newer version (RFC 9745), and when this one ends (RFC 8594). */
export function tellSuccession({ succession }: Publication, reply: AppReply): void {
  if (!succession) return;
  const { since, until } = succession;
  void reply.header('deprecation', `@${Math.floor(since / 1_000)}`).header('link', successorLink(succession));
  if (until !== Infinity) void reply.header('sunset', new Date(until).toUTCString());
}

/** Where the newest version describes itself (RFC 5829). */
export const successorLink = ({ path }: Succession): string => `<${path}/openapi.json>; rel="successor-version"`;
