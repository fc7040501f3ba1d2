import { Injectable } from '@nestjs/common';
import { must, type Access, type Id, type ProblemItem } from '../../../common/index.js';
import { MiniDbLookup } from '../../../engines/index.js';
import { wholeOf, type TableSchema, type WriteContext } from '../../../query/index.js';
import { contextOf } from '../../tables/index.js';
import { AccessService } from '../../workspaces/index.js';
import { Clashes } from '../write/clashes.js';
import { defaultsFor } from '../write/defaults-for.js';
import { missingLinks } from '../write/missing-links.js';
import { Referents } from '../write/referents.js';
import { decideUpserts } from '../write/upsert.js';
import { bindColumns, type Binding } from './bind-columns.js';
import type { SourceRow } from './file/row-file.js';
import { matchedColumns, opsOf, type ImportOptions } from './import-options.js';
import type { LineOp } from './portion-writer.js';
import { flawsOf, Tally } from './tally.js';

/** Addresses that are remembered. */
const MOST_KNOWN = 10_000;

/** What the columns of a file are called; a file of NDJSON does not tell. */
export type Header = readonly string[] | undefined;

/** How the rows of the file are read into a table of this structure. */
export interface Reading {
  readonly table: TableSchema;
  readonly binding: Binding;
  readonly matchOn: ReturnType<typeof matchedColumns>;
  readonly context: WriteContext;
  /** Those whose addresses occurred. */
  readonly people: Map<string, Id>;
}

/** A portion as it was read for a table of this structure, with what is wrong with it. */
export interface ReadPortion {
  readonly table: TableSchema;
  readonly ops: readonly LineOp[];
  readonly tally: Tally;
}

/** @throws Problem `import_failed`, `validation_failed` the header, or `matchOn`, is not of this table */
export function readingOf(access: Access, options: ImportOptions, table: TableSchema, header: Header): Reading {
  const people = new Map<string, Id>();
  const binding = bindColumns(header, table, { ...options, people });
  const matchOn = matchedColumns(table, binding, options.matchOn);
  const context: WriteContext = { ...contextOf(access), source: 'import', changeSet: options.id };
  return { table, binding, matchOn, context, people };
}

/** The last one is kept, and given where no table is named: the structure changes seldom. */
export function remembering(make: (table: TableSchema) => Reading): (table?: TableSchema) => Reading {
  let last: Reading | undefined;
  return (table = last?.table) => {
    if (last?.table !== table || !last) last = make(must(table, 'the first call names a table'));
    return last;
  };
}

/** Makes ops of the rows of a file, and tells what is wrong with those that cannot be any. */
@Injectable()
export class LineJudge {
  constructor(
    private readonly lookup: MiniDbLookup,
    private readonly referents: Referents,
    private readonly access: AccessService,
    private readonly clashes: Clashes,
  ) {}

  async read(access: Access, reading: Reading, portion: readonly SourceRow[]): Promise<ReadPortion> {
    const tally = new Tally();
    return { table: reading.table, ops: await this.judge(access, reading, portion, tally), tally };
  }

  /** The ops of a portion without those that can be seen to be wrong. */
  async judge(
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

  /** What the table itself has against ops that are not going to be written. */
  async look(table: TableSchema, ops: readonly LineOp[], tally: Tally): Promise<void> {
    const find: Parameters<typeof decideUpserts>[2] = (columns, records) =>
      this.lookup.matches(table, columns, records);
    const decided = await decideUpserts(table, ops, find);
    const dead = await missingLinks(wholeOf(table), decided.ops, (target, ids) => this.lookup.versions(target, ids));
    const open = decided.ops.filter(({ index }) => !dead.has(index));
    const taken = await this.clashes.foreseen(wholeOf(table), open, table);
    const refuse = (line: number, items: readonly ProblemItem[]): void => tally.refuse(line, flawsOf(items));
    for (const [line, items] of dead) refuse(line, items);
    for (const [line, { errors = [] }] of [...decided.failures, ...taken]) refuse(line, errors);
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
}
