import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, IsNull, Repository } from 'typeorm';
import type { Access, Id } from '../../../common/index.js';
import { ChangeLog, SchemaMoved, type StreamHead } from '../../../engines/index.js';
import {
  tablesBehind,
  tablesIn,
  ViewInMemory,
  viewChangesByTime,
  type ResolvedView,
  type TableRef,
  type TableSchema,
} from '../../../query/index.js';
import type { ExternalObject } from '../../connections/index.js';
import { Fence } from '../../tables/index.js';
import { ViewCatalog } from '../stored/view-catalog.js';
import { ViewEntity } from '../stored/view.entity.js';
import { ViewFit } from '../stored/view-fit.js';

/** A view as those who follow it have to know it. */
export interface LiveView {
  readonly id: Id;
  readonly workspaceId: Id;
  readonly version: number;
  /** Names what those see of its tables for whom this is, where that is not all. */
  readonly sight?: string;
  /** Another text where the same rows may give another answer. */
  readonly meaning: string;
  /** Where it shows rows of one table of ours, and nothing else has a say in it. */
  readonly rows?: ViewInMemory;
  /** Every table of ours whose changes may change an answer, with the version of its structure that this was made for. */
  readonly tables: readonly (TableRef & { readonly schemaVersion: number })[];
  readonly objects: readonly ExternalObject[];
  /** Whether answers change while nothing is written. */
  readonly isTimeBound: boolean;
}

/** What is told of a view when it was changed. */
export type ViewState = Pick<ViewEntity, 'id' | 'version' | 'name' | 'updatedAt' | 'updatedBy'>;

/** Views for those who follow what they show: all who see the same of the tables are told the same, so nothing else of it depends on who asks. */
@Injectable()
export class LiveViews {
  constructor(
    @InjectRepository(ViewEntity) private readonly views: Repository<ViewEntity>,
    private readonly catalog: ViewCatalog,
    private readonly fit: ViewFit,
    private readonly fence: Fence,
    private readonly log: ChangeLog,
  ) {}

  /** @throws Problem `not_found`, `view_broken` */
  async open(access: Access, id: Id): Promise<LiveView> {
    return this.opened(access, await this.catalog.find(access, id));
  }

  /** Names what the reader sees of its tables; undefined where that is all. @throws Problem `not_found` */
  async sightOf(access: Access, id: Id): Promise<string | undefined> {
    return this.fit.sightOf(access, await this.catalog.find(access, id));
  }

  /** What is in memory of the view is known to be out of date. */
  forget(id: Id): void {
    this.catalog.forget(id);
  }

  /** Those of the views that are there, from the database, by one query. */
  async states(ids: readonly Id[]): Promise<ReadonlyMap<Id, ViewState>> {
    const found = await this.views.find({
      select: { id: true, version: true, name: true, updatedAt: true, updatedBy: true },
      where: { id: In([...ids]), deletedAt: IsNull() },
    });
    return new Map(found.map((view) => [view.id, view]));
  }

  private async opened(reader: Access, view: ViewEntity): Promise<LiveView> {
    const { workspaceId, timeZone } = reader;
    const first = await this.fit.checkStored(reader, view);
    return this.fence.runOver(
      tablesOf(first).map(({ id }) => id),
      async () => {
        const resolved = await this.fit.checkStored(reader, view);
        const sight = await this.fit.sightOf(reader, view);
        const own = tablesOf(resolved);
        const rows = ViewInMemory.of(resolved, timeZone);
        // Its numbers are those of the log of its table: what the table has links to has no say in it.
        const refs = rows ? own.map(({ id, physical: { schema } }) => ({ id, schema })) : tablesBehind(own);
        const tables = await this.withVersions(refs, own);
        return {
          ...{ id: view.id, workspaceId, version: view.version, tables },
          ...(rows ? { rows } : {}),
          ...(sight === undefined ? {} : { sight }),
          meaning: hash('sha256', JSON.stringify([view.definition, view.pins, timeZone, sight ?? null]), 'base64url'),
          objects: objectsOf(resolved, workspaceId),
          isTimeBound: viewChangesByTime(resolved) || own.some(({ seen }) => seen?.isTimeBound),
        };
      },
    );
  }

  /** @throws SchemaMoved what is known of a table is out of date */
  private async withVersions(refs: readonly TableRef[], own: readonly TableSchema[]): Promise<LiveView['tables']> {
    const heads = await headsOf(this.log, refs);
    for (const { id, schemaVersion } of own)
      if (heads.has(id) && heads.get(id)?.schemaVersion !== schemaVersion) throw new SchemaMoved();
    return refs.map((ref) => ({ ...ref, schemaVersion: heads.get(ref.id)?.schemaVersion ?? 0 }));
  }
}

/** Where the logs of tables stand, by one query for each base. */
export async function headsOf(
  log: Pick<ChangeLog, 'heads'>,
  tables: readonly TableRef[],
): Promise<ReadonlyMap<Id, StreamHead>> {
  const schemas = [...new Set(tables.map(({ schema }) => schema))];
  const found = await Promise.all(
    schemas.map((schema) =>
      log.heads(
        schema,
        tables.filter((each) => each.schema === schema).map(({ id }) => id),
      ),
    ),
  );
  return new Map(found.flat().map((head) => [head.tableId, head]));
}

const tablesOf = ({ table }: ResolvedView): readonly TableSchema[] => tablesIn(table);

const objectsOf = ({ definition }: ResolvedView, workspaceId: Id): readonly ExternalObject[] =>
  [definition, ...definition.joins].flatMap(({ source }) =>
    'table' in source ? [] : { workspaceId, connectionId: source.connection, name: source.object },
  );
