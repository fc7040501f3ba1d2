import type { Id } from '../../../common/index.js';
import { parseJsonFilter, type ViewScope } from '../../../query/index.js';
import type { EndpointCounter, EndpointLimit } from '../../auth/index.js';
import type { FrozenView, Reader } from '../../views/index.js';
import type { ApiKeyEntity } from '../keys/api-key.entity.js';
import { networkList } from '../keys/network.js';
import type { Quota } from '../keys/quotas.js';
import { publicPath } from '../public-path.js';
import type { FormerVersionEntity } from '../settings/former-version.entity.js';
import type { AuthMode, ContractColumn } from '../settings/published-contract.js';
import type { ViewApiEntity } from '../settings/view-api.entity.js';
import type { Succession } from './deprecation.js';
import { DEFINITION } from './public-problems.js';

/** A version of a published view as it is read: all that a request has to know, in memory. */
export interface Publication {
  /** No other object has it: for what is kept longer, and must not keep all that was made of the publication in memory. */
  readonly edition: number;
  readonly viewId: Id;
  readonly slug: string;
  readonly apiVersion: number;
  /** Where it is on this host. */
  readonly path: string;
  /** Undefined for the newest version. */
  readonly succession: Succession | undefined;
  readonly version: number;
  /** When it began, in milliseconds: versions begin anew with a publication that follows one that was ended. */
  readonly since: number;
  readonly auth: AuthMode;
  readonly title: string;
  readonly cacheSeconds: number;
  readonly staleWhileRevalidateSeconds: number;
  readonly staleIfErrorSeconds: number;
  readonly limit: EndpointLimit;
  readonly corsOrigins: readonly string[];
  readonly maxLimit: number;
  readonly page: boolean;
  readonly frozen: FrozenView;
  readonly columns: readonly ContractColumn[];
  readonly reader: Reader;
  /** What everybody has of it who needs no key. */
  readonly scope: ViewScope;
  /** By the hash of the key, in base64url. */
  readonly keys: ReadonlyMap<string, PublicKey>;
}

/** A key of a publication, and what it opens. */
export interface PublicKey {
  readonly id: Id;
  /** By which {@link Publication.keys} has it. */
  readonly hash: string;
  readonly expiresAt: number;
  readonly limit: EndpointLimit;
  readonly quota: Quota | undefined;
  readonly scope: ViewScope;
  /** Whether it may be used from this address. */
  isAllowedFrom(ip: string): boolean;
}

/** Who reads what of it, once that is clear. */
export interface Visit {
  readonly publication: Publication;
  readonly key?: PublicKey;
  readonly scope: ViewScope;
}

/** A reader who was let in. */
export interface Admitted extends Visit {
  /** What calls are counted by: the key, or the address where there is none. */
  readonly counter: EndpointCounter;
}

/** A reader who was let in, by names alone: good for as long as the publication is the same object in memory. */
export interface Remembered extends Pick<Admitted, 'counter'>, Pick<Publication, 'slug' | 'apiVersion' | 'edition'> {
  readonly keyHash: string | undefined;
}

/** What a publication is made of, as it is stored. */
export interface StoredPublication {
  readonly api: ViewApiEntity;
  /** Versions that go on beside the newest. */
  readonly formers: readonly FormerVersionEntity[];
  readonly keys: readonly ApiKeyEntity[];
  readonly title: string;
  readonly timeZone: string;
}

/** Each version by its number. */
export function publicationsOf({ api, formers, ...more }: StoredPublication): ReadonlyMap<number, Publication> {
  const newest = publicPath(api.slug, api.apiVersion);
  return new Map([
    [api.apiVersion, publicationOf(api, undefined, more)],
    ...formers.map(({ deprecatedAt, sunsetAt, ...former }) => {
      const succession = { path: newest, since: deprecatedAt.getTime(), until: sunsetAt?.getTime() ?? Infinity };
      return [former.apiVersion, publicationOf({ ...api, ...former }, succession, more)] as const;
    }),
  ]);
}

let editions = 0;

function publicationOf(
  api: ViewApiEntity,
  succession: Succession | undefined,
  { keys, title, timeZone }: Omit<StoredPublication, 'api' | 'formers'>,
): Publication {
  const { viewId, slug, apiVersion, version, auth, cacheSeconds, corsOrigins, maxLimit } = api;
  const {
    staleWhileRevalidateSeconds,
    staleIfErrorSeconds,
    page,
    columns,
    workspaceId,
    definition,
    pins,
    filterable,
    sortable,
  } = api;
  const limit = { limit: api.rateLimit, windowSeconds: api.rateWindowSeconds };
  const scope = { filterable, sortable };
  const opening = auth === 'key' ? keys.filter((key) => opens(key, api)) : [];
  return {
    edition: (editions += 1),
    ...{ viewId, slug, apiVersion, path: publicPath(slug, apiVersion), succession, version },
    since: api.createdAt.getTime(),
    ...{ auth, title, cacheSeconds, staleWhileRevalidateSeconds, staleIfErrorSeconds },
    ...{ limit, corsOrigins, maxLimit, page, columns },
    frozen: { definition, pins },
    reader: { workspaceId, timeZone },
    scope,
    keys: new Map(opening.map((key) => publicKeyOf(key, limit, api)).map((key) => [key.hash, key])),
  };
}

/** Not the versions that it is not for, nor one that shows none of its columns. */
const opens = ({ versions, columns: keys }: ApiKeyEntity, { apiVersion, columns }: ViewApiEntity): boolean =>
  (versions?.includes(apiVersion) ?? true) && (keys === null || columns.some(({ key }) => keys.includes(key)));

function publicKeyOf(key: ApiKeyEntity, limit: EndpointLimit, api: ViewApiEntity): PublicKey {
  const { filterable, sortable } = api;
  const columns = key.columns?.filter((each) => api.columns.some((column) => column.key === each)) ?? null;
  const { id, filter, rateLimit, rateWindowSeconds, allowedAddresses, expiresAt, quotaLimit, quotaPer } = key;
  // What a key does not see it cannot find out by filtering or sorting either.
  const seen = (keys: readonly string[]) => (columns ? keys.filter((each) => columns.includes(each)) : keys);
  const networks = allowedAddresses && networkList(allowedAddresses);
  return {
    id,
    hash: key.hash.toString('base64url'),
    expiresAt: expiresAt?.getTime() ?? Infinity,
    limit:
      rateLimit !== null && rateWindowSeconds !== null ? { limit: rateLimit, windowSeconds: rateWindowSeconds } : limit,
    quota: quotaLimit !== null && quotaPer !== null ? { limit: quotaLimit, per: quotaPer } : undefined,
    scope: {
      ...(columns ? { columns } : {}),
      // Whatever is wrong with it by now is not about what the reader asks, who must not learn from it which rows he does not see.
      ...(filter ? { filter: parseJsonFilter(filter, `${DEFINITION}/key`) } : {}),
      filterable: seen(filterable),
      sortable: seen(sortable),
    },
    isAllowedFrom: (ip) => networks === null || networks(ip),
  };
}
