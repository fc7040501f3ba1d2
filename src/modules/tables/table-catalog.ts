import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull } from 'typeorm';
import { FreshCache, Metrics, notFound, type Id } from '../../common/index.js';
import { MainDatabase } from '../../database/main/index.js';
import type { TableSchema } from '../../query/index.js';
import { EventBus } from '../events/index.js';
import { BaseEntity } from './bases/base.entity.js';
import type { ColumnEntity } from './columns/column.entity.js';
import type { Ruled } from './rules/table-rights.js';
import { SeenTables } from './rules/seen-tables.js';
import { TableRulesEntity } from './rules/table-rules.entity.js';
import { SchemaOpEntity } from './schema/schema-op.entity.js';
import { SchemaSaga } from './schema/schema-saga.js';
import { readStructures } from './schema/structure.js';
import { TableEntity } from './tables/table.entity.js';

/** A table with all that a request needs to know of it. */
export interface TableMeta {
  readonly id: Id;
  readonly baseId: Id;
  readonly workspaceId: Id;
  /** Schema in the mini-DB. */
  readonly schema: string;
  readonly name: string;
  readonly table: TableEntity;
  readonly columns: readonly ColumnEntity[];
  /** For the query core: the whole of it, whoever asks. */
  readonly tableSchema: TableSchema;
  /** The tables of its base as members see them. */
  readonly seen: SeenTables;
}

/**
 * Old metadata is harmless: the mini-DB's schema fence refuses plans made from it, and `reload` follows; before a request is refused for what it
 * says, {@link TableCatalog.isOutdated} is asked. The age bounds what nobody uses.
 */
const MAX_AGE_MS = 60_000;

/** Only says which workspace a base is in; use cases of bases read the base itself. */
const BASE_MAX_AGE_MS = 5_000;

/** A base with its live tables. */
export interface BaseMeta {
  /** In the mini-DB. */
  readonly schema: string;
  readonly tables: ReadonlyMap<Id, TableMeta>;
  readonly seen: SeenTables;
}

/** Metadata of tables, from memory. A base is read as a whole: its tables refer to each other. */
@Injectable()
export class TableCatalog {
  private readonly cache = new FreshCache<BaseMeta>({
    maxEntries: 2_000,
    maxAgeMs: MAX_AGE_MS,
    load: (baseId) => this.load(baseId),
  });

  /** A table stays in its base, so only that it was deleted can be out of date here; the base knows. */
  private readonly baseOf = new FreshCache<Id>({
    maxEntries: 50_000,
    maxAgeMs: MAX_AGE_MS,
    load: async (id) => (await this.dataSource.manager.findOneBy(TableEntity, { id, deletedAt: IsNull() }))?.baseId,
  });

  private readonly bases = new FreshCache<Id>({
    maxEntries: 10_000,
    maxAgeMs: BASE_MAX_AGE_MS,
    load: async (id) => (await this.dataSource.manager.findOneBy(BaseEntity, { id, deletedAt: IsNull() }))?.workspaceId,
  });

  constructor(
    private readonly dataSource: DataSource,
    private readonly database: MainDatabase,
    private readonly saga: SchemaSaga,
    bus: EventBus,
    metrics: Metrics,
  ) {
    metrics.cache('base_metadata', this.cache);
    metrics.cache('base_of_table', this.baseOf);
    metrics.cache('workspace_of_base', this.bases);
    bus.on('base.changed', ({ baseId }) => {
      this.bases.drop(baseId);
      this.cache.drop(baseId);
    });
    bus.on('schema.changed', ({ tableId, baseId }) => {
      this.baseOf.drop(tableId);
      this.cache.drop(baseId);
    });
  }

  /** @throws Problem `not_found` */
  async find(tableId: Id): Promise<TableMeta> {
    const meta = await this.get(tableId);
    if (!meta) throw notFound('table');
    return meta;
  }

  /**
   * Like {@link find}, but read anew: for when the mini-DB says that the structure is another. A structure change that
   * died half-way is completed here, so that nobody has to wait for the sweep.
   */
  async reload(tableId: Id): Promise<TableMeta> {
    const { baseId } = await this.find(tableId);
    await this.saga.catchUp(baseId);
    return this.fresh(tableId);
  }

  /** Like {@link find}, but as it is now: for those who are shown the metadata itself, which no fence guards. */
  async fresh(tableId: Id): Promise<TableMeta> {
    const baseId = await this.baseOf.get(tableId);
    if (baseId) this.cache.drop(baseId);
    return this.find(tableId);
  }

  /** Whether the structure is another by now than what is known of it, as after a change on another node. Tells nothing of a table that is gone. */
  async isOutdated(tableId: Id): Promise<boolean> {
    const known = await this.known(tableId);
    if (known === undefined || known === 'unknown to its base') return false;
    const now = await this.dataSource.manager.findOne(TableEntity, {
      where: { id: tableId, deletedAt: IsNull() },
      select: { id: true, schemaVersion: true },
    });
    return now !== null && now.schemaVersion !== known.table.schemaVersion;
  }

  /** Tells one state of the structure of these tables from another; undefined while a change of their bases is under way. */
  async structureAtRest(tableIds: readonly Id[]): Promise<string | undefined> {
    const tables = await this.dataSource.manager.find(TableEntity, {
      where: { id: In(tableIds) },
      select: { id: true, baseId: true, schemaVersion: true },
      order: { id: 'ASC' },
    });
    const bases = tables.map(({ baseId }) => baseId);
    const isBusy = await this.dataSource.manager.existsBy(SchemaOpEntity, { baseId: In(bases), state: 'pending' });
    return isBusy ? undefined : tables.map(({ id, schemaVersion }) => `${id} ${schemaVersion}`).join();
  }

  /** The workspace that an id of a table leads to. */
  async workspaceOf(tableId: Id): Promise<Id | undefined> {
    return (await this.get(tableId))?.workspaceId;
  }

  /** The workspace that an id of a base leads to. */
  workspaceOfBase(baseId: Id): Promise<Id | undefined> {
    return this.bases.get(baseId);
  }

  /** Whether no rule keeps a member from anything of the table, as it is now; rules of other tables count where it shows these. */
  async seesAllOf(tableId: Id, ruled: Ruled): Promise<boolean> {
    const { seen } = await this.fresh(tableId);
    return seen.of(tableId, ruled).seen === undefined;
  }

  /** How members see the tables of a base now. @throws Problem `not_found` */
  async seenOf(baseId: Id): Promise<SeenTables> {
    return (await this.base(baseId)).seen;
  }

  /** A base with its tables, and how members see them, as they are now. @throws Problem `not_found` */
  async base(baseId: Id): Promise<BaseMeta> {
    this.cache.drop(baseId);
    const base = await this.cache.get(baseId);
    if (!base) throw notFound('base');
    return base;
  }

  private async get(tableId: Id): Promise<TableMeta | undefined> {
    const known = await this.known(tableId);
    if (known !== 'unknown to its base') return known;
    // Either is out of date: the table is younger than what is known of the base, or it is gone.
    this.baseOf.drop(tableId);
    const baseId = await this.baseOf.get(tableId);
    if (baseId === undefined) return undefined;
    this.cache.drop(baseId);
    const again = await this.known(tableId);
    return again === 'unknown to its base' ? undefined : again;
  }

  private async known(tableId: Id): Promise<TableMeta | 'unknown to its base' | undefined> {
    const baseId = await this.baseOf.get(tableId);
    const base = baseId === undefined ? undefined : await this.cache.get(baseId);
    return base && (base.tables.get(tableId) ?? 'unknown to its base');
  }

  private load(baseId: Id): Promise<BaseMeta | undefined> {
    return this.database.snapshot(async (manager) => {
      const base = await manager.findOneBy(BaseEntity, { id: baseId, deletedAt: IsNull() });
      if (!base) return undefined;
      const structures = await readStructures(manager, base);
      const rules = await manager.findBy(TableRulesEntity, { baseId });
      const seen = new SeenTables(
        base.schemaName,
        structures,
        new Map(rules.flatMap(({ tableId, rules: own }) => (own.length === 0 ? [] : [[tableId, own]]))),
      );
      return {
        schema: base.schemaName,
        seen,
        tables: new Map(
          structures.map(({ table, columns, schema }) => [
            table.id,
            {
              id: table.id,
              baseId,
              workspaceId: table.workspaceId,
              schema: base.schemaName,
              name: table.name,
              table,
              columns,
              tableSchema: schema,
              seen,
            },
          ]),
        ),
      };
    });
  }
}
