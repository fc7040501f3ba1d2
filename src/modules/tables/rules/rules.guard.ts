import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import {
  invalid,
  isId,
  requirePermission,
  Problem,
  type Access,
  type AppRequest,
  type Id,
} from '../../../common/index.js';
import { actorOf, AuditedTransaction } from '../../../database/main/index.js';
import { AccessService } from '../../workspaces/index.js';
import { TableCatalog } from '../table-catalog.js';
import { HONOURS_RULES } from './honours-rules.js';
import { VIEWED_AS } from './viewed-as.js';

interface Params {
  readonly tableId?: string;
  readonly baseId?: string;
  readonly viewId?: string;
}

/**
 * The global guard of rules. Routes that know nothing of rules show a table as a whole, or not at all; admins may ask other routes what a member
 * would get.
 */
@Injectable()
export class RulesGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly catalog: TableCatalog,
    private readonly members: AccessService,
    private readonly transaction: AuditedTransaction,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AppRequest>();
    const { access } = request;
    if (!access) return true;
    const params = request.params as Params;
    const traits = [context.getHandler(), context.getClass()];
    const { as } = request.query as { readonly as?: unknown };
    if (as !== undefined && this.reflector.getAllAndOverride<boolean>(VIEWED_AS, traits)) {
      request.access = await this.lookAs(access, as, params);
      return true;
    }
    if (access.role === 'owner' || access.role === 'admin') return true;
    if (this.reflector.getAllAndOverride<boolean>(HONOURS_RULES, traits)) return true;
    await this.mustSeeAll(access, params);
    return true;
  }

  /** @throws Problem `ruled_out` */
  private async mustSeeAll(access: Access, { tableId, baseId }: Params): Promise<void> {
    const table = !isId(tableId) || (await this.catalog.seesAllOf(tableId, access));
    const base = !isId(baseId) || (await this.catalog.seenOf(baseId)).isWholeFor(access);
    if (!table || !base)
      throw new Problem('ruled_out', { detail: 'Rules keep you from part of this table, and this shows all of it.' });
  }

  /** The rights of a member, for one look. @throws Problem `role_too_low`, `validation_failed`, `not_found` */
  private async lookAs(access: Access, as: unknown, { tableId, viewId }: Params): Promise<Access> {
    requirePermission(access, 'rules:manage');
    if (typeof as !== 'string' || !isId(as))
      throw invalid([{ pointer: '/as', code: 'is_id', detail: 'as is the id of a member.' }]);
    const member = await this.members.asMember(access, as);
    await this.record(access, as, member.principal.name, { tableId, viewId });
    return member;
  }

  private async record(access: Access, memberId: Id, name: string, where: Params): Promise<void> {
    await this.transaction.run(actorOf(access), () =>
      Promise.resolve({
        result: undefined,
        audit: [
          {
            workspaceId: access.workspaceId,
            action: 'rows.viewed_as',
            resource: { type: 'member', id: memberId, name },
            after: { ...where },
          },
        ],
        events: [],
      }),
    );
  }
}
