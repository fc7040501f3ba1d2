import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { FreshCache, Metrics, type Id } from '../../../common/index.js';
import { EventBus } from '../../events/index.js';
import { ApiKeyEntity } from '../keys/api-key.entity.js';
import { FormerVersionEntity } from '../settings/former-version.entity.js';
import { MAX_SLUG, SLUG } from '../settings/slug.js';
import { ViewApiEntity } from '../settings/view-api.entity.js';
import { publicationsOf, type Publication } from './publication.js';

/** A key that was revoked opens nothing for longer than this, also when the other nodes cannot be told. */
const MAX_AGE_MS = 3_000;
const MAX_ENTRIES = 5_000;

type Versions = ReadonlyMap<number, Publication>;

/** What is published, by its address: from memory, at most 3 s old, at once after an event. */
@Injectable()
export class Publications {
  private readonly cache = new FreshCache<Versions>({
    maxEntries: MAX_ENTRIES,
    maxAgeMs: MAX_AGE_MS,
    load: (slug) => this.load(slug),
  });
  /** Addresses of views that were asked for, for events that know no address. */
  private slugs = new Map<Id, string>();

  constructor(
    @InjectRepository(ViewApiEntity) private readonly apis: Repository<ViewApiEntity>,
    @InjectRepository(FormerVersionEntity) private readonly formers: Repository<FormerVersionEntity>,
    @InjectRepository(ApiKeyEntity) private readonly keys: Repository<ApiKeyEntity>,
    bus: EventBus,
    metrics: Metrics,
  ) {
    metrics.cache('publications', this.cache);
    bus.on('publication.changed', ({ slug }) => this.cache.drop(slug));
    bus.on('view.changed', ({ viewId }) => {
      const slug = this.slugs.get(viewId);
      if (slug !== undefined) this.cache.drop(slug);
    });
    // Rare, and it may be any of them.
    bus.on('workspace.changed', () => this.cache.dropPrefix(''));
  }

  /** Undefined for what is disabled, for what has ended and for what never was. */
  async find(slug: string, apiVersion: number | undefined): Promise<Publication | undefined> {
    if (apiVersion === undefined || slug.length > MAX_SLUG || !SLUG.test(slug)) return undefined;
    const found = (await this.cache.get(slug))?.get(apiVersion);
    return found && !hasEnded(found) ? found : undefined;
  }

  /** What {@link find} would find, without a look into the database, where it is of this edition. */
  known({ slug, apiVersion, edition }: Pick<Publication, 'slug' | 'apiVersion' | 'edition'>): Publication | undefined {
    const known = this.cache.known(slug)?.get(apiVersion);
    return known?.edition === edition && !hasEnded(known) ? known : undefined;
  }

  private async load(slug: string): Promise<Versions | undefined> {
    const { entities, raw } = await this.apis
      .createQueryBuilder('api')
      .innerJoin('views', 'v', 'v.id = api.view_id and v.deleted_at is null')
      .innerJoin('workspaces', 'w', 'w.id = api.workspace_id and w.deleted_at is null')
      .addSelect('v.name', 'title')
      .addSelect('w.time_zone', 'time_zone')
      .where('api.slug = :slug and api.enabled', { slug })
      .getRawAndEntities<Described>();
    const [[api], [described]] = [entities, raw];
    if (!api || !described) return undefined;
    this.remember(api);
    const { viewId, apiVersion } = api;
    const formers = apiVersion > 1 ? await this.formers.findBy({ viewId }) : [];
    const keys = [api, ...formers].some(({ auth }) => auth === 'key') ? await this.keys.findBy({ viewId }) : [];
    return publicationsOf({ api, formers, keys, title: described.title, timeZone: described.time_zone });
  }

  private remember({ viewId, slug }: ViewApiEntity): void {
    if (this.slugs.size >= MAX_ENTRIES * 2) this.slugs = new Map();
    this.slugs.set(viewId, slug);
  }
}

const hasEnded = ({ succession }: Publication): boolean => succession !== undefined && succession.until <= Date.now();

interface Described {
  readonly title: string;
  readonly time_zone: string;
}
