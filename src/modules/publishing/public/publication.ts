import type { Id } from '../../../common/index.js';
import { parseJsonFilter, type ViewScope } from '../../../query/index.js';
import type { EndpointLimit } from '../../auth/index.js';
import type { FrozenView, Reader } from '../../views/index.js';
import type { ApiKeyEntity } from '../keys/api-key.entity.js';
import { networkList } from '../keys/network.js';
import type { Quota } from '../keys/quotas.js';
import type { ContractColumn } from '../settings/contract.js';
import type { AuthMode, ViewApiEntity } from '../settings/view-api.entity.js';
import { DEFINITION } from './public-problems.js';

/** A published view as it is read: all that a request has to know, in memory. */
export interface Publication {
  readonly viewId: Id;
  readonly slug: string;
  readonly version: number;
  /** When it began, in milliseconds: versions begin anew with a publication that follows one that was ended. */
  readonly since: number;
  readonly auth: AuthMode;
  readonly title: string;
  readonly cacheSeconds: number;
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

/** What a publication is made of, as it is stored. */
export interface StoredPublication {
  readonly api: ViewApiEntity;
  readonly keys: readonly ApiKeyEntity[];
  readonly title: string;
  readonly timeZone: string;
}

export function publicationOf({ api, keys, title, timeZone }: StoredPublication): Publication {
  const { viewId, slug, version, auth, cacheSeconds, corsOrigins, maxLimit, page, columns, workspaceId } = api;
  const { staleIfErrorSeconds } = api;
  const { definition, pins, filterable, sortable } = api;
  const limit = { limit: api.rateLimit, windowSeconds: api.rateWindowSeconds };
  const scope = { filterable, sortable };
  return {
    ...{
      viewId,
      slug,
      version,
      since: api.createdAt.getTime(),
      auth,
      title,
      cacheSeconds,
      staleIfErrorSeconds,
      limit,
      corsOrigins,
      maxLimit,
      page,
      columns,
    },
    frozen: { definition, pins },
    reader: { workspaceId, timeZone },
    scope,
    keys: new Map(keys.map((key) => [key.hash.toString('base64url'), publicKeyOf(key, limit, scope)])),
  };
}

function publicKeyOf(key: ApiKeyEntity, limit: EndpointLimit, { filterable, sortable }: ViewScope): PublicKey {
  const { id, columns, filter, rateLimit, rateWindowSeconds, allowedAddresses, expiresAt, quotaLimit, quotaPer } = key;
  // What a key does not see it cannot find out by filtering or sorting either.
  const seen = (keys: readonly string[]) => (columns ? keys.filter((each) => columns.includes(each)) : keys);
  const networks = allowedAddresses && networkList(allowedAddresses);
  return {
    id,
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
