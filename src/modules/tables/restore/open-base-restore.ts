import { DataSource } from 'typeorm';
import type { AppConfig } from '../../../config/index.js';
import {
  AuditedTransaction,
  AuditLogEntity,
  mainDataSourceOptions,
  OutboxEntity,
} from '../../../database/main/index.js';
import { MiniDatabase } from '../../../database/mini/index.js';
import { MiniDbSchema } from '../../../engines/index.js';
import { BaseEntity } from '../bases/base.entity.js';
import { ColumnConversionEntity } from '../columns/convert/background/column-conversion.entity.js';
import { ColumnEntity } from '../columns/column.entity.js';
import { TableRulesEntity } from '../rules/table-rules.entity.js';
import { SchemaOpEntity } from '../schema/schema-op.entity.js';
import { SchemaSaga } from '../schema/schema-saga.js';
import { TableEntity } from '../tables/table.entity.js';
import type { ViewWriter } from '../views-of-bases.js';
import { BaseRestore, type ViewsOfTables } from './base-restore.js';

/** What the module that keeps views brings along: its tables, which of the views come back, and how. */
export interface RestorableViews extends ViewWriter {
  readonly entities: readonly (new () => object)[];
  readonly ofTables: ViewsOfTables;
}

/** For a command, without the application around it. The servers find what it tells them in the outbox. */
export async function openBaseRestore(
  config: AppConfig,
  views: RestorableViews,
): Promise<{ readonly restore: BaseRestore; close(): Promise<void> }> {
  const dataSource = await new DataSource({
    ...mainDataSourceOptions(config.mainDb),
    entities: [
      AuditLogEntity,
      OutboxEntity,
      BaseEntity,
      TableEntity,
      ColumnEntity,
      SchemaOpEntity,
      ColumnConversionEntity,
      TableRulesEntity,
      ...views.entities,
    ],
  }).initialize();
  const mini = new MiniDatabase(config);
  const saga = new SchemaSaga(dataSource, new AuditedTransaction(dataSource), new MiniDbSchema(mini), {
    keeper: views,
  });
  return {
    restore: new BaseRestore(config, saga, views.ofTables),
    close: async () => {
      await Promise.all([dataSource.destroy(), mini.onApplicationShutdown()]);
    },
  };
}
