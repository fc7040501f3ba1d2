import { DataSource } from 'typeorm';
import type { AppConfig } from '../../../config/index.js';
import { MainDatabase, mainDataSourceOptions } from '../../../database/main/index.js';
import { MiniDatabase } from '../../../database/mini/index.js';
import { MiniDbCatalog } from '../../../engines/index.js';
import { BaseEntity } from '../bases/base.entity.js';
import { ColumnEntity } from '../columns/column.entity.js';
import { ColumnConversionEntity } from '../columns/convert/background/column-conversion.entity.js';
import { TableIndexEntity } from '../indexes/table-index.entity.js';
import { TableRulesEntity } from '../rules/table-rules.entity.js';
import { Retention } from '../retention.js';
import { SchemaOpEntity } from '../schema/schema-op.entity.js';
import { TableEntity } from '../tables/table.entity.js';
import { DriftChecker } from './drift-checker.js';

/** A checker for a command, without the application around it: no sweep and no watch begins. */
export async function openDriftChecker(
  config: AppConfig,
): Promise<{ readonly checker: DriftChecker; close(): Promise<void> }> {
  const dataSource = await new DataSource({
    ...mainDataSourceOptions(config.mainDb),
    entities: [
      BaseEntity,
      TableEntity,
      ColumnEntity,
      SchemaOpEntity,
      TableIndexEntity,
      ColumnConversionEntity,
      TableRulesEntity,
    ],
  }).initialize();
  const mini = new MiniDatabase(config);
  return {
    checker: new DriftChecker(new MainDatabase(dataSource), new MiniDbCatalog(mini), new Retention(config)),
    close: async () => {
      await Promise.all([dataSource.destroy(), mini.onApplicationShutdown()]);
    },
  };
}
