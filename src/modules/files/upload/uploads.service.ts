import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { invalid, newId, notFound, type Access, type Id } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig, type FileSettings } from '../../../config/index.js';
import { MiniDbFiles, type AnnouncedFile, type FileContent, type StoredFile } from '../../../engines/index.js';
import { TableCatalog } from '../../tables/index.js';
import { cleanFileName } from '../file-name.js';
import { cleanMediaType, isAllowed } from '../media-type.js';
import { FILE_STORAGE, storageKey, type FileStorage } from '../storage/index.js';
import { Meter } from './meter.js';
import { receiveFiles, type IncomingFile } from './multipart.js';

/** Files that one request may bring. */
export const MAX_FILES = 10;

/**
 * Takes files in: each is announced in its base, streamed to the storage, and there when all of the request are stored. Whenever a
 * process dies in between, the sweeper finds what was announced and never came, and removes what is left of it.
 */
@Injectable()
export class UploadsService {
  private readonly settings: FileSettings;

  constructor(
    private readonly tables: TableCatalog,
    private readonly files: MiniDbFiles,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.settings = config.files;
  }

  /**
   * All files of a multipart body, or none of them.
   * @throws Problem `validation_failed` a name or type that is not taken, `payload_too_large`, `limit_reached`, `bad_request`,
   * `storage_unavailable`
   */
  async upload(access: Access, tableId: Id, request: IncomingMessage): Promise<StoredFile[]> {
    const { schema } = await this.tables.find(tableId);
    const announced: AnnouncedFile[] = [];
    try {
      const stored = await receiveFiles(request, MAX_FILES, async (incoming, index): Promise<StoredFile> => {
        const file = { ...this.judged(incoming, index), tableId, createdBy: access.principal.userId };
        const id = newId();
        const announcement = { ...file, id, storageKey: storageKey(schema, id) };
        if (!(await this.files.announce(schema, announcement))) throw notFound('table');
        announced.push(announcement);
        return { ...announcement, ...(await this.store(announcement, incoming.content)) };
      });
      if (stored.length === 0)
        throw refused(0, 'file_missing', 'Send at least one part named "file" with a file name.');
      if (!(await this.files.complete(schema, stored))) throw notFound('table');
      return stored;
    } catch (error) {
      await this.discard(schema, announced);
      throw error;
    }
  }

  /** Files that were stored for nothing are removed again, or on their way out. */
  async takeBack(tableId: Id, files: readonly StoredFile[]): Promise<void> {
    const { schema } = await this.tables.find(tableId);
    await this.discard(schema, files);
  }

  private judged({ name, mimeType }: IncomingFile, index: number): Pick<AnnouncedFile, 'name' | 'mimeType'> {
    const clean = { name: cleanFileName(name), mimeType: cleanMediaType(mimeType) };
    if (clean.name === undefined)
      throw refused(
        index,
        'file_name_invalid',
        'A file name has 1 to 255 characters, none of which is a control character.',
      );
    if (!isAllowed(clean.mimeType, this.settings.types))
      throw refused(index, 'type_not_allowed', `Files of the type ${clean.mimeType} are not taken here.`);
    return { name: clean.name, mimeType: clean.mimeType };
  }

  private async store({ id, storageKey }: AnnouncedFile, content: Readable): Promise<FileContent> {
    const meter = new Meter(this.settings.maxBytes);
    // A failure on either side ends both; what it was is told by `put`.
    pipeline(content, meter, () => undefined);
    await this.storage.put(storageKey, meter);
    return { id, size: meter.count, sha256: meter.sha256() };
  }

  /** What cannot be removed now is marked, or at least announced, and the sweeper's. */
  private async discard(schema: string, files: readonly AnnouncedFile[]): Promise<void> {
    if (files.length === 0) return;
    try {
      await this.files.giveUp(schema, files);
      for (const { id, storageKey } of files) {
        await this.storage.remove(storageKey);
        await this.files.forget(schema, id);
      }
    } catch {
      // The caller hears why the upload failed, not why nobody could tidy up.
    }
  }
}

const refused = (index: number, code: string, detail: string) => invalid([{ pointer: `/file/${index}`, code, detail }]);
