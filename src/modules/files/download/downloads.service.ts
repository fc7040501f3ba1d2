import { Readable } from 'node:stream';
import { Inject, Injectable, Logger, StreamableFile } from '@nestjs/common';
import { Answer, notFound, Problem, type AppRequest } from '../../../common/index.js';
import { MiniDbFiles, type StoredFile } from '../../../engines/index.js';
import { FILE_STORAGE, ObjectMissing, type ByteRange, type FileStorage } from '../storage/index.js';
import { byteRange } from './byte-range.js';
import { contentHeaders, entityTag } from './content-headers.js';
import { FileLinks } from './file-links.js';

/** Files for whoever has the address of one. */
@Injectable()
export class DownloadsService {
  private readonly logger = new Logger('Files');

  constructor(
    private readonly links: FileLinks,
    private readonly files: MiniDbFiles,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
  ) {}

  /**
   * The file, a part of it (206), or nothing when the caller has it already (304).
   * @throws Problem `not_found` for a token that is wrong, changed or too old, and for a file that is gone: nobody can tell which;
   * `range_not_satisfiable`, `storage_unavailable`
   */
  async download(
    token: string,
    inline: boolean,
    { method, headers }: Pick<AppRequest, 'method' | 'headers'>,
  ): Promise<Answer> {
    const link = this.links.open(token);
    const file = link && (await this.files.find(link.schema, link.fileId));
    if (!file) throw notFound('file');
    const maxAge = Math.floor((link.expiresAt.getTime() - Date.now()) / 1_000);
    const about = contentHeaders(file, { inline, maxAge });
    if (isKnown(headers['if-none-match'], file)) return new Answer(undefined, { status: 304, headers: about });
    const range = rangeOf(headers, file);
    const content = method === 'HEAD' ? Readable.from([]) : await this.open(file, range);
    const sent = range ? range.end - range.start + 1 : file.size;
    const part = range && { 'content-range': `bytes ${range.start}-${range.end}/${file.size}` };
    return new Answer(new StreamableFile(content, { length: sent }), {
      status: range ? 206 : 200,
      headers: { ...about, ...part },
    });
  }

  private async open(file: StoredFile, range: ByteRange | undefined): Promise<Readable> {
    try {
      return await this.storage.open(file.storageKey, range);
    } catch (error) {
      if (!(error instanceof ObjectMissing)) throw error;
      this.logger.error({ msg: 'The bytes of a file are gone from the storage', key: file.storageKey });
      throw notFound('file');
    }
  }
}

/** `If-None-Match` (RFC 9110, section 13.1.2). */
const isKnown = (header: string | undefined, file: StoredFile): boolean =>
  header?.split(',').some((tag) => ['*', entityTag(file)].includes(tag.trim().replace(/^W\//, ''))) ?? false;

/** A range that was meant for other bytes (`If-Range`) does not count. */
function rangeOf(headers: AppRequest['headers'], file: StoredFile): ByteRange | undefined {
  const condition = headers['if-range'];
  if (condition !== undefined && condition !== entityTag(file)) return undefined;
  const range = byteRange(headers.range, file.size);
  if (range === 'unsatisfiable')
    throw new Problem('range_not_satisfiable', { headers: { 'content-range': `bytes */${file.size}` } });
  return range;
}
