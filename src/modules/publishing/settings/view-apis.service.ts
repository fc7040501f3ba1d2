import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { invalid, notFound, pointer, type Access, type Id } from '../../../common/index.js';
import { actorOf, AuditedTransaction, isUniqueViolation, type AuditedManager } from '../../../database/main/index.js';
import { FrozenViews, type OpenedView } from '../../views/index.js';
import { contractOf, mustKeep } from './contract.js';
import { apiAudit, publicationChanged, slugTaken, toViewApiDto } from './describe-api.js';
import { randomSlug } from './slug.js';
import type { PublishDto, ViewApiDto } from './view-api.dto.js';
import { ViewApiEntity } from './view-api.entity.js';

const DEFAULTS = {
  enabled: true,
  auth: 'key',
  cacheSeconds: 0,
  staleIfErrorSeconds: 0,
  rateLimit: 600,
  rateWindowSeconds: 60,
  corsOrigins: [],
  filterable: [],
  sortable: [],
  maxLimit: 100,
  page: false,
} satisfies Partial<ViewApiEntity>;

/** Use cases of publishing: what is shown of a view, to whom, and under which address. */
@Injectable()
export class ViewApisService {
  constructor(
    @InjectRepository(ViewApiEntity) private readonly apis: Repository<ViewApiEntity>,
    private readonly views: FrozenViews,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** @throws Problem `not_found` */
  async get(access: Access, viewId: Id): Promise<ViewApiDto> {
    return toViewApiDto(await this.find(access, viewId));
  }

  /** @throws Problem `not_found` the view is not published */
  async find({ workspaceId }: Access, viewId: Id): Promise<ViewApiEntity> {
    const api = await this.apis.findOneBy({ viewId, workspaceId });
    if (!api) throw notPublished();
    return api;
  }

  /**
   * Publishes the view as it is now; one that is published already is published again, under the same address and with the settings
   * that are not given as they were.
   * @throws Problem `not_found`, `view_broken`, `name_taken`, `contract_broken`; 422 for what nobody in particular can read
   */
  async publish(
    access: Access,
    viewId: Id,
    input: PublishDto,
  ): Promise<{ readonly api: ViewApiDto; readonly isNew: boolean }> {
    const { view, frozen, opened } = await this.views.freeze(access, viewId, ({ showsPeople }) => showsPeople);
    mustShowSomething(opened);
    return tellingSlugTaken(input.slug, () =>
      this.transaction.run(actorOf(access), async (manager) => {
        const before = await heldApi(manager, access, viewId);
        const [at, by] = [new Date(), access.principal.userId];
        const after: ViewApiEntity = {
          ...(before ?? { ...DEFAULTS, slug: randomSlug(), createdAt: at, createdBy: by, version: 0 }),
          ...settingsOf(input),
          ...{ viewId, workspaceId: access.workspaceId, ...frozen, columns: contractOf(opened.columns) },
          viewVersion: view.version,
          ...{ updatedAt: at, updatedBy: by, version: (before?.version ?? 0) + 1 },
        };
        if (before) mustKeep(before.columns, opened.columns);
        mustBeDeclarable(after, opened);
        if (before) await manager.update(ViewApiEntity, { viewId }, after);
        else await manager.insert(ViewApiEntity, after);
        return {
          result: { api: toViewApiDto(after), isNew: !before },
          audit: [
            apiAudit(after, before ? 'view.republished' : 'view.published', {
              ...(before ? { before } : {}),
              after,
              isPrivate: view.visibility === 'private',
            }),
          ],
          events: changes(before, after),
        };
      }),
    );
  }

  /** Changes settings; what is shown of the view stays what was published. @throws Problem `not_found`, `name_taken` */
  async update(access: Access, viewId: Id, input: PublishDto): Promise<ViewApiDto> {
    const api = await this.find(access, viewId);
    // Only lists of columns have to be looked at against the columns; a publication can be disabled whatever became of them.
    const isPrivate = await this.views.isPrivate(access, viewId);
    const opened = input.filterable || input.sortable ? await this.views.open(access, api) : undefined;
    return tellingSlugTaken(input.slug, () =>
      this.transaction.run(actorOf(access), async (manager) => {
        const before = await heldApi(manager, access, viewId);
        if (!before) throw notPublished();
        const after: ViewApiEntity = {
          ...{ ...before, ...settingsOf(input), version: before.version + 1 },
          ...{ updatedAt: new Date(), updatedBy: access.principal.userId },
        };
        if (opened) mustBeDeclarable(after, opened);
        await manager.update(ViewApiEntity, { viewId }, after);
        return {
          result: toViewApiDto(after),
          audit: [apiAudit(after, 'view.publication_changed', { before, after, isPrivate })],
          events: changes(before, after),
        };
      }),
    );
  }

  /** Ends the publication, with its keys and what is known of its use. @throws Problem `not_found` */
  async remove(access: Access, viewId: Id): Promise<void> {
    const isPrivate = await this.views.isPrivate(access, viewId);
    await this.transaction.run(actorOf(access), async (manager) => {
      const before = await heldApi(manager, access, viewId);
      if (!before) throw notPublished();
      await manager.delete(ViewApiEntity, { viewId });
      return {
        result: undefined,
        audit: [apiAudit(before, 'view.unpublished', { before, isPrivate })],
        events: [publicationChanged(before)],
      };
    });
  }
}

export const notPublished = () => notFound('publication');

/** Locked until the end of the transaction. */
export async function heldApi(
  manager: AuditedManager,
  { workspaceId }: Access,
  viewId: Id,
): Promise<ViewApiEntity | null> {
  return manager.findOne(ViewApiEntity, { where: { viewId, workspaceId }, lock: { mode: 'pessimistic_write' } });
}

function settingsOf({ rateLimit, ...given }: PublishDto): Partial<ViewApiEntity> {
  const settings = {
    ...given,
    ...(rateLimit ? { rateLimit: rateLimit.limit, rateWindowSeconds: rateLimit.windowSeconds } : {}),
  };
  return Object.fromEntries(Object.entries<unknown>(settings).filter(([, value]) => value !== undefined));
}

function mustShowSomething({ columns, isGrouped }: OpenedView): void {
  const refused = (detail: string) => invalid([{ pointer: '', code: 'people_not_published', detail }]);
  if (columns.length === 0) throw refused('All that the view shows are ids of people, which are not published.');
  const person = columns.find(({ showsPeople }) => showsPeople);
  if (isGrouped && person) throw refused(`${person.key} shows ids of people, which are not published.`);
}

/** Filters and orders can be declared of what is published, where its type has them. */
function mustBeDeclarable(
  { columns, filterable, sortable }: Pick<ViewApiEntity, 'columns' | 'filterable' | 'sortable'>,
  opened: OpenedView,
): void {
  const published = new Set(columns.map(({ key }) => key));
  const shown = opened.columns.filter(({ key }) => published.has(key));
  const check = (keys: readonly string[], name: string, can: readonly string[]): void => {
    const at = keys.findIndex((key) => !can.includes(key));
    if (at < 0) return;
    const detail = `${JSON.stringify(keys[at]?.slice(0, 60))} is no column that is published and can be declared as ${name}.`;
    throw invalid([{ pointer: `/${name}${pointer(at)}`, code: `not_${name}`, detail }]);
  };
  check(
    filterable,
    'filterable',
    shown.flatMap(({ key, operators }) => (operators.length > 0 ? key : [])),
  );
  check(
    sortable,
    'sortable',
    shown.flatMap(({ key, isSortable }) => (isSortable ? key : [])),
  );
}

/** Also for the address that it had. */
const changes = (before: ViewApiEntity | null, after: ViewApiEntity) => [
  publicationChanged(after),
  ...(before && before.slug !== after.slug ? [publicationChanged(before)] : []),
];

/** @throws Problem `name_taken`: the last word has the unique index */
async function tellingSlugTaken<T>(slug: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isUniqueViolation(error, 'view_apis_slug') ? slugTaken(slug ?? '') : error;
  }
}
