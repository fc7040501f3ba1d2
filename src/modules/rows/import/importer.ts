import { Injectable } from '@nestjs/common';
import { must, Problem, type Access, type Id, type ProblemItem } from '../../../common/index.js';
import { ChangeLog, MiniDbImport, MiniDbLookup, MiniDbWriter, type PortionedWrite } from '../../../engines/index.js';
import { isLink, type TableSchema, type WriteContext } from '../../../query/index.js';
import { contextOf } from '../../tables/index.js';
import { AccessService } from '../../workspaces/index.js';
import { Fence } from '../fence.js';
import { defaultsFor } from '../write/defaults-for.js';
import { missingLinks } from '../write/missing-links.js';
import { Referents } from '../write/referents.js';
import { takenValues } from '../write/taken-values.js';
import { decideUpserts, type FindMatches } from '../write/upsert.js';
import { bindColumns, type Binding } from './bind-columns.js';
import { FileFlaw } from './file/file-flaw.js';
import type { RowFile, SourceRow } from './file/row-file.js';
import { matchedColumns, opsOf, type ImportOptions } from './import-options.js';
import { PortionWriter, type LineOp, type Target } from './portion-writer.js';
import { portions } from './portions.js';
import { flawsOf, importFailed, Tally, type Meta } from './tally.js';

/** Addresses that are remembered. */
const MOST_KNOWN = 10_000;

/** One import: who asks for what, of which file. `gone` tells that nobody waits for it any more. */
export interface ImportJob {
  readonly access: Access;
  readonly tableId: Id;
  readonly file: RowFile;
  readonly options: ImportOptions;
  readonly gone: AbortSignal;
}

/** Takes the rows of a file into a table, all of them or those that can be (ADR 11). */
@Injectable()
export class Importer {
  constructor(
    private readonly fence: Fence,
    private readonly writer: MiniDbWriter,
    private readonly imports: MiniDbImport,
    private readonly lookup: MiniDbLookup,
    private readonly log: ChangeLog,
    private readonly referents: Referents,
    private readonly access: AccessService,
  ) {}

  /** @throws Problem `import_failed` with what is wrong; `limit_reached`, `validation_failed`, `overloaded` */
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
    const { options, access, gone } = job;
    return this.fence.run(job.tableId, async ({ tableSchema }) => {
      const reading = readingOf(job, tableSchema, header);
      const tally = new Tally();
      const goesOn = (): boolean => tally.failed === 0 || options.onError === 'skip';
      let open: PortionedWrite | undefined;
      let writing: Promise<void> = Promise.resolve();
      let rows = 0;
      try {
        for await (const portion of readable(job.file, tally)) {
          gone.throwIfAborted();
          rows += portion.length;
          if (rows > options.mostAtOnce) throw tooMany(options);
          const ops = await this.judged(access, reading, portion, tally);
          // While one portion is written the next is read.
          await writing;
          if (goesOn()) {
            open ??= await this.imports.begin(tableSchema, { links: reading.binding.columns.some(isLink) });
            writing = new PortionWriter(tableSchema, reading.context, this.inside(tableSchema, open), tally).write(ops);
            writing.catch(() => undefined);
          } else {
            await open?.abandon();
            open = undefined;
            await this.look(tableSchema, ops, tally);
          }
        }
        await writing;
        if (tally.unreadable || (tally.failed > 0 && options.onError === 'abort'))
          throw importFailed(tally.errors, tally.failed, {
            failed: tally.failed,
            errorsTruncated: tally.errorsTruncated,
          });
        gone.throwIfAborted();
        if (!options.dryRun) await open?.commit();
        return await this.placed(tally, tableSchema, options.dryRun);
      } finally {
        await writing.catch(() => undefined);
        await open?.abandon();
      }
    });
  }

  /** Each portion is there when it is written, whatever becomes of the next: a file of any length, and nobody waits for it for long. */
  private async inPortions(job: ImportJob, header: Header): Promise<Tally> {
    const tally = new Tally();
    const reading = remembering((table) => readingOf(job, table, header));
    let line = 1;
    const table = await this.fence.run(job.tableId, ({ tableSchema }) => Promise.resolve(reading(tableSchema).table));
    let writing: Promise<void> = Promise.resolve();
    try {
      for await (const portion of readable(job.file, tally)) {
        job.gone.throwIfAborted();
        // While one portion is written the next is read.
        const ahead = await this.readPortion(job.access, reading(), portion);
        await writing;
        writing = this.writePortion(job, portion, reading, ahead, tally);
        writing.catch(() => undefined);
        line = portion.at(-1)?.line ?? line;
      }
      await writing;
      if (tally.unreadable) throw importFailed(tally.errors, tally.failed, countsOf(tally));
    } catch (error) {
      await writing.catch(() => undefined);
      throw interrupted(error, tally, line);
    }
    return this.placed(tally, table, false);
  }

  private async writePortion(
    { access, tableId, options }: ImportJob,
    portion: readonly SourceRow[],
    reading: (table: TableSchema) => Reading,
    ahead: ReadPortion,
    tally: Tally,
  ): Promise<void> {
    const written = new Tally();
    const done = new Set<number>();
    let read = ahead;
    await this.fence.run(tableId, async ({ tableSchema }) => {
      const current = reading(tableSchema);
      if (read.table !== tableSchema)
        read = await this.readPortion(
          access,
          current,
          portion.filter(({ line }) => !done.has(line)),
        );
      const ops = read.ops.filter(({ index }) => !done.has(index));
      await new PortionWriter(tableSchema, current.context, this.outside(tableSchema, options), written, done).write(
        ops,
      );
    });
    tally.add(read.tally);
    tally.add(written);
  }

  private async readPortion(access: Access, reading: Reading, portion: readonly SourceRow[]): Promise<ReadPortion> {
    const tally = new Tally();
    return { table: reading.table, ops: await this.judged(access, reading, portion, tally), tally };
  }

  /** The ops of a portion without those that can be seen to be wrong. */
  private async judged(
    access: Access,
    { table, binding, matchOn, people }: Reading,
    portion: readonly SourceRow[],
    tally: Tally,
  ): Promise<LineOp[]> {
    await this.meet(access, binding, portion, people);
    const ops = opsOf(portion, table, binding, matchOn, defaultsFor(access), tally);
    const missing = await this.referents.judge(access, table, ops);
    for (const [line, items] of missing) tally.refuse(line, flawsOf(items));
    return missing.size === 0 ? ops : ops.filter(({ index }) => !missing.has(index));
  }

  /** Gets to know those who are named by their addresses. */
  private async meet(
    { workspaceId }: Access,
    binding: Binding,
    portion: readonly SourceRow[],
    people: Map<string, Id>,
  ): Promise<void> {
    const strangers = binding.addresses(portion).filter((address) => !people.has(address));
    if (strangers.length === 0) return;
    // Not more than one portion needs: a file may have any number of spellings.
    if (people.size > MOST_KNOWN) people.clear();
    for (const [address, id] of await this.access.membersByEmail(workspaceId, [...new Set(strangers)]))
      people.set(address, id);
  }

  /** What the table itself has against ops that are not going to be written. */
  private async look(table: TableSchema, ops: readonly LineOp[], tally: Tally): Promise<void> {
    const decided = await decideUpserts(table, ops, this.finder(table));
    const dead = await missingLinks(table, decided.ops, (target, ids) => this.lookup.versions(target, ids));
    const open = decided.ops.filter(({ index }) => !dead.has(index));
    const taken = await takenValues(table, open, this.finder(table), 'as if all at once');
    const refuse = (line: number, items: readonly ProblemItem[]): void => tally.refuse(line, flawsOf(items));
    for (const [line, items] of dead) refuse(line, items);
    for (const [line, { errors = [] }] of [...decided.failures, ...taken]) refuse(line, errors);
  }

  private inside(table: TableSchema, open: PortionedWrite): Target {
    const find: FindMatches = (columns, records) => this.lookup.matches(table, columns, records, open.session);
    return { find, write: (prepare) => open.write(() => prepare(find)) };
  }

  private outside(table: TableSchema, { mode }: ImportOptions): Target {
    const find = this.finder(table);
    return {
      find,
      write: async (prepare) => {
        if (mode === 'upsert')
          return this.writer.writePrepared(table, { exclusive: true }, (session) =>
            prepare((columns, records) => this.lookup.matches(table, columns, records, session)),
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

type Header = readonly string[] | undefined;

/** How the rows of the file are read into a table of this structure. */
interface Reading {
  readonly table: TableSchema;
  readonly binding: Binding;
  readonly matchOn: ReturnType<typeof matchedColumns>;
  readonly context: WriteContext;
  /** Those whose addresses occurred. */
  readonly people: Map<string, Id>;
}

function readingOf({ access, options }: ImportJob, table: TableSchema, header: Header): Reading {
  const people = new Map<string, Id>();
  const binding = bindColumns(header, table, { ...options, people });
  const matchOn = matchedColumns(table, binding, options.matchOn);
  return { table, binding, matchOn, context: { ...contextOf(access), changeSet: options.id }, people };
}

/** The last one is kept, and given where no table is named: the structure changes seldom. */
function remembering(make: (table: TableSchema) => Reading): (table?: TableSchema) => Reading {
  let last: Reading | undefined;
  return (table = last?.table) => {
    if (last?.table !== table || !last) last = make(must(table, 'the first call names a table'));
    return last;
  };
}

/** A portion as it was read for a table of this structure, with what is wrong with it. */
interface ReadPortion {
  readonly table: TableSchema;
  readonly ops: readonly LineOp[];
  readonly tally: Tally;
}

async function headerOf(file: RowFile): Promise<Header> {
  try {
    return await file.header();
  } catch (error) {
    if (!(error instanceof FileFlaw)) throw error;
    throw importFailed([lineErrorOf(error)], 1);
  }
}

/** The portions of the file, up to where it cannot be read any more; that becomes a finding. */
async function* readable(file: RowFile, tally: Tally): AsyncGenerator<readonly SourceRow[], void> {
  try {
    yield* portions(file.rows());
  } catch (error) {
    if (!(error instanceof FileFlaw)) throw error;
    const { line, ...flaw } = lineErrorOf(error);
    tally.unreadable = true;
    tally.refuse(line, [flaw]);
  }
}

const lineErrorOf = ({ line, code, detail }: FileFlaw) => ({ line, code, detail });

const countsOf = ({ created, updated, unchanged, failed, errorsTruncated }: Tally) => ({
  created,
  updated,
  unchanged,
  failed,
  errorsTruncated,
});

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
