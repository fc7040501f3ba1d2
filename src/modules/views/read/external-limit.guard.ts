import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { must, type AppReply, type AppRequest } from '../../../common/index.js';
import { ExternalLimit } from '../../auth/index.js';
import { ViewCatalog } from '../stored/view-catalog.js';

/**
 * Views that ask external databases count towards their limit, besides that of all requests; those of tables of ours do not. Behind the guard of access: whoever does
 * not see a view is not told by a header what it is made of.
 */
@Injectable()
export class ExternalLimitGuard implements CanActivate {
  constructor(
    private readonly catalog: ViewCatalog,
    private readonly limit: ExternalLimit,
  ) {}

  /** @throws Problem `not_found`, `rate_limited` */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<AppRequest>();
    const access = must(request.access, 'a route of a workspace');
    // Who asks, not as whom he looks.
    const { userId } = must(request.principal, 'somebody is signed in');
    const { viewId } = request.params as { readonly viewId?: string };
    const definition =
      viewId === undefined
        ? (request.body as { readonly definition?: unknown } | undefined)?.definition
        : (await this.catalog.find(access, viewId)).definition;
    if (asksOthers(definition)) await this.limit.count(http.getResponse<AppReply>(), userId);
    return true;
  }
}

/** Whether a definition, which nobody has checked yet, names a connection. */
function asksOthers(definition: unknown): boolean {
  const { source, joins } = (definition ?? {}) as { readonly source?: unknown; readonly joins?: unknown };
  const joined = Array.isArray(joins)
    ? joins.map((join: unknown) => (join as { readonly source?: unknown } | null)?.source)
    : [];
  return [source, ...joined].some((each) => typeof each === 'object' && each !== null && 'connection' in each);
}
