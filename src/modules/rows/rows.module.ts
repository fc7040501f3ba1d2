import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MiniDbWriter } from '../../engines/index.js';
import { ConnectionsModule } from '../connections/index.js';
import { EventBus } from '../events/index.js';
import { FilesModule } from '../files/index.js';
import { TablesModule } from '../tables/index.js';
import { ExportController } from './export/export.controller.js';
import { ExportService } from './export/export.service.js';
import { ExternalImportController } from './import/external/external-import.controller.js';
import { ExternalImports } from './import/external/external-import.service.js';
import { SourceFetch } from './import/external/source-fetch.js';
import { ChainController } from './history/chain/chain.controller.js';
import { ChainService } from './history/chain/chain.service.js';
import { HistoryController } from './history/history.controller.js';
import { SeenEntries } from './history/seen-entries.js';
import { HistoryService } from './history/history.service.js';
import { BaseRevertController } from './history/revert/base-revert.controller.js';
import { BaseRevert } from './history/revert/base-revert.service.js';
import { PossibleValues } from './history/revert/possible-values.js';
import { UniqueValues } from './history/revert/unique-values.js';
import { RevertController } from './history/revert/revert.controller.js';
import { RevertPlanner } from './history/revert/revert-planner.js';
import { RevertWrites } from './history/revert/revert-write.js';
import { RowRevert } from './history/revert/row-revert.service.js';
import { TableRevert } from './history/revert/table-revert.service.js';
import { UndoController } from './history/undo/undo.controller.js';
import { UndoService } from './history/undo/undo.service.js';
import { ImportController } from './import/import.controller.js';
import { ImportTableController } from './import/import-table.controller.js';
import { ImportService } from './import/import.service.js';
import { Importer } from './import/importer.js';
import { ImportJobEntity } from './import/jobs/import-job.entity.js';
import { ImportJobs } from './import/jobs/import-jobs.js';
import { ImportJobsController } from './import/jobs/import-jobs.controller.js';
import { ImportJobsService } from './import/jobs/import-jobs.service.js';
import { ImportRuns } from './import/jobs/import-runs.js';
import { ImportWorker } from './import/jobs/import-worker.js';
import { LineJudge } from './import/line-judge.js';
import { TableMaker } from './import/table-maker.js';
import { GroupsReader } from './read/groups-reader.service.js';
import { PastTables } from './read/past-tables.service.js';
import { RowsReader } from './read/rows-reader.service.js';
import { ResourceRegistry, WorkspacesModule } from '../workspaces/index.js';
import { RowsController } from './rows.controller.js';
import { RowsUpkeep } from './upkeep/rows-upkeep.js';
import { ByFilter } from './write/by-filter.service.js';
import { ManyRowsTokens } from './write/many-rows-tokens.js';
import { Clashes } from './write/clashes.js';
import { BulkService } from './write/bulk.service.js';
import { Manners } from './write/manner.js';
import { OneRow } from './write/one-row.js';
import { Portions } from './write/portions.js';
import { Referents } from './write/referents.js';
import { RowJudge } from './write/row-judge.js';
import { RowRestore } from './write/row-restore.service.js';
import { RowsWriter } from './write/rows-writer.service.js';

const IMPORTS = [
  ImportService,
  ExternalImports,
  SourceFetch,
  Importer,
  LineJudge,
  TableMaker,
  ImportJobs,
  ImportJobsService,
  ImportRuns,
  ImportWorker,
];

/** Reading and writing rows. */
@Module({
  imports: [
    TablesModule,
    FilesModule,
    WorkspacesModule,
    ConnectionsModule,
    TypeOrmModule.forFeature([ImportJobEntity]),
  ],
  controllers: [
    RowsController,
    ExportController,
    ImportController,
    ImportTableController,
    ExternalImportController,
    ImportJobsController,
    HistoryController,
    ChainController,
    RevertController,
    BaseRevertController,
    UndoController,
  ],
  providers: [
    GroupsReader,
    RowsReader,
    PastTables,
    RowsWriter,
    RowRestore,
    OneRow,
    BulkService,
    Clashes,
    ByFilter,
    ManyRowsTokens,
    Portions,
    Manners,
    Referents,
    RowJudge,
    RowsUpkeep,
    ExportService,
    HistoryService,
    SeenEntries,
    ChainService,
    PossibleValues,
    UniqueValues,
    RevertPlanner,
    RevertWrites,
    BaseRevert,
    RowRevert,
    TableRevert,
    UndoService,
    ...IMPORTS,
  ],
})
export class RowsModule {
  constructor(writer: MiniDbWriter, bus: EventBus, registry: ResourceRegistry, imports: ImportJobs) {
    registry.register('importId', (id) => imports.workspaceOf(id));
    // A hint, not the event itself: the log is the truth, and a lost hint costs a second at most.
    writer.onCommitted(({ id, physical }, seq) =>
      bus.publish('rows.changed', { schema: physical.schema, tableId: id, seq }),
    );
  }
}
