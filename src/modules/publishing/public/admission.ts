import { Injectable } from '@nestjs/common';
import { notFound, Problem, type AppReply, type AppRequest } from '../../../common/index.js';
import { EndpointLimits } from '../../auth/index.js';
import { Quotas } from '../keys/quotas.js';
import { versionIn } from '../public-path.js';
import { CallCounter } from '../usage/call-counter.js';
import { allowOrigin, vary } from './cors.js';
import { tellSuccession } from './deprecation.js';
import { keyOf } from './key-of.js';
import type { Publication, PublicKey, Visit } from './publication.js';
import { Publications } from './publications.js';
import { tallyOf } from './tally.js';

/** Addresses that nobody published, asked for from one address. */
const STRANGERS = { limit: 120, windowSeconds: 60 };

/**
 * Who may read a published view: whoever knows the address, or has a key of it. Before anything of the question is looked at, so that a stranger
 * learns nothing from it: what was never published and what is disabled are the same 404, a key that is missing, wrong, expired, revoked or
 * used from elsewhere is the same 401.
 */
@Injectable()
export class Admission {
  constructor(
    private readonly publications: Publications,
    private readonly limits: EndpointLimits,
    private readonly quotas: Quotas,
    private readonly calls: CallCounter,
  ) {}

  /** What is published at the address, and who may read it from a page; counted is only who finds nothing. @throws Problem `not_found`, `rate_limited` */
  async find(request: AppRequest, reply: AppReply): Promise<Publication> {
    const { slug = '', apiVersion } = request.params as { slug?: string; apiVersion?: string };
    const publication = await this.publications.find(slug, versionIn(apiVersion));
    if (!publication) {
      await this.limits.count(reply, `nothing:${this.limits.addressOf(request.ip)}`, STRANGERS);
      throw notFound('publication');
    }
    allowOrigin(publication, request, reply);
    tellSuccession(publication, reply);
    return publication;
  }

  /** Lets a reader in: the call counts towards limits, quotas and use. @throws Problem `not_found`, `api_key_invalid`, `rate_limited` */
  async admit(request: AppRequest, reply: AppReply): Promise<Visit> {
    const publication = await this.find(request, reply);
    const key = publication.auth === 'key' ? keyOf(publication, request) : undefined;
    this.countWhenAnswered(publication, key, request, reply);
    const { viewId, scope } = publication;
    const byAddress = `${viewId}:${this.limits.addressOf(request.ip)}`;
    if (publication.auth === 'public') {
      await this.limits.count(reply, byAddress, publication.limit);
      return { publication, scope };
    }
    vary(reply, 'Authorization', 'X-API-Key');
    await this.limits.count(reply, key ? `${viewId}:key:${key.id}` : byAddress, key?.limit ?? publication.limit);
    if (!key) throw new Problem('api_key_invalid', { headers: { 'www-authenticate': 'Bearer' } });
    if (key.quota) await this.quotas.count(reply, key.id, key.quota);
    return { publication, key, scope: key.scope };
  }

  private countWhenAnswered(
    { viewId, slug, apiVersion }: Publication,
    key: PublicKey | undefined,
    request: AppRequest,
    reply: AppReply,
  ): void {
    const keyId = key?.id;
    reply.raw.once('close', () => {
      const { rows, bytes, isCached, isStream } = tallyOf(request);
      const { statusCode: status, elapsedTime: ms } = reply;
      this.calls.count({ viewId, slug, apiVersion, keyId, status, isCached, rows, bytes, ms, isStream });
    });
  }
}
