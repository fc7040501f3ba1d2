import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, type EntityManager, Repository } from 'typeorm';
import { invalid, newId, Problem, type Access, type Id } from '../../../common/index.js';
import type { AuditedManager } from '../../../database/main/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { parseViewDefinition, pinned, pinsOf, type ColumnPins, type ResolvedView } from '../../../query/index.js';
import {
  MAX_VIEWS_OF_DOCUMENT,
  type DocumentTable,
  type LeftOut,
  type PortableView,
  type ViewKeeper,
  type Wiring,
  type WrittenViews,
} from '../../tables/index.js';
import { ViewReader } from '../read/view-reader.service.js';
import { DEFAULT_SETTINGS } from '../settings/index.js';
import { named } from './describe-view.js';
import { mustBePortable, namesIds, overTables, readsOnly, repinned, within } from './portable-view.js';
import { isMisfit } from './stored-definition.js';
import { AT } from './view-fit.js';
import { newView } from './view-input.js';
import { settingsFor } from './view-settings.js';
import { mustHaveRoom } from './view-writes.js';
import { ViewEntity, type StoredJson } from './view.entity.js';
import { writeViews } from './written-views.js';

/** What a view is, whoever has it. */
type Content = Pick<ViewEntity, 'name' | 'description' | 'definition' | 'pins' | 'settings'>;

/** A table by what its source is called in the definition at hand. */
type Tables = ReadonlyMap<string, DocumentTable['schema']>;

type Leave = (part: LeftOut['part'], reason: LeftOut['reason']) => void;

/** Views of the workspace, as parts of documents and copies: those that read nothing else. Private views stay with their owners. */
@Injectable()
export class ViewsWithBases implements ViewKeeper {
  constructor(
    @InjectRepository(ViewEntity) private readonly views: Repository<ViewEntity>,
    private readonly reader: ViewReader,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  async portable(
    access: Access,
    tables: readonly DocumentTable[],
  ): Promise<{ readonly views: readonly PortableView[]; readonly leftOut: readonly LeftOut[] }> {
    const views: PortableView[] = [];
    const leftOut: LeftOut[] = [];
    const keys = new Map(tables.map(({ key, schema }) => [schema.id, key]));
    const schemas: Tables = new Map(tables.map(({ key, schema }) => [key, schema]));
    for (const view of await ofTables(this.views.manager, access.workspaceId, [...keys.keys()])) {
      const leave: Leave = (part, reason) => void leftOut.push({ view: view.name, part, reason });
      if (!readsOnly(view.definition, keys)) leave('view', 'other_sources');
      else if (views.length >= MAX_VIEWS_OF_DOCUMENT) leave('view', 'too_many');
      else views.push(...this.asDocument(access, view, keys, schemas, leave));
    }
    return { views, leftOut };
  }

  async fromDocument(
    manager: EntityManager,
    access: Access,
    given: readonly unknown[],
    tables: readonly DocumentTable[],
    at: string,
    of: string,
  ): Promise<string> {
    const schemas: Tables = new Map(tables.map(({ key, schema }) => [key, schema]));
    const contents = given.map((each, i) => within(`${at}/${i}`, () => this.read(access, each, schemas)));
    return this.planned(manager, access, contents, of);
  }

  async copies(manager: EntityManager, access: Access, { tables, column }: Wiring, of: string): Promise<string> {
    const table = (id: Id): Id => tables.get(id) ?? id;
    const originals = await ofTables(manager, access.workspaceId, [...tables.keys()]);
    const contents = originals
      .filter(({ definition }) => readsOnly(definition, tables))
      .map((view) => ({
        ...view,
        definition: overTables(view.definition, table),
        pins: repinned(view.pins as ColumnPins, table, column),
      }));
    return this.planned(manager, access, contents, of);
  }

  /** The view, or nothing where it does not travel. */
  private asDocument(
    access: Access,
    { name, description, definition: stored, pins, settings }: ViewEntity,
    keys: ReadonlyMap<Id, string>,
    schemas: Tables,
    leave: Leave,
  ): PortableView[] {
    const definition = overTables(stored, (id) => keys.get(id) ?? id);
    const asPinned = new Map([...schemas].map(([key, schema]) => [key, pinned(schema, pins as ColumnPins)]));
    const resolved = fitting(() => this.resolved(access, definition, asPinned, pins as ColumnPins));
    if (!resolved || namesIds(definition)) {
      leave('view', resolved ? 'names_ids' : 'broken');
      return [];
    }
    const fits = fitting(() => settingsFor(access, resolved, settings));
    if (fits && !namesIds(settings)) return [{ name, description, definition, settings }];
    leave('settings', fits ? 'names_ids' : 'broken');
    return [{ name, description, definition, settings: DEFAULT_SETTINGS }];
  }

  /** @throws Problem what a view is refused with, as a body of its own */
  private read(access: Access, given: unknown, schemas: Tables): Content {
    const { name, description, definition, settings } = newView(given);
    mustBePortable(definition.json, AT);
    mustBePortable(settings ?? null, '/settings');
    const resolved = this.resolved(access, definition.json, schemas);
    return {
      ...{ name, description, pins: pinsOf(resolved.table) },
      definition: overTables(definition.json, (key) => schemas.get(key)?.id ?? key),
      settings: settings === undefined ? DEFAULT_SETTINGS : settingsFor(access, resolved, settings),
    };
  }

  /** @throws Problem `validation_failed` among others: a source that is no table of the document */
  private resolved(access: Access, definition: StoredJson, schemas: Tables, pins?: ColumnPins): ResolvedView {
    const parsed = { ...parseViewDefinition(definition, AT), ...(pins ? { pins } : {}) };
    return this.reader.checkOver(access, parsed, AT, (source, at) => {
      const table = 'table' in source ? schemas.get(source.table) : undefined;
      if (table) return { kind: 'table', table };
      if ('table' in source)
        throw refused(`${at}/table`, 'unknown_table', 'table is the key of a table of the template.');
      throw refused(at, 'not_portable', 'Views of a template read tables of the template only.');
    });
  }

  write(manager: AuditedManager, planned: string): Promise<WrittenViews> {
    return writeViews(manager, planned);
  }

  private async planned(
    manager: EntityManager,
    { workspaceId, principal: { userId } }: Access,
    contents: readonly Content[],
    of: string,
  ): Promise<string> {
    if (contents.length > 0) await mustHaveRoom(manager, workspaceId, this.config.maxViews, contents.length);
    const at = new Date();
    const views = contents.map(({ name, description, definition, pins, settings }): ViewEntity => ({
      ...{ id: newId(), workspaceId, ...named(name), description, visibility: 'workspace', ownerId: userId },
      ...{ definition, pins, settings, version: 1 },
      ...{ createdAt: at, createdBy: userId, updatedAt: at, updatedBy: userId, deletedAt: null },
    }));
    return JSON.stringify({ of, views });
  }
}

/** Those of the workspace that begin with one of the tables, oldest first. */
const ofTables = (manager: EntityManager, workspaceId: Id, tableIds: readonly Id[]): Promise<ViewEntity[]> =>
  manager
    .createQueryBuilder(ViewEntity, 'view')
    .where({ workspaceId, visibility: 'workspace', deletedAt: IsNull() })
    .andWhere("view.definition -> 'source' ->> 'table' = any(:tableIds)", { tableIds })
    .orderBy('view.id', 'ASC')
    .getMany();

/** Undefined where it does not fit. */
function fitting<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (isMisfit(error)) return undefined;
    throw error;
  }
}

const refused = (pointer: string, code: string, detail: string): Problem => invalid([{ pointer, code, detail }]);
