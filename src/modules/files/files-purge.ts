import { Inject, Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { MiniDbFiles } from '../../engines/index.js';
import { PhysicalColumns } from '../tables/index.js';
import { FILE_STORAGE, type FileStorage } from './storage/index.js';

/** Removes the bytes of all files of what is purged. What says that they were there goes with the schema of the base. */
@Injectable()
export class FilesPurge {
  constructor(
    private readonly bases: PhysicalColumns,
    private readonly files: MiniDbFiles,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
  ) {}

  /** Whether the schema is still there or not; may be repeated. @throws Problem `storage_unavailable` */
  async ofBase(schema: string): Promise<void> {
    await this.storage.removeAll(schema);
    await this.files.forgetSweeps(schema);
  }

  /** Of all bases of a workspace, deleted ones too. */
  async ofWorkspace(workspaceId: Id): Promise<void> {
    for (const schema of await this.bases.schemas(workspaceId)) await this.ofBase(schema);
  }
}
