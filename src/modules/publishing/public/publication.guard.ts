import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { must, notFound, Problem, type AppReply, type AppRequest } from '../../../common/index.js';
import { EndpointLimits } from '../../auth/index.js';
import { Quotas } from '../keys/quotas.js';
import { CallCounter } from '../usage/call-counter.js';
import { versionIn } from '../public-path.js';
import { allowOrigin, vary } from './cors.js';
import { tellSuccession } from './deprecation.js';
import { keyOf } from './key-of.js';
import type { Publication, PublicKey, Visit } from './publication.js';
import { Publications } from './publications.js';
import { tallyOf } from './tally.js';

/** Addresses that nobody published, asked for from one address. */
const STRANGERS = { limit: 120, windowSeconds: 60 };

const visits = new WeakMap<AppRequest, Visit>();

/** What the guard found out. */
export const CurrentVisit = createParamDecorator((_: unknown, context: ExecutionContext): Visit =>
  must(visits.get(context.switchToHttp().getRequest<AppRequest>()), 'the guard of publications ran before the handler'),
);

/**
 * Who may read a published view: whoever knows the address, or has a key of it. Before anything of the question is looked at, so that a stranger
 * learns nothing from it: what was never published and what is disabled are the same 404, a key that is missing, wrong, expired, revoked or
 * used from elsewhere is the same 401.
 */
@Injectable()
export class PublicationGuard implements CanActivate {
  constructor(
    private readonly publications: Publications,
    private readonly limits: EndpointLimits,
    private readonly quotas: Quotas,
    private readonly calls: CallCounter,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const [request, reply] = [http.getRequest<AppRequest>(), http.getResponse<AppReply>()];
    const { slug = '', apiVersion } = request.params as { slug?: string; apiVersion?: string };
    const publication = await this.publications.find(slug, versionIn(apiVersion));
    if (!publication) {
      await this.limits.count(reply, `nothing:${this.limits.addressOf(request.ip)}`, STRANGERS);
      throw notFound('publication');
    }
    allowOrigin(publication, request, reply);
    tellSuccession(publication, reply);
    // A browser asks before it sends the key: what it is told is the same for everybody.
    if (request.method === 'OPTIONS') return true;
    const key = publication.auth === 'key' ? keyOf(publication, request) : undefined;
    this.countWhenAnswered(publication, key, request, reply);
    visits.set(request, await this.visit(publication, key, request, reply));
    return true;
  }

  private async visit(
    publication: Publication,
    key: PublicKey | undefined,
    request: AppRequest,
    reply: AppReply,
  ): Promise<Visit> {
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
    { viewId, apiVersion }: Publication,
    key: PublicKey | undefined,
    request: AppRequest,
    reply: AppReply,
  ): void {
    reply.raw.once('close', () =>
      this.calls.count({
        ...tallyOf(request),
        ...{ viewId, apiVersion, keyId: key?.id, status: reply.statusCode, ms: reply.elapsedTime },
      }),
    );
  }
}
