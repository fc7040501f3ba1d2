import { Injectable, type ExecutionContext } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerGetTrackerFunction } from '@nestjs/throttler';
import { LIMITED_BY, must, type AppReply, type AppRequest, type LimitName } from '../../../common/index.js';
import { announce, policyOf } from './announce.js';

/** What `@SkipThrottle()` leaves on a route or a controller; the package does not export its name. */
const SKIPPED = 'THROTTLER:SKIPdefault';

/** A limit with all that is needed to count one request. */
interface Limit {
  readonly name: string;
  readonly limit: number;
  readonly ttl: number;
  /** As the policy header tells it. */
  readonly policy: string;
  readonly trackerOf?: ThrottlerGetTrackerFunction;
}

/**
 * Refuses who calls too often (429), and tells everybody on limited routes how much is left
 * (draft-ietf-httpapi-ratelimit-headers). Runs after the auth guard, so that people are counted and not their shared address.
 * The throttler's own `canActivate` reads a dozen pieces of metadata on each request; here a route's limits are read once.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  private readonly limitsOfRoutes = new WeakMap<object, readonly Limit[]>();

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<AppRequest>();
    const reply = http.getResponse<AppReply>();
    for (const limit of this.limitsOf(context)) await this.count(limit, request, reply, context);
    return true;
  }

  private async count(limit: Limit, request: AppRequest, reply: AppReply, context: ExecutionContext): Promise<void> {
    const { name, trackerOf } = limit;
    const tracker = trackerOf ? await trackerOf(request, context) : await this.getTracker(request);
    // One count for all routes of a limit, not one per route.
    const hit = await this.storageService.increment(`${name}:${tracker}`, limit.ttl, limit.limit, 0, name);
    announce(reply, limit, hit);
  }

  protected override async getTracker(request: AppRequest): Promise<string> {
    return request.principal?.userId ?? (await super.getTracker(request));
  }

  private limitsOf(context: ExecutionContext): readonly Limit[] {
    const handler = context.getHandler();
    let limits = this.limitsOfRoutes.get(handler);
    if (!limits) {
      limits = this.namesOf(context).map((name) => this.limit(name));
      this.limitsOfRoutes.set(handler, limits);
    }
    return limits;
  }

  private namesOf(context: ExecutionContext): readonly LimitName[] {
    const marks = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(SKIPPED, marks) === true) return [];
    return this.reflector.get<readonly LimitName[] | undefined>(LIMITED_BY, context.getHandler()) ?? ['default'];
  }

  private limit(name: LimitName): Limit {
    const found = must(
      this.throttlers.find((throttler) => throttler.name === name),
      'every limit has its throttler',
    );
    const [limit, ttl] = [Number(found.limit), Number(found.ttl)];
    return { name, limit, ttl, policy: policyOf(name, limit, ttl), trackerOf: found.getTracker };
  }
}
