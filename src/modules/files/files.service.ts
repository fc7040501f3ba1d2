import { Inject, Injectable } from '@nestjs/common';
import { notFound, type Access, type Id } from '../../common/index.js';
import { MiniDbFiles, MiniDbLookup, type StoredFile } from '../../engines/index.js';
import { kindOf } from '../../query/index.js';
import { Fence, TableCatalog } from '../tables/index.js';
import type { AttachmentDto, AttachmentLinkDto } from './attachment.dto.js';
import { FileLinks } from './download/file-links.js';
import { FILE_STORAGE, storageKey, type FileStorage } from './storage/index.js';

/** What other modules and the API ask about files. */
@Injectable()
export class FilesService {
  constructor(
    private readonly tables: TableCatalog,
    private readonly fence: Fence,
    private readonly lookup: MiniDbLookup,
    private readonly files: MiniDbFiles,
    private readonly links: FileLinks,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
  ) {}

  /**
   * A file of the table's base, whichever of its tables it was uploaded through, with an address to download it.
   * @throws Problem `not_found`
   */
  async link(access: Access, tableId: Id, fileId: Id): Promise<AttachmentLinkDto> {
    const { schema } = await this.tables.find(tableId);
    const file = await this.files.find(schema, fileId);
    if (!file || !(await this.isSeen(access, tableId, fileId))) throw notFound('attachment');
    const { url, expiresAt } = this.links.make(schema, fileId);
    return { ...toAttachmentDto(file), url, expiresAt: expiresAt.toISOString() };
  }

  /** Whether the file is shown to the caller: to members whom rules keep from part of the table, by a row that they see. */
  private isSeen(access: Access, tableId: Id, fileId: Id): Promise<boolean> {
    return this.fence.run(access, tableId, async ({ tableSchema: table }) => {
      if (!table.seen) return true;
      const shown = table.columns.filter((column) => kindOf(column).type === 'attachment');
      const items = shown.map((column) => ({ kind: 'list', op: 'any', column, values: [fileId] }) as const);
      return items.length > 0 && (await this.lookup.matching(table, { kind: 'or', items }, 1)).length > 0;
    });
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
