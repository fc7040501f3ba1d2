import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { Problem, requirePermission, type Access } from '../../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../../config/index.js';
import { ExternalRows } from '../../../connections/index.js';
import { FILE_STORAGE, ObjectMissing, storageKey, type FileStorage } from '../../../files/index.js';
import { ImportJobs, type TakenImport } from '../jobs/import-jobs.js';
import { jsonLines } from './json-lines.js';
import { sourceColumns, type SourceWish } from './source-wish.js';

/** Puts external rows where the file of an import is, so that the import goes on as one of a file does. */
@Injectable()
export class SourceFetch {
  constructor(
    private readonly rows: ExternalRows,
    private readonly jobs: ImportJobs,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /**
   * All of them or nothing is stored. What is stored already, by whoever died later, stays: lines that are marked as written have to be
   * the same.
   * @throws Problem what the database fails with; `payload_too_large`, `source_changed`, `not_found`, `role_too_low`
   */
  async into(taken: TakenImport, source: SourceWish, access: Access, stop: AbortSignal): Promise<void> {
    const { job } = taken;
    const key = storageKey(await this.jobs.schemaOf(job), job.id);
    if (await this.isStored(key)) return;
    const counter = { bytes: 0 };
    try {
      const lines = await this.lines(source, access, stop, counter);
      await this.storage.put(key, Readable.from(lines, { objectMode: false }));
    } catch (error) {
      // However the database puts it that it was told to stop.
      stop.throwIfAborted();
      throw error;
    }
    await this.jobs.fetched(taken, counter.bytes);
  }

  private async isStored(key: string): Promise<boolean> {
    try {
      (await this.storage.open(key)).destroy();
      return true;
    } catch (error) {
      if (error instanceof ObjectMissing) return false;
      throw error;
    }
  }

  private async lines(
    { connectionId, query, columns }: SourceWish,
    access: Access,
    stop: AbortSignal,
    counter: { bytes: number },
  ): Promise<AsyncGenerator<Buffer, void>> {
    requirePermission(access, 'external:read');
    const found = await this.rows.read(access, connectionId, JSON.parse(query), stop);
    if (!isDeepStrictEqual(sourceColumns(found.columns), columns))
      throw new Problem('source_changed', {
        detail: 'The columns of the query are others by now than when the import was asked for; ask for it again.',
      });
    return counted(found.pages, this.config.importMaxBytes, counter);
  }
}

async function* counted(
  pages: AsyncIterable<string>,
  maxBytes: number,
  counter: { bytes: number },
): AsyncGenerator<Buffer, void> {
  for await (const page of pages) {
    const bytes = Buffer.from(jsonLines(page));
    counter.bytes += bytes.length;
    if (counter.bytes > maxBytes)
      throw new Problem('payload_too_large', {
        detail: `An import may have at most ${maxBytes.toLocaleString('en')} bytes; filter for fewer rows, or name fewer fields.`,
      });
    yield bytes;
  }
}
