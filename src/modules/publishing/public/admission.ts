import { Injectable } from '@nestjs/common';
import { notFound, Problem, type AppReply, type AppRequest, type HeaderSink } from '../../../common/index.js';
import { EndpointLimits } from '../../auth/index.js';
import { Quotas } from '../keys/quotas.js';
import { versionIn } from '../public-path.js';
import { CallCounter } from '../usage/call-counter.js';
import { allowOrigin, vary } from './cors.js';
import { tellSuccession } from './deprecation.js';
import { keyOf } from './key-of.js';
import type { Admitted, Publication, Remembered, Visit } from './publication.js';
import { Publications } from './publications.js';
import { tallyOf, type Tally } from './tally.js';

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
      await this.limits.count(reply, this.limits.counterOf(`nothing:${this.limits.addressOf(request.ip)}`, STRANGERS));
      throw notFound('publication');
    }
    allowOrigin(publication, request, reply);
    tellSuccession(publication, reply);
    return publication;
  }

  /** Lets a reader in: the call counts towards limits, quotas and use. @throws Problem `not_found`, `api_key_invalid`, `rate_limited` */
  async admit(request: AppRequest, reply: AppReply): Promise<Admitted> {
    const publication = await this.find(request, reply);
    const key = publication.auth === 'key' ? keyOf(publication, request) : undefined;
    reply.raw.once('close', () => {
      this.countCall({ publication, key }, reply.statusCode, reply.elapsedTime, tallyOf(request));
    });
    const { viewId, limit, scope } = publication;
    const by = key ? `key:${key.id}` : this.limits.addressOf(request.ip);
    const counter = this.limits.counterOf(`${viewId}:${by}`, key?.limit ?? limit);
    if (publication.auth === 'public') {
      await this.limits.count(reply, counter);
      return { publication, scope, counter };
    }
    vary(reply, 'Authorization', 'X-API-Key');
    await this.limits.count(reply, counter);
    if (!key) throw new Problem('api_key_invalid', { headers: { 'www-authenticate': 'Bearer' } });
    if (key.quota) await this.quotas.count(reply, key.id, key.quota);
    return { publication, key, scope: key.scope, counter };
  }

  /**
   * A reader who was let in, where he would be again, by what is in memory and without being counted: the publication is what it was, his key has not
   * ended, limit and quota have room. Undefined is not a refusal: then it has to be asked in full.
   */
  wouldAdmit(remembered: Remembered): Visit | undefined {
    const publication = this.publications.known(remembered);
    if (!publication || !this.limits.hasRoom(remembered.counter)) return undefined;
    const { keyHash } = remembered;
    if (keyHash === undefined) return { publication, scope: publication.scope };
    const key = publication.keys.get(keyHash);
    if (!key || key.expiresAt <= Date.now() || (key.quota && !this.quotas.hasRoom(key.id))) return undefined;
    return { publication, key, scope: key.scope };
  }

  /** Lets him in once more, and counts that as {@link admit} does, all but the use, which is counted when he was answered. Undefined: nothing was counted. */
  admitAgain(remembered: Remembered, headers: HeaderSink): Visit | undefined {
    const visit = this.wouldAdmit(remembered);
    if (!visit) return undefined;
    const { key } = visit;
    this.limits.countKnown(headers, remembered.counter);
    return key?.quota === undefined || this.quotas.countKnown(headers, key.id, key.quota) ? visit : undefined;
  }

  /** Counts a call that was answered, or whose reader has gone, towards the use. */
  countCall({ publication, key }: Pick<Visit, 'publication' | 'key'>, status: number, ms: number, tally: Tally): void {
    const { viewId, slug, apiVersion } = publication;
    this.calls.count({ viewId, slug, apiVersion, keyId: key?.id, status, ms, ...tally });
  }
}
