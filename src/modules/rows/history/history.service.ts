import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { notFound, type Access, type Id } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { HistoryLog, type Change, type HistoryFilter, type LogPlace } from '../../../engines/index.js';
import { CursorCodec } from '../../../query/index.js';
import { TableCatalog } from '../../tables/index.js';
import { ColumnTimeline } from './column-timeline.js';
import type { FieldChangeDto, HistoryDto, HistoryEntryDto } from './history.dto.js';
import { SeenEntries } from './seen-entries.js';
import { isWritten } from './written-columns.js';

/** Of what fields were and became: a page of large rows has fewer of them. */
const MAX_BYTES = 8 * 2 ** 20;

/** Looks at the log for one page, where most of what is found says nothing. */
const MAX_ROUNDS = 10;

interface HistoryPage {
  readonly limit: number;
  readonly cursor?: string;
}

/** What happened to a table and its rows, as its change log tells. */
@Injectable()
export class HistoryService {
  private readonly cursors: CursorCodec;

  constructor(
    private readonly catalog: TableCatalog,
    private readonly log: HistoryLog,
    private readonly entries: SeenEntries,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /**
   * Newest first. Whoever sees part of the table reads of rows that he sees, and of columns that he sees.
   * @throws Problem `not_found`, `cursor_invalid`, `cursor_mismatch`
   */
  async ofTable(access: Access, tableId: Id, page: HistoryPage & HistoryFilter): Promise<HistoryDto> {
    return (await this.page(access, tableId, page)).history;
  }

  /** The same of one row, which may be in the trash. @throws Problem `not_found` no row was ever called so, as far as the log reaches */
  async ofRow(access: Access, tableId: Id, rowId: Id, page: HistoryPage): Promise<HistoryDto> {
    const { history, found } = await this.page(access, tableId, { ...page, rowId });
    if (found === 0 && page.cursor === undefined) throw notFound('row');
    return history;
  }

  private async page(access: Access, tableId: Id, { limit, cursor, ...filter }: HistoryPage & HistoryFilter) {
    const { schema, seen } = await this.catalog.fresh(tableId);
    const table = seen.of(tableId, access);
    const query = hash('sha256', JSON.stringify(['history', tableId, Object.entries(filter).sort()]), 'base64url');
    const [seq, ord] = cursor === undefined ? [] : this.cursors.open(query, cursor).map(Number);
    let behind: LogPlace | undefined = seq === undefined || ord === undefined ? undefined : { seq, ord };
    const timeline = new ColumnTimeline(table, await this.log.structure(schema, tableId));
    const which = table.seen ? { ...filter, seenOf: table } : filter;
    const data: HistoryEntryDto[] = [];
    let found = 0;
    // Entries that say nothing to whoever sees part of the table are made up for, as long as it is not too long.
    for (let round = 1; ; round++) {
      const limits = { entries: limit - data.length, bytes: MAX_BYTES };
      const { entries, more } = await this.log.newest(schema, tableId, which, limits, behind);
      found += entries.length;
      behind = entries.at(-1) ?? behind;
      const told = (await this.entries.of(table, entries, timeline)).map((change) => toEntry(change, timeline));
      data.push(...(table.seen ? told.filter(saysSomething) : told));
      const isCutShort = table.seen !== undefined && data.length < limit && told.length === limits.entries;
      if (more && isCutShort && round < MAX_ROUNDS) continue;
      const next = more && behind ? { nextCursor: this.cursors.seal(query, [behind.seq, behind.ord]) } : {};
      return { history: { data, page: { limit, ...next } }, found };
    }
  }
}

/** Updates of nothing but what is not seen are left out. */
const saysSomething = ({ op, changes }: HistoryEntryDto): boolean => op !== 'update' || changes.length > 0;

function toEntry(change: Change, timeline: ColumnTimeline): HistoryEntryDto {
  const { seq, rowId, version, op, at, actor, source, changeSet, revertOf = null, requestId, after } = change;
  const isStructure = op === 'schema';
  return {
    ...{ seq, rowId, version, op, at, actor, source, changeSet, revertOf, requestId },
    changes: isStructure ? [] : fieldsOf(change, timeline),
    ...(isStructure ? { structure: after ?? {} } : {}),
  };
}

function fieldsOf({ seq, before, after }: Change, timeline: ColumnTimeline): FieldChangeDto[] {
  const keys = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return keys.flatMap((key) => {
    const { id, name, nameThen, type } = timeline.at(key, seq);
    const [from, to] = [before?.[key] ?? null, after?.[key] ?? null];
    if (!isWritten(type) || (isNothing(from) && isNothing(to))) return [];
    return [{ column: { id, key, name, ...(nameThen === undefined ? {} : { nameThen }) }, before: from, after: to }];
  });
}

/** A new row, or one that has gone, has nothing in most of its fields. */
const isNothing = (cell: unknown): boolean => cell === null || (Array.isArray(cell) && cell.length === 0);
