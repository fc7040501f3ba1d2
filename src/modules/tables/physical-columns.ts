import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { Id } from '../../common/index.js';
import { BaseEntity } from './bases/base.entity.js';
import { ColumnEntity } from './columns/column.entity.js';
import { TableEntity } from './tables/table.entity.js';

/** Where values of a column lie in the schema of its base. */
export interface PhysicalColumn {
  readonly table: string;
  readonly column: string;
}

/** The schema of a base, and for how many days its history is kept, where its workspace says so. */
export interface KeptSchema {
  readonly schema: string;
  readonly historyDays: number | null;
}

/**
 * What there is in the mini-DB, deleted things too, for those who look after what rows hold. Read anew at each call; a structure change
 * may be ahead of it in the mini-DB, where the names are then no longer known.
 */
@Injectable()
export class PhysicalColumns {
  constructor(private readonly dataSource: DataSource) {}

  /** The schemas of all bases, or of those of one workspace. */
  async schemas(workspaceId?: Id): Promise<string[]> {
    const bases = await this.dataSource.getRepository(BaseEntity).find({
      where: workspaceId === undefined ? {} : { workspaceId },
      select: { id: true, schemaName: true },
      order: { id: 'ASC' },
    });
    return bases.map(({ schemaName }) => schemaName);
  }

  /** The schemas of all bases, and for how many days the workspace of each keeps its history, where it says so. */
  async kept(): Promise<readonly KeptSchema[]> {
    return this.dataSource.manager
      .createQueryBuilder(BaseEntity, 'base')
      .innerJoin('workspaces', 'workspace', 'workspace.id = base.workspaceId')
      .select('base.schemaName', 'schema')
      .addSelect('workspace.history_days', 'historyDays')
      .orderBy('base.id')
      .getRawMany<KeptSchema>();
  }

  /** Names of tables by their ids, of those in the trash too. */
  async tableNames(ids: readonly Id[]): Promise<ReadonlyMap<Id, string>> {
    const tables = await this.dataSource
      .getRepository(TableEntity)
      .find({ where: { id: In([...ids]) }, select: { id: true, name: true } });
    return new Map(tables.map(({ id, name }) => [id, name]));
  }

  /** All columns of a type in a base. */
  ofType(schema: string, type: string): Promise<PhysicalColumn[]> {
    return this.dataSource.manager
      .createQueryBuilder(ColumnEntity, 'column')
      .innerJoin(TableEntity, 'table', 'table.id = column.tableId')
      .innerJoin(BaseEntity, 'base', 'base.id = table.baseId')
      .where('base.schemaName = :schema and column.type = :type', { schema, type })
      .select('table.physicalName', 'table')
      .addSelect('column.physicalName', 'column')
      .getRawMany<PhysicalColumn>();
  }
}
