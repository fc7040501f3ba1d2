import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { ConfirmTokens, notFound, Problem, requirePermission, type Access, type Id, type Revertible } from '../../../common/index.js'; // prettier-ignore
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { AuditLogEntity } from '../../../database/main/index.js';
import { RevertibleConnections } from '../../connections/index.js';
import { RevertiblePublications } from '../../publishing/index.js';
import { RevertibleStructure } from '../../tables/index.js';
import { RevertibleViews } from '../../views/index.js';
import { RevertibleWebhooks } from '../../webhooks/index.js';
import { RevertibleWorkspace } from '../../workspaces/index.js';
import type { MetadataRevertDto, MetadataRevertRequestDto } from './metadata-revert.dto.js';
import { NotRevertible, planRevert, type RevertPlan } from './plan-revert.js';

/** Use case of taking back a change of metadata: first a dry run, then the same once more with its confirmation. */
@Injectable()
export class MetadataRevert {
  private readonly kinds: ReadonlyMap<string, Revertible>;
  private readonly tokens: ConfirmTokens;

  constructor(
    @InjectRepository(AuditLogEntity) private readonly log: Repository<AuditLogEntity>,
    structure: RevertibleStructure,
    view: RevertibleViews,
    publication: RevertiblePublications,
    workspaces: RevertibleWorkspace,
    connection: RevertibleConnections,
    webhook: RevertibleWebhooks,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    const { base, table, column, index, rules } = structure;
    const { member } = workspaces;
    // What has actions of its own comes before the kind of thing that they are told of.
    this.kinds = new Map<string, Revertible>([
      ...Object.entries({
        base,
        table,
        column,
        index,
        view,
        workspace: workspaces.workspace,
        member,
        connection,
        webhook,
      }),
      ...[...Object.keys(rules.ways), ...Object.keys(publication.ways)].map((action): [string, Revertible] => [
        action,
        action in rules.ways ? rules : publication,
      ]),
    ]);
    this.tokens = new ConfirmTokens('metadata revert v1', 'It was changed since', encryptionKeysOf(config));
  }

  /**
   * Takes back what an entry tells of, by the means with which people make such changes: with their rights and refusals, and as a change of its own, which
   * can be taken back as well.
   * @throws Problem `not_found`, `not_revertible`, `role_too_low`, `confirmation_required`, `confirmation_stale`; what the change is refused with
   */
  async run(access: Access, entryId: Id, request: MetadataRevertRequestDto): Promise<MetadataRevertDto> {
    const entry = await this.log.findOneBy({ id: entryId, workspaceId: access.workspaceId });
    if (!entry) throw notFound('entry');
    const kind = this.kinds.get(entry.action) ?? this.kinds.get(entry.resourceType);
    if (!kind || entry.resourceId === null)
      throw notRevertible(`${entry.action} is nothing that can be taken back here.`);
    requirePermission(access, kind.permission);
    const plan = planRevert(entry, await this.since(entry), kind);
    if (plan instanceof NotRevertible) throw notRevertible(plan.reason);
    const { onConflict = 'skip', dryRun = false, confirmToken } = request;
    const chosen = onConflict === 'overwrite' ? { ...plan, fields: [...plan.fields, ...plan.conflicts], conflicts: [] } : plan; // prettier-ignore
    const told = { ...chosen, resource: { type: entry.resourceType, id: entry.resourceId, name: entry.resourceName } };
    if (dryRun) return { ...told, confirmToken: this.tokens.make(entry.id, digestOf(chosen)) };
    if (confirmToken === undefined) throw new Problem('confirmation_required');
    this.tokens.check(entry.id, confirmToken, digestOf(chosen));
    await this.apply(access, kind, { ...entry, resourceId: entry.resourceId }, chosen);
    return told;
  }

  private async apply(
    access: Access,
    kind: Revertible,
    { resourceId: id, before }: { readonly resourceId: Id; readonly before: object | null },
    { does, fields }: RevertPlan,
  ): Promise<void> {
    if (does === 'delete') await kind.remove?.(access, id);
    if (does === 'restore') await kind.restore?.(access, id, { ...before });
    if (does === 'update' && fields.length > 0)
      await kind.update(access, id, Object.fromEntries(fields.map(({ field, value }) => [field, value])));
  }

  /** What happened to the same thing later, oldest first: by the numbers of the chain, since the clocks of nodes differ. */
  private since({ id, resourceType, resourceId }: AuditLogEntity): Promise<AuditLogEntity[]> {
    return this.log
      .createQueryBuilder('entry')
      .innerJoin('audit_links', 'link', 'link.audit_id = entry.id')
      .where({ resourceType, resourceId })
      .andWhere('link.seq > (select own.seq from audit_links own where own.audit_id = :id)', { id })
      .orderBy('link.seq')
      .getMany();
  }
}

const digestOf = (plan: RevertPlan): string => createHash('sha256').update(JSON.stringify(plan)).digest('base64url');

const notRevertible = (detail: string): Problem => new Problem('not_revertible', { detail });
