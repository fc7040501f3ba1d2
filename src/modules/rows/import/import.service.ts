import type { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { Answer, Problem, type Access, type AppRequest, type Id } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import { rowFile, type FileForm, type RowFile } from './file/row-file.js';
import { spool } from './file/spool.js';
import { Importer } from './importer.js';
import { optionsOf, type ImportOptions } from './import-options.js';
import type { ImportAnswerDto, ImportResultDto, ImportRowsQuery } from './import.dto.js';
import type { Tally } from './tally.js';

/** Imports that one node is at, from the first byte of the file on. */
const AT_ONCE = 4;

export const CSV = 'text/csv';
export const NDJSON = 'application/x-ndjson';

/** What can be done with a file that has arrived. */
export interface Arrived {
  readonly file: RowFile;
  /** Aborted when the caller has gone. */
  readonly gone: AbortSignal;
}

/** Use case of taking a file into a table that is there. */
@Injectable()
export class ImportService {
  private running = 0;

  constructor(
    private readonly importer: Importer,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** @throws Problem `import_failed`, `validation_failed`, `unsupported_media_type`, `payload_too_large`, `limit_reached`, `overloaded` */
  import(access: Access, tableId: Id, query: ImportRowsQuery, request: AppRequest): Promise<Answer<ImportAnswerDto>> {
    const options = optionsOf(query);
    return this.received(request, query, async ({ file, gone }) => {
      const startedAt = performance.now();
      const tally = await this.importer.run({ access, tableId, file, options, gone });
      const { mode, dryRun } = options;
      const result = resultOf(options, tally);
      return new Answer(
        { ...result, mode, dryRun },
        { headers: { 'live-seq': String(result.meta.seq) }, databaseMs: performance.now() - startedAt },
      );
    });
  }

  /**
   * Takes the body in, then works at it, for as long as the caller stays.
   * @throws Problem `unsupported_media_type`, `payload_too_large`, `bad_request`, `overloaded`
   */
  async received<T>(
    request: AppRequest,
    form: Omit<FileForm, 'format'>,
    work: (arrived: Arrived) => Promise<T>,
  ): Promise<T> {
    const format = formatOf(request);
    if (this.running >= AT_ONCE)
      throw new Problem('overloaded', {
        detail: `This server is at ${AT_ONCE} imports already.`,
        headers: { 'retry-after': '5', connection: 'close' },
      });
    this.running++;
    try {
      const body = await spool(request.raw, this.config.importMaxBytes);
      try {
        return await whileConnected(request.raw.socket, (gone) =>
          work({ file: rowFile(body, { ...form, format }), gone }),
        );
      } finally {
        await body.close();
      }
    } finally {
      this.running--;
    }
  }
}

export const resultOf = ({ id }: Pick<ImportOptions, 'id'>, tally: Tally): ImportResultDto => {
  const { created, updated, unchanged, failed, errors, errorsTruncated, meta } = tally;
  return { id, created, updated, unchanged, failed, errors, errorsTruncated, meta: meta ?? { epoch: '', seq: 0 } };
};

/** A body without a media type, or none at all, has not been looked at by anybody yet. */
function formatOf({ headers }: AppRequest): FileForm['format'] {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === CSV) return 'csv';
  if (type === NDJSON) return 'ndjson';
  throw new Problem('unsupported_media_type', {
    detail: `Send the body as ${CSV} or ${NDJSON}.`,
    headers: { accept: `${CSV}, ${NDJSON}` },
  });
}

/** Nothing goes over the wire meanwhile, however long it takes, so the limit on silent connections does not count. */
async function whileConnected<T>(socket: Socket, work: (gone: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController();
  const leave = (): void => gone.abort(new Problem('bad_request', { detail: 'The caller has gone.' }));
  const { timeout = 0 } = socket;
  socket.setTimeout(0);
  socket.once('close', leave);
  if (socket.destroyed) leave();
  try {
    return await work(gone.signal);
  } finally {
    socket.off('close', leave);
    socket.setTimeout(timeout);
  }
}
