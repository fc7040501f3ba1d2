import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, MoreThan, Repository, type EntityManager } from 'typeorm';
import {
  grouped,
  idOfCursor,
  idPage,
  invalid,
  newId,
  notFound,
  pointer,
  Problem,
  type Access,
  type Id,
  type PageQuery,
} from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { actorOf, AuditedTransaction, type AuditedManager } from '../../../database/main/index.js';
import { ChangeLog, ExternalEngines } from '../../../engines/index.js';
import { TableCatalog } from '../../tables/index.js';
import { toWebhookDto, webhookAudit, webhookChanged, webhookView } from './describe-webhook.js';
import { newWebhookSecret, SealedSecrets } from './webhook-secrets.js';
import { targetOfUrl } from './webhook-url.js';
import type {
  CreatedWebhookDto,
  CreateWebhookDto,
  UpdateWebhookDto,
  WebhookDto,
  WebhookListDto,
  WebhookSecretDto,
} from './webhook.dto.js';
import { WEBHOOK_EVENTS, WebhookEntity, WebhookPositionEntity } from './webhook.entity.js';

/** Of one workspace. */
const MAX_WEBHOOKS = 20;
const OVERLAP_SECONDS = 86_400;

/** Use cases of webhooks: who is told of what. */
@Injectable()
export class WebhooksService {
  constructor(
    @InjectRepository(WebhookEntity) private readonly webhooks: Repository<WebhookEntity>,
    @InjectRepository(WebhookPositionEntity) private readonly positions: Repository<WebhookPositionEntity>,
    private readonly transaction: AuditedTransaction,
    private readonly secrets: SealedSecrets,
    private readonly tables: TableCatalog,
    private readonly log: ChangeLog,
    private readonly engines: ExternalEngines,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** The workspace that an id of a webhook leads to. */
  async workspaceOf(id: Id): Promise<Id | undefined> {
    return (await this.webhooks.findOne({ where: { id }, select: { id: true, workspaceId: true } }))?.workspaceId;
  }

  /** Oldest first. */
  async list({ workspaceId }: Access, { limit, cursor }: PageQuery): Promise<WebhookListDto> {
    const found = await this.webhooks.find({
      where: { workspaceId, ...(cursor === undefined ? {} : { id: MoreThan(idOfCursor(cursor)) }) },
      order: { id: 'ASC' },
      take: limit + 1,
    });
    const positions = await this.positions.findBy({ webhookId: In(found.map(({ id }) => id)) });
    const tables = grouped(positions, ({ webhookId }) => webhookId);
    return idPage(
      found.map((each) => toWebhookDto(each, idsOf(tables.get(each.id) ?? []))),
      limit,
    );
  }

  /** @throws Problem `not_found` */
  async get(access: Access, id: Id): Promise<WebhookDto> {
    const found = await this.find(access, id);
    return toWebhookDto(found, idsOf(await this.positions.findBy({ webhookId: id })));
  }

  /** @throws Problem `not_found` */
  async find({ workspaceId }: Access, id: Id): Promise<WebhookEntity> {
    const found = await this.webhooks.findOneBy({ id, workspaceId });
    if (!found) throw notFound('webhook');
    return found;
  }

  /** It tells what comes from now on. Its secret is told here, once. @throws Problem `host_not_allowed`, `limit_reached`, 422 */
  async create(access: Access, input: CreateWebhookDto): Promise<CreatedWebhookDto> {
    const { name, url, tables, events = [...WEBHOOK_EVENTS] } = input;
    await this.mustBeAllowed(url);
    const { workspaceId, principal } = access;
    const [id, secret, at] = [newId(), newWebhookSecret(), new Date()];
    const made: WebhookEntity = {
      ...{ id, workspaceId, name, url, events, runsAs: principal.userId, state: 'active', disabledReason: null },
      ...(await this.secrets.seal(id, { current: secret })),
      ...{ attempts: 0, failingSince: null, nextAt: at, leasedBy: null, leaseUntil: null },
      ...{ createdAt: at, createdBy: principal.userId, updatedAt: at },
    };
    const positions = await this.positionsNow(access, id, tables);
    return this.transaction.run(actorOf(access), async (manager) => {
      await mustHaveRoom(manager, workspaceId);
      await manager.insert(WebhookEntity, made);
      await manager.insert(WebhookPositionEntity, positions);
      return {
        result: { ...toWebhookDto(made, tables), secret },
        audit: [webhookAudit(made, 'webhook.created', { after: webhookView(made, tables) })],
        events: [webhookChanged(made)],
      };
    });
  }

  /** Changes what is given. @throws Problem `not_found`, `host_not_allowed`, 422 */
  async update(access: Access, id: Id, input: UpdateWebhookDto): Promise<WebhookDto> {
    if (input.url !== undefined) await this.mustBeAllowed(input.url);
    const wanted = input.tables && (await this.positionsNow(access, id, input.tables));
    return this.transaction.run(actorOf(access), async (manager) => {
      const before = await held(manager, access, id);
      const after = changed(before, input, access.principal.userId);
      const tables = idsOf(await manager.findBy(WebhookPositionEntity, { webhookId: id }));
      await manager.update(WebhookEntity, { id }, after);
      if (wanted) await moveTo(manager, id, tables, wanted);
      const now = input.tables ?? tables;
      return {
        result: toWebhookDto(after, now),
        audit: [
          webhookAudit(after, 'webhook.updated', {
            before: webhookView(before, tables),
            after: { ...webhookView(after, now), ...(before.url === after.url ? {} : { address: 'changed' }) },
          }),
        ],
        events: [webhookChanged(after)],
      };
    });
  }

  /** For good, with its attempts. @throws Problem `not_found` */
  async remove(access: Access, id: Id): Promise<void> {
    await this.transaction.run(actorOf(access), async (manager) => {
      const before = await held(manager, access, id);
      const tables = idsOf(await manager.findBy(WebhookPositionEntity, { webhookId: id }));
      await manager.delete(WebhookEntity, { id });
      return {
        result: undefined,
        audit: [webhookAudit(before, 'webhook.deleted', { before: webhookView(before, tables) })],
        events: [webhookChanged(before)],
      };
    });
  }

  /** A new secret in the place of the present one, which signs beside it for a while. @throws Problem `not_found` */
  async rotate(access: Access, id: Id, overlapSeconds = OVERLAP_SECONDS): Promise<WebhookSecretDto> {
    const secret = newWebhookSecret();
    return this.transaction.run(actorOf(access), async (manager) => {
      const before = await held(manager, access, id);
      const until = new Date(Date.now() + overlapSeconds * 1_000).toISOString();
      // One that cannot be read any more is nothing that anybody could sign with.
      const known = await this.secrets.open(before);
      const previous = known && { previous: { secret: known.current, until } };
      const sealed = await this.secrets.seal(id, { current: secret, ...previous });
      await manager.update(WebhookEntity, { id }, { ...sealed, updatedAt: new Date() });
      return {
        result: { secret, previousUntil: until },
        audit: [webhookAudit(before, 'webhook.secret_rotated', { after: { previousUntil: until } })],
        events: [webhookChanged(before)],
      };
    });
  }

  /** A host that cannot be found now may be there later; one that leads to where nobody may go is refused. */
  private async mustBeAllowed(url: string): Promise<void> {
    const { host } = targetOfUrl(url, this.config.webhooks.mayBePlain);
    try {
      await this.engines.outbound.judge(host);
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'source_unreachable')) throw error;
    }
  }

  /** Where the logs of these tables stand. @throws Problem `validation_failed` with `not_found` for what is no table of the workspace */
  private async positionsNow(
    { workspaceId }: Access,
    webhookId: Id,
    tableIds: readonly Id[],
  ): Promise<WebhookPositionEntity[]> {
    return Promise.all(
      tableIds.map(async (tableId, nth) => {
        const isOurs = (await this.tables.workspaceOf(tableId)) === workspaceId;
        const span = isOurs ? await this.log.span((await this.tables.find(tableId)).schema, tableId) : undefined;
        if (!span)
          throw invalid([
            { pointer: pointer('tables', nth), code: 'not_found', detail: 'There is no such table in this workspace.' },
          ]);
        return { webhookId, tableId, epoch: span.epoch, seq: String(span.seq) };
      }),
    );
  }
}

const idsOf = (positions: readonly WebhookPositionEntity[]): readonly Id[] =>
  positions.map(({ tableId }) => tableId).toSorted();

/** Tables that stay go on from where they stood. */
async function moveTo(
  manager: AuditedManager,
  webhookId: Id,
  before: readonly Id[],
  wanted: readonly WebhookPositionEntity[],
): Promise<void> {
  const now = new Set(wanted.map(({ tableId }) => tableId));
  const gone = before.filter((tableId) => !now.has(tableId));
  if (gone.length > 0) await manager.delete(WebhookPositionEntity, { webhookId, tableId: In(gone) });
  const added = wanted.filter(({ tableId }) => !before.includes(tableId));
  if (added.length > 0) await manager.insert(WebhookPositionEntity, added);
}

function changed(before: WebhookEntity, input: UpdateWebhookDto, by: Id): WebhookEntity {
  const { name = before.name, url = before.url, events = before.events, active } = input;
  const at = new Date();
  // What failed at another address says nothing of this one.
  const fresh = active === true || url !== before.url ? { attempts: 0, failingSince: null, nextAt: at } : {};
  const after = { ...before, name, url, events, ...fresh, updatedAt: at };
  if (active === undefined) return after;
  if (!active) return { ...after, state: before.state === 'disabled' ? 'disabled' : 'paused' };
  return { ...after, state: 'active', disabledReason: null, runsAs: by };
}

/** Locked until the end of the transaction. @throws Problem `not_found` */
async function held(manager: EntityManager, { workspaceId }: Access, id: Id): Promise<WebhookEntity> {
  const found = await manager.findOne(WebhookEntity, {
    where: { id, workspaceId },
    lock: { mode: 'pessimistic_write' },
  });
  if (!found) throw notFound('webhook');
  return found;
}

async function mustHaveRoom(manager: EntityManager, workspaceId: Id): Promise<void> {
  if ((await manager.countBy(WebhookEntity, { workspaceId })) < MAX_WEBHOOKS) return;
  throw new Problem('limit_reached', { detail: `A workspace has at most ${MAX_WEBHOOKS} webhooks.` });
}
