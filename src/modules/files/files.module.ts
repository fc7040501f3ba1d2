import { Module } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '../../config/index.js';
import { IdempotencyModule } from '../idempotency/index.js';
import { BaseCopy, BasePurge, TablesModule } from '../tables/index.js';
import { WorkspacePurge, WorkspacesModule } from '../workspaces/index.js';
import { AttachmentsController } from './attachments.controller.js';
import { DownloadsService } from './download/downloads.service.js';
import { FileLinks } from './download/file-links.js';
import { DownloadsController } from './downloads.controller.js';
import { FilesService } from './files.service.js';
import { FileSweeper } from './file-sweeper.js';
import { FilesPurge } from './files-purge.js';
import { FILE_STORAGE, storageFor } from './storage/index.js';
import { UploadOnce } from './upload/upload-once.js';
import { UploadsService } from './upload/uploads.service.js';

/** Files that are attached to rows. */
@Module({
  imports: [IdempotencyModule, WorkspacesModule, TablesModule],
  controllers: [AttachmentsController, DownloadsController],
  providers: [
    { provide: FILE_STORAGE, useFactory: ({ files }: AppConfig) => storageFor(files), inject: [APP_CONFIG] },
    FileLinks,
    UploadsService,
    UploadOnce,
    DownloadsService,
    FilesService,
    FileSweeper,
    FilesPurge,
  ],
  exports: [FILE_STORAGE, FilesService, FilesPurge],
})
export class FilesModule {
  constructor(workspaces: WorkspacePurge, bases: BasePurge, copies: BaseCopy, purge: FilesPurge, files: FilesService) {
    workspaces.before((_manager, workspaceId) => purge.ofWorkspace(workspaceId));
    bases.before((_manager, { schemaName }) => purge.ofBase(schemaName));
    copies.after(({ fromSchema, toSchema }) => files.copy(fromSchema, toSchema));
  }
}
