import { Inject, Injectable } from '@nestjs/common';
import { notFound, type Id } from '../../common/index.js';
import { MiniDbFiles, type StoredFile } from '../../engines/index.js';
import { TableCatalog } from '../tables/index.js';
import type { AttachmentDto, AttachmentLinkDto } from './attachment.dto.js';
import { FileLinks } from './download/file-links.js';
import { FILE_STORAGE, storageKey, type FileStorage } from './storage/index.js';

/** What other modules and the API ask about files. */
@Injectable()
export class FilesService {
  constructor(
    private readonly tables: TableCatalog,
    private readonly files: MiniDbFiles,
    private readonly links: FileLinks,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
  ) {}

  /**
   * A file of the table's base, whichever of its tables it was uploaded through, with an address to download it.
   * @throws Problem `not_found`
   */
  async link(tableId: Id, fileId: Id): Promise<AttachmentLinkDto> {
    const { schema } = await this.tables.find(tableId);
    const file = await this.files.find(schema, fileId);
    if (!file) throw notFound('attachment');
    const { url, expiresAt } = this.links.make(schema, fileId);
    return { ...toAttachmentDto(file), url, expiresAt: expiresAt.toISOString() };
  }

  /** Those of the ids that are files of the base; they stay for at least a day from now on, so a write may rely on them. One query. */
  known(schema: string, ids: readonly Id[]): Promise<Set<Id>> {
    return this.files.known(schema, ids);
  }

  /**
   * Copies files of one base, all or those of these ids, into another, bytes and all; they keep their ids, so that rows can be copied
   * as they are. May be repeated when it failed half-way. Files that are on their way out are not copied.
   */
  async copy(fromSchema: string, toSchema: string, ids?: readonly Id[]): Promise<void> {
    for (const file of await this.files.list(fromSchema, ids)) {
      const copy: StoredFile = { ...file, storageKey: storageKey(toSchema, file.id) };
      await this.files.announce(toSchema, copy);
      await this.storage.copy(file.storageKey, copy.storageKey);
      await this.files.complete(toSchema, [copy]);
    }
  }
}

/** A file as the API shows it. */
export const toAttachmentDto = ({ id, name, size, mimeType, sha256 }: StoredFile): AttachmentDto => ({
  id,
  name,
  size,
  mimeType,
  sha256,
});
