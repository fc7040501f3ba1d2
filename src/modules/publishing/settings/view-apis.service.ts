import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { invalid, notFound, pointer, Problem, type Access, type Id } from '../../../common/index.js';
import { actorOf, AuditedTransaction, isUniqueViolation, type AuditedManager } from '../../../database/main/index.js';
import { TableCatalog } from '../../tables/index.js';
import { FrozenViews, type OpenedView } from '../../views/index.js';
import { contractOf, mustKeep } from './contract.js';
import { apiAudit, publicationChanged, slugTaken, toViewApiDto } from './describe-api.js';
import { FormerVersionEntity } from './former-version.entity.js';
import { rightsOf } from './published-rights.js';
import { randomSlug } from './slug.js';
import type { PublishDto, SettingsDto, ViewApiDto } from './view-api.dto.js';
import { ViewApiEntity } from './view-api.entity.js';

const DEFAULTS = {
  enabled: true,
  auth: 'key',
  cacheSeconds: 0,
  staleWhileRevalidateSeconds: 0,
  staleIfErrorSeconds: 0,
  rateLimit: 600,
  rateWindowSeconds: 60,
  corsOrigins: [],
  filterable: [],
  sortable: [],
  maxLimit: 100,
  page: false,
} satisfies Partial<ViewApiEntity>;

/** With those that have ended by themselves. */
const MAX_FORMER = 10;

/** Use cases of publishing: what is shown of a view, to whom, and under which address. */
@Injectable()
export class ViewApisService {
  constructor(
    @InjectRepository(ViewApiEntity) private readonly apis: Repository<ViewApiEntity>,
    private readonly views: FrozenViews,
    private readonly catalog: TableCatalog,
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
   * that are not given as they were. What would break its readers is refused, or becomes a version of its own beside what they have.
   * @throws Problem `not_found`, `view_broken`, `name_taken`, `contract_broken`, `limit_reached`; 422 for what nobody in particular can read
   */
  async publish(access: Access, viewId: Id, input: PublishDto): Promise<Publishing> {
    const { view, frozen, opened } = await this.views.freeze(access, viewId, ({ showsPeople }) => showsPeople);
    mustShowSomething(opened);
    mustBeRevalidatable(input, opened);
    const [at, by] = [new Date(), access.principal.userId];
    const rights = await rightsOf(this.catalog, access, opened, at);
    return tellingSlugTaken(input.slug, () =>
      this.transaction.run(actorOf(access), async (manager) => {
        const before = await heldApi(manager, access, viewId);
        const isBeside = before !== null && input.asNewVersion === true;
        const after: ViewApiEntity = {
          ...(before ?? { ...DEFAULTS, slug: randomSlug(), createdAt: at, createdBy: by, publishedAt: at }),
          ...(isBeside ? declarableOf(before, opened) : {}),
          ...settingsOf(input),
          ...{ viewId, workspaceId: access.workspaceId, ...frozen, columns: contractOf(opened.columns), rights },
          viewVersion: view.version,
          ...{ updatedAt: at, updatedBy: by, version: (before?.version ?? 0) + 1 },
          ...(isBeside ? { publishedAt: at } : {}),
          apiVersion: (before?.apiVersion ?? 1) + (isBeside ? 1 : 0),
        };
        if (isBeside) await keepBeside(manager, before, at);
        else if (before) mustKeep(before, after);
        mustBeDeclarable(after, opened);
        if (before) await manager.update(ViewApiEntity, { viewId }, after);
        else await manager.insert(ViewApiEntity, after);
        return {
          result: { api: toViewApiDto(after), isNew: !before, isBeside },
          audit: [
            apiAudit(after, isBeside ? 'view.version_published' : before ? 'view.republished' : 'view.published', {
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

  /** Changes settings; what is shown of the view stays what was published. @throws Problem `not_found`, `name_taken`, `contract_broken` */
  async update(access: Access, viewId: Id, input: SettingsDto): Promise<ViewApiDto> {
    const api = await this.find(access, viewId);
    // Only some settings have to be looked at against the view; a publication can be disabled whatever became of them.
    const isPrivate = await this.views.isPrivate(access, viewId);
    const { filterable, sortable, staleWhileRevalidateSeconds: stale } = input;
    const opened = filterable || sortable || stale ? await this.views.open(access, api) : undefined;
    if (opened) mustBeRevalidatable(input, opened);
    return tellingSlugTaken(input.slug, () =>
      this.transaction.run(actorOf(access), async (manager) => {
        const before = await heldApi(manager, access, viewId);
        if (!before) throw notPublished();
        const after: ViewApiEntity = {
          ...{ ...before, ...settingsOf(input), version: before.version + 1 },
          ...{ updatedAt: new Date(), updatedBy: access.principal.userId },
        };
        mustKeep(before, after);
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

/** What came of publishing. */
export interface Publishing {
  readonly api: ViewApiDto;
  /** Nothing of the view was published before. */
  readonly isNew: boolean;
  /** What was published before goes on beside it. */
  readonly isBeside: boolean;
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

function settingsOf({ rateLimit, asNewVersion: _, ...given }: PublishDto): Partial<ViewApiEntity> {
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

/** Tables of ours are read exactly or not at all. */
function mustBeRevalidatable({ staleWhileRevalidateSeconds = 0 }: SettingsDto, { isExternal }: OpenedView): void {
  if (staleWhileRevalidateSeconds === 0 || isExternal) return;
  const detail =
    'Only views of other databases are renewed behind an answer; this one costs no question while it is unchanged.';
  throw invalid([{ pointer: '/staleWhileRevalidateSeconds', code: 'not_external', detail }]);
}

/** Filters and orders can be declared of what is published, where its type has them. */
function mustBeDeclarable(
  { columns, filterable, sortable }: Pick<ViewApiEntity, 'columns' | 'filterable' | 'sortable'>,
  opened: OpenedView,
): void {
  const published = new Set(columns.map(({ key }) => key));
  const can = declarable(opened.columns.filter(({ key }) => published.has(key)));
  const check = (keys: readonly string[], name: 'filterable' | 'sortable'): void => {
    const at = keys.findIndex((key) => !can[name].has(key));
    if (at < 0) return;
    const detail = `${JSON.stringify(keys[at]?.slice(0, 60))} is no column that is published and can be declared as ${name}.`;
    throw invalid([{ pointer: `/${name}${pointer(at)}`, code: `not_${name}`, detail }]);
  };
  check(filterable, 'filterable');
  check(sortable, 'sortable');
}

const declarable = (columns: OpenedView['columns']) => ({
  filterable: new Set(columns.flatMap(({ key, operators }) => (operators.length > 0 ? key : []))),
  sortable: new Set(columns.flatMap(({ key, isSortable }) => (isSortable ? key : []))),
});

/** What a version that begins anew can take over of the lists of the one before. */
function declarableOf({ filterable, sortable }: ViewApiEntity, { columns }: OpenedView): Partial<ViewApiEntity> {
  const can = declarable(columns);
  return {
    filterable: filterable.filter((key) => can.filterable.has(key)),
    sortable: sortable.filter((key) => can.sortable.has(key)),
  };
}

/** What was the newest version goes on under its own address, as it was published. @throws Problem `limit_reached` */
async function keepBeside(manager: AuditedManager, api: ViewApiEntity, at: Date): Promise<void> {
  const { viewId, apiVersion, auth, filterable, sortable, maxLimit, definition, pins, columns, rights } = api;
  const { viewVersion, version, publishedAt } = api;
  if ((await manager.countBy(FormerVersionEntity, { viewId })) >= MAX_FORMER)
    throw new Problem('limit_reached', { detail: `At most ${MAX_FORMER} versions go on beside the newest.` });
  await manager.insert(FormerVersionEntity, {
    ...{ viewId, apiVersion, auth, filterable, sortable, maxLimit, definition, pins, columns, rights },
    ...{ viewVersion, version, publishedAt, deprecatedAt: at, sunsetAt: null },
  });
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
