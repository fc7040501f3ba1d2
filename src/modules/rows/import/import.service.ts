import { Readable } from 'node:stream';
import type { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import {
  accepted,
  Answer,
  created,
  newId,
  Problem,
  type Access,
  type AppRequest,
  type DatabaseWork,
  type Id,
  type QueryFacts,
} from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import type { RequestKey } from '../../../database/main/index.js';
import { ImportTakenOver } from '../../../engines/index.js';
import { importShape } from '../../../query/index.js';
import { EventBus } from '../../events/index.js';
import { FILE_STORAGE, storageKey, type FileStorage } from '../../files/index.js';
import { checkKey, RequestKeys } from '../../idempotency/index.js';
import { TableCatalog } from '../../tables/index.js';
import { prefers } from '../prefer.js';
import { charsetOf, type Charset } from './file/decode.js';
import type { FileForm } from './file/row-file.js';
import { spool, type Spool } from './file/spool.js';
import { wishOf, type RowsWish } from './import-options.js';
import type { ImportRowsQuery, ImportTableQuery } from './import.dto.js';
import type { ImportJobEntity, ImportWish } from './jobs/import-job.entity.js';
import { ImportJobs, type TakenImport } from './jobs/import-jobs.js';
import { ImportRuns, type ImportResult } from './jobs/import-runs.js';
import { toImportDto } from './jobs/to-import-dto.js';

/** Imports that one node takes in, from the first byte of the file to the answer. */
const AT_ONCE = 4;

export const CSV = 'text/csv';
export const NDJSON = 'application/x-ndjson';

/** Where the rows are to go. */
interface Place {
  readonly baseId: Id;
  readonly tableId: Id;
}

/** A file that has arrived. */
interface Arrived {
  readonly body: Spool;
  readonly form: FileForm;
  readonly key: RequestKey | undefined;
  /** The caller does not want to wait: `Prefer: respond-async` (RFC 7240). */
  readonly inBackground: boolean;
  /** Aborted when the caller has gone. */
  readonly gone: AbortSignal;
}

/** Takes files in, and sees to it that each is imported once. */
@Injectable()
export class ImportService {
  private running = 0;
  private readonly keys: RequestKeys;

  constructor(
    private readonly jobs: ImportJobs,
    private readonly runs: ImportRuns,
    private readonly catalog: TableCatalog,
    private readonly bus: EventBus,
    @Inject(FILE_STORAGE) private readonly storage: FileStorage,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {
    this.keys = new RequestKeys(config.encryptionKey);
  }

  /**
   * Rows for a table that is there.
   * @throws Problem `import_failed`, `validation_failed`, `unsupported_media_type`, `payload_too_large`, `limit_reached`, `overloaded`,
   * `import_cancelled`, `idempotency_mismatch`, `idempotency_in_progress`
   */
  async rows(access: Access, tableId: Id, query: ImportRowsQuery, request: AppRequest): Promise<Answer> {
    const wish = { kind: 'rows', ...wishOf(query) } as const;
    const { baseId } = await this.catalog.find(tableId);
    return this.import(access, { baseId, tableId }, wish, query, request);
  }

  /** A table out of a file. @throws Problem as {@link rows}, and `name_taken` */
  table(access: Access, baseId: Id, query: ImportTableQuery, request: AppRequest): Promise<Answer> {
    return this.import(access, { baseId, tableId: newId() }, { kind: 'table', name: query.name }, query, request);
  }

  private import(
    { principal, request: meta, workspaceId }: Access,
    place: Place,
    wish: ImportWish,
    query: Pick<ImportRowsQuery, 'charset' | 'delimiter'>,
    request: AppRequest,
  ): Promise<Answer> {
    return this.received(request, query, async (arrived) => {
      const { body, form, key, inBackground } = arrived;
      const begun = await this.jobs.begin({
        id: newId(),
        workspaceId,
        ...place,
        wish,
        form,
        caller: { principal, request: meta },
        bytes: String(body.bytes),
        stored: inBackground,
        keyName: key?.name ?? null,
        keyRequest: key?.request ?? null,
      });
      if (!('before' in begun)) return this.begin(begun, arrived);
      const { before } = begun;
      if (key && !before.keyRequest?.equals(key.request)) throw new Problem('idempotency_mismatch');
      const again = answerAgain(before, inBackground);
      if (again) return again;
      const taken = await this.jobs.takeUp(before.id, inBackground);
      if (taken) return this.begin(taken, arrived);
      throw inProgress(before);
    });
  }

  private async begin(taken: TakenImport, arrived: Arrived): Promise<Answer> {
    if (arrived.inBackground) return this.leave(taken, arrived);
    const startedAt = performance.now();
    try {
      const result = await this.runs.run(taken, arrived.body, arrived.gone);
      const databaseMs = performance.now() - startedAt;
      return answerOf({ ...taken.job, result }, await this.workOf(taken.job, result, databaseMs));
    } catch (error) {
      if (error instanceof ImportTakenOver) throw inProgress(taken.job, error);
      throw error;
    }
  }

  /** Nothing of a table that was deleted since: the rows were written. */
  private async workOf({ tableId, wish }: ImportJobEntity, result: ImportResult, databaseMs: number) {
    const made = 'table' in result ? result : undefined;
    const table = made?.table ?? (await this.catalog.find(tableId).catch(() => undefined))?.tableSchema;
    if (!table) return { databaseMs };
    const { created, updated, unchanged, failed } = 'table' in result ? result.import : result;
    const queryFacts = (): QueryFacts => ({
      kind: 'write',
      plan: importShape(table, wish.kind === 'table' ? { mode: 'new' } : shownOf(wish)),
      rows: created + updated + unchanged + failed,
    });
    return { databaseMs, queryFacts };
  }

  /** To whichever node comes first. What is told of as accepted is stored for good. */
  private async leave(taken: TakenImport, { body }: Arrived): Promise<Answer> {
    const { job } = taken;
    try {
      await this.storage.put(storageKey(await this.jobs.schemaOf(job), job.id), Readable.from(body.read()));
    } catch (error) {
      const { progress } = job;
      if (error instanceof Problem)
        await this.jobs.end(taken, progress, { state: 'interrupted', problem: error.body() });
      throw error;
    }
    await this.jobs.release(taken);
    this.bus.publish('import.queued', { importId: job.id });
    return acceptedAs(job);
  }

  /** Takes the body in, then works at it, for as long as the caller stays. */
  private async received(
    request: AppRequest,
    form: Omit<FileForm, 'format'>,
    work: (arrived: Arrived) => Promise<Answer>,
  ): Promise<Answer> {
    const { format, charset = form.charset } = formatOf(request, form.charset);
    const given = request.headers['idempotency-key'];
    const named = given === undefined ? undefined : checkKey(given);
    if (this.running >= AT_ONCE)
      throw new Problem('overloaded', {
        detail: `This server is at ${AT_ONCE} imports already.`,
        headers: { 'retry-after': '5', connection: 'close' },
      });
    this.running++;
    try {
      const body = await spool(request.raw, this.config.importMaxBytes);
      try {
        const key = named === undefined ? undefined : this.keys.of(request, named, await body.digest());
        const inBackground = prefers(request, 'respond-async');
        return await whileConnected(request.raw.socket, (gone) =>
          work({ body, form: { format, charset, delimiter: form.delimiter }, key, inBackground, gone }),
        );
      } finally {
        await body.close();
      }
    } finally {
      this.running--;
    }
  }
}

/** What was answered before, or is known meanwhile. Undefined: there is no answer yet. */
function answerAgain(job: ImportJobEntity, inBackground: boolean): Answer | undefined {
  // Somebody wanted its end: a repetition that was on its way for longer does not begin it again.
  if (job.state === 'cancelled' && !inBackground)
    throw new Problem('import_cancelled', { detail: job.problem?.detail });
  const isOver = job.state === 'done' || job.state === 'cancelled';
  if (!isOver && !(inBackground && job.stored && job.arrived && job.state === 'running')) return undefined;
  const { body, options } = inBackground ? acceptedAs(job) : answerOf(job);
  return new Answer(body, { ...options, headers: { ...options.headers, 'idempotency-replayed': 'true' } });
}

const acceptedAs = (job: ImportJobEntity): Answer => {
  const { body, options } = accepted(`/imports/${job.id}`, toImportDto(job));
  return new Answer(body, { ...options, headers: { ...options.headers, 'preference-applied': 'respond-async' } });
};

function answerOf({ result, tableId }: ImportJobEntity, work: DatabaseWork = {}): Answer {
  if (result && 'table' in result) {
    const { body, options } = created(`/tables/${tableId}`, result);
    return new Answer(body, { ...options, ...work });
  }
  const headers = { 'live-seq': String(result?.meta.seq ?? 0) };
  return new Answer(result, { status: 200, headers, ...work });
}

const shownOf = ({ mode, matchOn, onError, dryRun }: RowsWish): Readonly<Record<string, string>> => ({
  mode,
  ...(matchOn.length > 0 ? { matchOn: matchOn.join(',') } : {}),
  onError,
  ...(dryRun ? { dryRun: 'true' } : {}),
});

const inProgress = ({ id }: ImportJobEntity, cause?: Error): Problem =>
  new Problem('idempotency_in_progress', {
    detail: `The import ${id} is under way; GET /api/v1/imports/${id} tells how far it is.`,
    headers: { 'retry-after': '5' },
    cause,
  });

/** A body without a media type, or none at all, has not been looked at by anybody yet. */
function formatOf({ headers }: AppRequest, asked: Charset | undefined): Pick<FileForm, 'format' | 'charset'> {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const format = type === CSV ? 'csv' : type === NDJSON ? 'ndjson' : undefined;
  if (!format) throw unsupported(`Send the body as ${CSV} or ${NDJSON}.`);
  const named = parameters.find((parameter) => parameter.startsWith('charset='));
  if (named === undefined) return { format };
  const label = named.slice('charset='.length).replace(/^"(.*)"$/, '$1');
  const charset = charsetOf(label);
  if (!charset)
    throw unsupported(`The charset ${JSON.stringify(label.slice(0, 60))} of Content-Type is not known here.`);
  if (asked && charsetOf(asked) !== charset)
    throw unsupported(`Content-Type names the charset ${label}, the parameter charset another one.`);
  return { format, charset };
}

const unsupported = (detail: string): Problem =>
  new Problem('unsupported_media_type', { detail, headers: { accept: `${CSV}, ${NDJSON}` } });

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
