import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { must, PERMISSION, requestMeta, type Access, type AppRequest, type Permission } from '../../../common/index.js';
import { AccessService } from './access.service.js';
import { ResourceRegistry } from './resource-registry.js';

/** The global guard of routes with `@Requires(permission)`: finds the workspace, the caller's role in it, sets `request.access`. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly access: AccessService,
    private readonly resources: ResourceRegistry,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const needed = this.reflector.getAllAndOverride<Permission | undefined>(PERMISSION, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (needed === undefined) return true; // public, or any signed-in person: the auth guard has decided
    const request = context.switchToHttp().getRequest<AppRequest>();
    const principal = must(request.principal, 'the auth guard ran before the access guard');
    const params = request.params as Record<string, string>;
    const { workspaceId, what } = await this.resources.locate(params, principal.userId);
    const caller = { principal, request: requestMeta(request) };
    const { stillAllowed } = request;
    const require = (): Promise<Access> => this.access.require(caller, workspaceId, needed, what);
    request.access = await require();
    request.stillAllowed = async () => {
      await stillAllowed?.();
      request.access = await require();
    };
    return true;
  }
}
