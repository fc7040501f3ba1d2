import { Injectable } from '@nestjs/common';
import { Problem, type Id } from '../../../common/index.js';
import { ChangeLog, HistoryLog, SchemaMoved, type Change } from '../../../engines/index.js';
import { linkColumnsOf, refuse, refuseUntold, tableThen, wholeOf, type AskedOfTable, type AsOf, type TableSchema } from '../../../query/index.js'; // prettier-ignore
import type { TableMeta } from '../../tables/index.js';

/** A table as it can be told of a moment. */
export interface PastTable {
  /** The number of its log that the moment is behind. */
  readonly seq: number;
  /** With the columns that can be told of then. */
  readonly table: TableSchema;
  /** Keys of those that cannot. */
  readonly leftOut: readonly string[];
}

/** What a change of the structure says of a column after which nobody knows from the log what its cells were before. */
const UNTOLD: ReadonlySet<string> = new Set([
  'column.created',
  'column.restored',
  'column.deleted',
  'column.converted',
]);

/** Finds out what can be told of a table at another time. */
@Injectable()
export class PastTables {
  constructor(
    private readonly log: ChangeLog,
    private readonly history: HistoryLog,
  ) {}

  /**
   * The table as it can be told of a moment, where that has all that is asked of the table of now.
   * @throws Problem as {@link of}; `validation_failed` what cannot be told of then; what `asked` throws
   */
  async asked(meta: TableMeta, asOf: AsOf, asked: (now: TableSchema) => AskedOfTable): Promise<PastTable> {
    const past = await this.of(meta, asOf);
    refuseUntold(asked(meta.tableSchema), past.table);
    return past;
  }

  /** @throws Problem `ruled_out` the caller sees part of the table, by rules that depend on what cannot be told of then; `changes_gone` the log does not reach back so far; `validation_failed` a moment that has not come */
  private async of({ schema, id, tableSchema }: TableMeta, asOf: AsOf): Promise<PastTable> {
    const [span, found] = await Promise.all([
      this.log.span(schema, id),
      'seq' in asOf ? asOf.seq : this.log.seqAt(schema, id, asOf.at),
    ]);
    if (!span) throw new SchemaMoved();
    const { seq: newest, oldest } = span;
    // Before the first number there was nothing, where that is still known.
    const seq = found ?? (oldest === 1 ? 0 : -1);
    if (seq > newest || ('at' in asOf && Date.parse(asOf.at) > Date.now()))
      throw refuse('/asOf', 'in_the_future', `asOf has not come yet; the newest number is ${newest}.`);
    if (seq < oldest - 1)
      throw new Problem('changes_gone', {
        detail: `The log of the table reaches back to number ${oldest - 1}.`,
        extra: { meta: { oldest: oldest - 1 } },
      });
    const links = linkColumnsOf(wholeOf(tableSchema));
    const [structure, inParts] = await Promise.all([
      this.history.structure(schema, id, undefined, seq),
      this.history.toldInParts(schema, id, seq, links.map(({ key }) => key)), // prettier-ignore
    ]);
    const untold = links.filter(({ key }) => inParts.has(key)).map((column) => column.id);
    const table = tableThen(tableSchema, new Set([...columnsIn(structure), ...untold]));
    const known = new Set(wholeOf(table).columns.map((column) => column.id));
    if (table.seen?.rows?.columns.some((column) => !known.has(column.id)))
      throw new Problem('ruled_out', {
        detail: 'Rules that keep you from part of this table depend on what cannot be told of then.',
      });
    const told = new Set(table.columns.map((column) => column.id));
    return { seq, table, leftOut: tableSchema.columns.filter((each) => !told.has(each.id)).map(({ key }) => key) };
  }
}

function columnsIn(structure: readonly Change[]): ReadonlySet<Id> {
  const ids = new Set<Id>();
  for (const { after } of structure)
    for (const [action, told] of Object.entries(after ?? {}))
      if (UNTOLD.has(action))
        for (const each of Array.isArray(told) ? (told as unknown[]) : [told])
          if (typeof each === 'object' && each !== null && 'id' in each) ids.add(String(each.id));
  return ids;
}
