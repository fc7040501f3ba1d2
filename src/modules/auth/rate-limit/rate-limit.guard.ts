import { Injectable, type ExecutionContext } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerRequest } from '@nestjs/throttler';
import { Problem, type AppReply, type AppRequest } from '../../../common/index.js';

/**
 * Refuses who calls too often (429), and tells everybody on limited routes how much is left
 * (draft-ietf-httpapi-ratelimit-headers). Runs after the auth guard, so that people are counted and not their shared address.
 */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  protected override async getTracker(request: AppRequest): Promise<string> {
    return request.principal?.userId ?? (await super.getTracker(request));
  }

  /** One count for all routes of a limit, not one per route. */
  protected override generateKey(_context: ExecutionContext, tracker: string, name: string): string {
    return `${name}:${tracker}`;
  }

  protected override async handleRequest(limited: ThrottlerRequest): Promise<boolean> {
    const { context, limit, ttl, throttler } = limited;
    const request = context.switchToHttp().getRequest<AppRequest>();
    const reply = context.switchToHttp().getResponse<AppReply>();
    const name = throttler.name ?? 'default';
    const key = limited.generateKey(context, await limited.getTracker(request, context), name);
    const hit = await this.storageService.increment(key, ttl, limit, 0, name);
    append(reply, 'ratelimit-policy', `"${name}";q=${limit};w=${ttl / 1000}`);
    append(reply, 'ratelimit', `"${name}";r=${Math.max(0, limit - hit.totalHits)};t=${hit.timeToExpire}`);
    if (hit.isBlocked) throw tooMany(hit.timeToBlockExpire);
    return true;
  }
}

/** Both headers are lists (RFC 9651, section 3.1): a route may count towards several limits. */
function append(reply: AppReply, header: string, item: string): void {
  const before = reply.getHeader(header);
  reply.header(header, typeof before === 'string' ? `${before}, ${item}` : item);
}

const tooMany = (seconds: number): Problem =>
  new Problem('rate_limited', {
    detail: `Too many requests. Try again in ${seconds} seconds.`,
    headers: { 'Retry-After': String(seconds) },
  });
