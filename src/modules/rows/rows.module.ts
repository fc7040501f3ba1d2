import { Module } from '@nestjs/common';
import { MiniDbWriter } from '../../engines/index.js';
import { EventBus } from '../events/index.js';
import { FilesModule } from '../files/index.js';
import { TablesModule } from '../tables/index.js';
import { ExportController } from './export/export.controller.js';
import { ExportService } from './export/export.service.js';
import { Fence } from './fence.js';
import { ImportController } from './import/import.controller.js';
import { ImportTableController } from './import/import-table.controller.js';
import { ImportTableService } from './import/import-table.service.js';
import { ImportService } from './import/import.service.js';
import { Importer } from './import/importer.js';
import { GroupsReader } from './read/groups-reader.service.js';
import { RowsReader } from './read/rows-reader.service.js';
import { WorkspacesModule } from '../workspaces/index.js';
import { RowsController } from './rows.controller.js';
import { RowsUpkeep } from './upkeep/rows-upkeep.js';
import { ByFilter } from './write/by-filter.service.js';
import { ByFilterTokens } from './write/by-filter-token.js';
import { BulkService } from './write/bulk.service.js';
import { Manners } from './write/manner.js';
import { OneRow } from './write/one-row.js';
import { Referents } from './write/referents.js';
import { RowRestore } from './write/row-restore.service.js';
import { RowsWriter } from './write/rows-writer.service.js';

/** Reading and writing rows. */
@Module({
  imports: [TablesModule, FilesModule, WorkspacesModule],
  controllers: [RowsController, ExportController, ImportController, ImportTableController],
  providers: [
    Fence,
    GroupsReader,
    RowsReader,
    RowsWriter,
    RowRestore,
    OneRow,
    BulkService,
    ByFilter,
    ByFilterTokens,
    Manners,
    Referents,
    RowsUpkeep,
    ExportService,
    Importer,
    ImportService,
    ImportTableService,
  ],
})
export class RowsModule {
  constructor(writer: MiniDbWriter, bus: EventBus) {
    // A hint, not the event itself: the log is the truth, and a lost hint costs a second at most.
    writer.onCommitted(({ id, physical }, seq) =>
      bus.publish('rows.changed', { schema: physical.schema, tableId: id, seq }),
    );
  }
}
