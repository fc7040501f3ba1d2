import { Injectable } from '@nestjs/common';
import { Problem, type Access, type Id } from '../../../common/index.js';
import {
  ChangeLog,
  ImportMarks,
  MiniDbImport,
  MiniDbLookup,
  MiniDbWriter,
  type PortionedWrite,
} from '../../../engines/index.js';
import { isLink, wholeOf, type TableSchema } from '../../../query/index.js';
import { RowJudge } from '../write/row-judge.js';
import type { FindMatches } from '../write/upsert.js';
import { FileFlaw } from './file/file-flaw.js';
import type { RowFile, SourceRow } from './file/row-file.js';
import type { ImportOptions } from './import-options.js';
import { LineJudge, readingOf, remembering, type Header, type ReadPortion, type Reading } from './line-judge.js';
import { PortionWriter, type Complete, type LineOp, type Target } from './portion-writer.js';
import { portions } from './portions.js';
import { countsOf, importFailed, Tally, type Meta } from './tally.js';
import { Fence } from '../../tables/index.js';

/** One import: who asks for what, of which file. */
export interface ImportJob {
  readonly access: Access;
  readonly tableId: Id;
  readonly file: RowFile;
  readonly options: ImportOptions;
  /** Says that it is to end, and why. */
  readonly stop: AbortSignal;
  /** Is shown how it goes: each time anew where it begins anew. */
  readonly watch: (tally: Tally) => void;
}

/** Takes the rows of a file into a table, all of them or those that can be (ADR 11), each of them once (ADR 13). */
@Injectable()
export class Importer {
  constructor(
    private readonly fence: Fence,
    private readonly writer: MiniDbWriter,
    private readonly imports: MiniDbImport,
    private readonly marks: ImportMarks,
    private readonly lookup: MiniDbLookup,
    private readonly log: ChangeLog,
    private readonly judge: LineJudge,
    private readonly rules: RowJudge,
  ) {}

  /**
   * What is written of this import already, by its id, is not written again.
   * @throws Problem `import_failed` with what is wrong; `limit_reached`, `validation_failed`, `overloaded`
   * @throws ImportTakenOver somebody else works at it
   */
  async run(job: ImportJob): Promise<Tally> {
    const header = await headerOf(job.file);
    return job.options.onError === 'skip' && !job.options.dryRun
      ? this.inPortions(job, header)
      : this.asOne(job, header);
  }

  /**
   * One transaction, so that all of it or nothing is there, and a trial leaves nothing behind. When a line cannot be written, what was
   * is undone at once and the rest is only looked at, so that one answer tells what all has to be mended; a trial that is to skip such
   * lines goes on instead.
   */
  private asOne(job: ImportJob, header: Header): Promise<Tally> {
    const { options, access, stop } = job;
    return this.fence.run(access, job.tableId, async ({ tableSchema, schema }) => {
      const written = options.dryRun ? undefined : await this.marks.find(schema, options.id);
      if (written) return Tally.at(written);
      const reading = readingOf(access, options, tableSchema, header);
      const tally = new Tally();
      job.watch(tally);
      const goesOn = (): boolean => tally.failed === 0 || options.onError === 'skip';
      let open: PortionedWrite | undefined;
      let writing: Promise<void> = Promise.resolve();
      let rows = 0;
      let line = 0;
      try {
        for await (const portion of readable(job.file, tally)) {
          stop.throwIfAborted();
          rows += portion.length;
          line = lastLine(portion);
          if (rows > options.mostAtOnce) throw tooMany(options);
          const ops = await this.judge.judge(access, reading, portion, tally);
          // While one portion is written the next is read.
          await writing;
          if (goesOn()) {
            open ??= await this.imports.begin(wholeOf(tableSchema), { links: reading.binding.columns.some(isLink) });
            writing = this.portions(tableSchema, reading, this.inside(tableSchema, open)).write(ops, tally);
            writing.catch(() => undefined);
          } else {
            await open?.abandon();
            open = undefined;
            await this.judge.look(tableSchema, ops, tally);
          }
        }
        await writing;
        if (tally.unreadable || (tally.failed > 0 && options.onError === 'abort'))
          throw importFailed(tally.errors, tally.failed, {
            failed: tally.failed,
            errorsTruncated: tally.errorsTruncated,
          });
        stop.throwIfAborted();
        if (open && !options.dryRun) {
          await this.marks.move(open.session, schema, options.id, 0, tally.mark(line));
          await open.commit();
        }
        return await this.placed(tally, tableSchema, options.dryRun);
      } finally {
        await writing.catch(() => undefined);
        await open?.abandon();
      }
    });
  }

  /** Each portion is there when it is written, whatever becomes of the next: a file of any length, and nobody waits for it for long. */
  private async inPortions(job: ImportJob, header: Header): Promise<Tally> {
    const reading = remembering((table) => readingOf(job.access, job.options, table, header));
    const { tableSchema, schema } = await this.fence.run(job.access, job.tableId, (table) => {
      reading(table.tableSchema);
      return Promise.resolve(table);
    });
    const before = await this.marks.find(schema, job.options.id);
    const saved = before && Tally.at(before);
    const progress: Progress = { tally: saved ?? new Tally(), marked: before?.line ?? 0, saved };
    job.watch(progress.tally);
    // What the end of the file adds is not a part of what is written.
    const end = new Tally();
    let line = progress.marked;
    let writing: Promise<void> = Promise.resolve();
    try {
      for await (const portion of readable(job.file, end, progress.marked)) {
        job.stop.throwIfAborted();
        // While one portion is written the next is read.
        const ahead = await this.judge.read(job.access, reading(), portion);
        await writing;
        writing = this.writePortion(job, portion, reading, ahead, progress);
        writing.catch(() => undefined);
        line = lastLine(portion);
      }
      await writing;
      progress.tally = progress.tally.plus(end);
      job.watch(progress.tally);
      if (end.unreadable)
        throw importFailed(progress.tally.errors, progress.tally.failed, { ...countsOf(progress.tally) });
    } catch (error) {
      await writing.catch(() => undefined);
      throw interrupted(error, progress.tally, line);
    }
    return this.placed(progress.tally, tableSchema, false);
  }

  /** The whole portion and how far the import is with it, in one transaction. */
  private async writePortion(
    { access, tableId, options, watch }: ImportJob,
    portion: readonly SourceRow[],
    reading: (table: TableSchema) => Reading,
    ahead: ReadPortion,
    progress: Progress,
  ): Promise<void> {
    const line = lastLine(portion);
    await this.fence.run(access, tableId, async ({ tableSchema, schema }) => {
      const current = reading(tableSchema);
      const read = ahead.table === tableSchema ? ahead : await this.judge.read(access, current, portion);
      const sum = (written: Tally): Tally => progress.tally.plus(read.tally, written);
      const complete: Complete = (session, written) =>
        this.marks.move(session, schema, options.id, progress.marked, sum(written).mark(line, progress.saved));
      const written = await this.writeWhole(tableSchema, current, options, read.ops, complete);
      progress.tally = sum(written);
      if (read.ops.length > 0) {
        progress.marked = line;
        progress.saved = progress.tally;
      }
    });
    watch(progress.tally);
  }

  private async writeWhole(
    table: TableSchema,
    reading: Reading,
    options: ImportOptions,
    ops: readonly LineOp[],
    complete: Complete,
  ): Promise<Tally> {
    if (ops.length === 0) return new Tally();
    const links = reading.binding.columns.some(isLink);
    const done = await this.portions(table, reading, this.outside(table, options, links)).once(ops, complete);
    if (done) return done;
    // Several writes are one transaction only for somebody who holds the table.
    const open = await this.imports.begin(wholeOf(table), { links });
    try {
      const tally = new Tally();
      await this.portions(table, reading, this.inside(table, open)).write(ops, tally);
      await complete(open.session, tally);
      await open.commit();
      return tally;
    } finally {
      await open.abandon();
    }
  }

  private portions(table: TableSchema, { context }: Reading, target: Target): PortionWriter {
    return new PortionWriter(table, context, target, this.rules);
  }

  private inside(table: TableSchema, open: PortionedWrite): Target {
    const find: FindMatches = (columns, records) => this.lookup.matches(table, columns, records, open.session);
    return { find, write: (prepare) => open.write((session) => prepare(find, session)) };
  }

  private outside(table: TableSchema, { mode }: ImportOptions, links: boolean): Target {
    const find = this.finder(table);
    return {
      find,
      write: async (prepare) => {
        // Rules are asked inside of the transaction.
        if (mode === 'upsert' || table.seen)
          return this.writer.writePrepared(wholeOf(table), { exclusive: mode === 'upsert', links }, (session) =>
            prepare((columns, records) => this.lookup.matches(table, columns, records, session), session),
          );
        const write = await prepare(find);
        return { write, result: await this.writer.write(table, write) };
      },
    };
  }

  private readonly finder =
    (table: TableSchema): FindMatches =>
    (columns, records) =>
      this.lookup.matches(table, columns, records);

  /** Where the stream stands, when nothing that was written told it. */
  private async placed(tally: Tally, table: TableSchema, anew: boolean): Promise<Tally> {
    if (anew || !tally.meta) tally.meta = await this.head(table);
    return tally;
  }

  private async head({ physical, id }: TableSchema): Promise<Meta> {
    const [head] = await this.log.heads(physical.schema, [id]);
    return { epoch: head?.epoch ?? '', seq: head?.seq ?? 0 };
  }
}

async function headerOf(file: RowFile): Promise<Header> {
  try {
    return await file.header();
  } catch (error) {
    if (!(error instanceof FileFlaw)) throw error;
    throw importFailed([lineErrorOf(error)], 1);
  }
}

/** How far an import in portions is. */
interface Progress {
  tally: Tally;
  /** All lines up to this one are written, or refused for good. */
  marked: number;
  /** As it was marked. */
  saved: Tally | undefined;
}

const lastLine = (portion: readonly SourceRow[]): number => portion.at(-1)?.line ?? 0;

/** The portions of the file behind a line, up to where it cannot be read any more; that becomes a finding. */
async function* readable(file: RowFile, tally: Tally, behind = 0): AsyncGenerator<readonly SourceRow[], void> {
  try {
    yield* portions(behind > 0 ? rowsBehind(file, behind) : file.rows());
  } catch (error) {
    if (!(error instanceof FileFlaw)) throw error;
    const { line, ...flaw } = lineErrorOf(error);
    tally.unreadable = true;
    tally.refuse(line, [flaw]);
  }
}

async function* rowsBehind(file: RowFile, line: number): AsyncGenerator<readonly SourceRow[], void> {
  for await (const batch of file.rows()) {
    const rest = batch.filter((row) => row.line > line);
    if (rest.length > 0) yield rest;
  }
}

const lineErrorOf = ({ line, code, detail }: FileFlaw) => ({ line, code, detail });

const tooMany = ({ mostAtOnce }: ImportOptions): Problem =>
  new Problem('limit_reached', {
    detail: `At most ${mostAtOnce.toLocaleString('en')} rows can be written as one; send the file with onError=skip, or in parts.`,
  });

/** What ended an import of which a part is written: how much that is, is said with it. */
function interrupted(error: unknown, tally: Tally, line: number): unknown {
  const { created, updated, unchanged, failed } = tally;
  if (!(error instanceof Problem) || created + updated === 0) return error;
  return new Problem(error.code, {
    detail: `${error.message} Lines up to ${line} may be written: ${created} rows were created, ${updated} updated.`,
    ...(error.errors ? { errors: error.errors } : {}),
    ...(error.headers ? { headers: error.headers } : {}),
    extra: { ...error.extra, created, updated, unchanged, failed },
    cause: error.cause,
  });
}
