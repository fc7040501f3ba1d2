import { Injectable } from '@nestjs/common';
import { DataSource, In, IsNull, type EntityManager } from 'typeorm';
import { Problem, type Id } from '../../../common/index.js';
import { faultPoint } from '../../../config/index.js';
import { systemActor, type AuditEntry } from '../../../database/main/index.js';
import { MiniDbPurge, type Physical } from '../../../engines/index.js';
import { dropColumns, dropLinkTable, dropTable, endBackfill, rebuildTable } from '../../../query/index.js';
import { BaseEntity } from '../bases/base.entity.js';
import { ColumnConversionEntity, UNDER_WAY } from '../columns/convert/background/column-conversion.entity.js';
import { viewColumn } from '../columns/view-column.js';
import { ColumnEntity } from '../columns/column.entity.js';
import { Retention } from '../retention.js';
import { SchemaSaga, type SchemaChange } from '../schema/schema-saga.js';
import { nextVersionBy, readStructure, systemContext, type Structure } from '../schema/structure.js';
import { tableChanged } from '../tables/table-changed.js';
import { TableEntity } from '../tables/table.entity.js';
import { NotDue } from './not-due.js';

/** Removes deleted tables and columns for good, and makes tables anew that were given too many columns. Each is a structure change. */
@Injectable()
export class TablePurge {
  constructor(
    private readonly dataSource: DataSource,
    private readonly saga: SchemaSaga,
    private readonly mini: MiniDbPurge,
    private readonly retention: Retention,
  ) {}

  /** Deleted tables of bases that are there; the others go with their base. */
  async dueTables(): Promise<readonly Id[]> {
    const found = await this.dataSource.manager
      .createQueryBuilder(TableEntity, 'item')
      .innerJoin(BaseEntity, 'base', 'base.id = item.baseId and base.deletedAt is null')
      .where({ deletedAt: this.retention.due() })
      .select('item.id', 'id')
      .orderBy('item.deletedAt')
      .getRawMany<{ id: Id }>();
    return found.map(({ id }) => id);
  }

  /** Tables that are there and have deleted columns to be purged. */
  async tablesWithDueColumns(): Promise<readonly Id[]> {
    const found = await this.dataSource.manager
      .createQueryBuilder(ColumnEntity, 'item')
      .innerJoin(TableEntity, 'own', 'own.id = item.tableId and own.deletedAt is null')
      .innerJoin(BaseEntity, 'base', 'base.id = own.baseId and base.deletedAt is null')
      .where({ deletedAt: this.retention.due() })
      .select('item.tableId', 'id')
      .distinct(true)
      .getRawMany<{ id: Id }>();
    return found.map(({ id }) => id);
  }

  /** Ids of tables that PostgreSQL will soon take no further column for, and those among them that are too large to be made anew. */
  async wornTables(): Promise<readonly { readonly id: Id; readonly tooLarge: boolean }[]> {
    const worn = await this.mini.wornTables();
    const found = await Promise.all(
      worn.map(async ({ tooLarge, ...physical }) => ({ id: await this.idOf(physical), tooLarge })),
    );
    return found.flatMap(({ id, tooLarge }) => (id === undefined ? [] : [{ id, tooLarge }]));
  }

  /** @throws NotDue */
  async purgeTable(tableId: Id, goOn: () => boolean): Promise<void> {
    const { schema } = await this.dueTable(this.dataSource.manager, tableId);
    if (!(await this.mini.forgetLog(schema, goOn))) return;
    await faultPoint('purge.log_forgotten');
    await this.change(tableId, 'table.purge', async (manager) => {
      const structure = await this.dueTable(manager, tableId);
      const { table, columns } = structure;
      const schema = structure.base.schemaName;
      const links = await manager.findBy(ColumnEntity, { tableId, type: 'link' });
      // One that rested with the table; its trigger has a function, which belongs to the schema.
      const conversions = await manager.findBy(ColumnConversionEntity, { tableId, state: In(UNDER_WAY) });
      return {
        schema,
        statements: [
          ...conversions.flatMap(({ triggerName: trigger }) => endBackfill({ table: structure.schema, trigger })),
          ...linkTables(links).map((name) => dropLinkTable(schema, name)),
          ...dropTable(structure.schema),
        ],
        patch: {
          removed: { tables: [tableId] },
          audit: [audit(table, 'table.purged', { name: table.name, key: table.key, columns: columns.map(viewColumn) })],
          events: [tableChanged(table)],
        },
        result: undefined,
      };
    });
  }

  /** Columns of one table that is there. @throws NotDue */
  purgeColumns(tableId: Id): Promise<void> {
    return this.change(tableId, 'column.purge', async (manager) => {
      const structure = await liveTable(manager, tableId);
      const due = await manager.findBy(ColumnEntity, { tableId, deletedAt: this.retention.due() });
      const [first, ...rest] = due.map((column): AuditEntry => ({
        workspaceId: structure.table.workspaceId,
        action: 'column.purged',
        resource: { type: 'column', id: column.id, name: column.name },
        before: viewColumn(column),
      }));
      if (!first) throw new NotDue();
      const purged = due.map(({ id, key }) => ({ id, key }));
      const next = nextVersionBy(structure, systemContext('purge'), { 'columns.purged': purged });
      return {
        schema: structure.base.schemaName,
        statements: [
          ...linkTables(due).map((name) => dropLinkTable(structure.base.schemaName, name)),
          dropColumns(
            structure.schema,
            due.map(({ physicalName }) => physicalName),
          ),
          next.statement,
        ],
        patch: {
          tables: [next.table],
          removed: { columns: due.map(({ id }) => id) },
          audit: [first, ...rest],
          events: [tableChanged(next.table)],
        },
        result: undefined,
      };
    });
  }

  /** Makes the physical table anew, so that PostgreSQL counts only the columns that are there. @throws NotDue */
  rebuild(tableId: Id): Promise<void> {
    return this.change(tableId, 'table.rebuild', async (manager) => {
      const structure = await liveTable(manager, tableId);
      // A rebuild takes no triggers along; the next sweep finds the table again.
      if (await manager.existsBy(ColumnConversionEntity, { tableId, state: In(UNDER_WAY) })) throw new NotDue();
      const next = nextVersionBy(structure, systemContext('purge'), { rebuilt: true });
      return {
        schema: structure.base.schemaName,
        statements: [...rebuildTable(structure.schema), next.statement],
        patch: {
          tables: [next.table],
          audit: [audit(next.table, 'table.rebuilt')],
          events: [tableChanged(next.table)],
        },
        result: undefined,
      };
    });
  }

  private async change(
    tableId: Id,
    kind: string,
    plan: (manager: EntityManager) => Promise<SchemaChange<void>>,
  ): Promise<void> {
    const table = await this.dataSource.manager.findOneBy(TableEntity, { id: tableId });
    if (!table) throw new NotDue();
    const { baseId, workspaceId } = table;
    await this.saga.run({ kind, baseId, workspaceId, actor: systemActor('purge'), plan });
  }

  private async dueTable(manager: EntityManager, tableId: Id): Promise<Structure> {
    const due = await manager.existsBy(TableEntity, { id: tableId, deletedAt: this.retention.due() });
    if (!due) throw new NotDue();
    return orNotDue(readStructure(manager, tableId, { deleted: true }));
  }

  private async idOf({ schema, table }: Physical): Promise<Id | undefined> {
    const { manager } = this.dataSource;
    const base = await manager.findOneBy(BaseEntity, { schemaName: schema, deletedAt: IsNull() });
    if (!base) return undefined;
    const found = await manager.findOneBy(TableEntity, { baseId: base.id, physicalName: table, deletedAt: IsNull() });
    return found?.id;
  }
}

/** Both ends of a link go to the trash together, so its pairs go with the first of them. */
const linkTables = (columns: readonly ColumnEntity[]): readonly string[] =>
  columns.flatMap(({ type, options: { through } }) => (type === 'link' && through ? [through] : []));

const liveTable = (manager: EntityManager, tableId: Id): Promise<Structure> =>
  orNotDue(readStructure(manager, tableId));

/** Deleted or restored since it was found, itself or its base. */
async function orNotDue(structure: Promise<Structure>): Promise<Structure> {
  try {
    return await structure;
  } catch (error) {
    throw error instanceof Problem && error.code === 'not_found' ? new NotDue() : error;
  }
}

const audit = (table: TableEntity, action: string, before?: object): AuditEntry => ({
  workspaceId: table.workspaceId,
  action,
  resource: { type: 'table', id: table.id, name: table.name },
  ...(before ? { before } : {}),
});
