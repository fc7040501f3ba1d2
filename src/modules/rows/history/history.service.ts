import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { notFound, type Id } from '../../../common/index.js';
import { APP_CONFIG, encryptionKeysOf, type AppConfig } from '../../../config/index.js';
import { HistoryLog, type Change, type HistoryFilter } from '../../../engines/index.js';
import { CursorCodec } from '../../../query/index.js';
import { TableCatalog } from '../../tables/index.js';
import { ColumnTimeline } from './column-timeline.js';
import type { FieldChangeDto, HistoryDto, HistoryEntryDto } from './history.dto.js';
import { isWritten } from './written-columns.js';

/** Of what fields were and became: a page of large rows has fewer of them. */
const MAX_BYTES = 8 * 2 ** 20;

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
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.cursors = new CursorCodec(...encryptionKeysOf(config));
  }

  /** Newest first. @throws Problem `not_found`, `cursor_invalid`, `cursor_mismatch` */
  async ofTable(tableId: Id, { limit, cursor, ...filter }: HistoryPage & HistoryFilter): Promise<HistoryDto> {
    const { schema, tableSchema } = await this.catalog.fresh(tableId);
    const query = hash('sha256', JSON.stringify(['history', tableId, Object.entries(filter).sort()]), 'base64url');
    const [seq, ord] = cursor === undefined ? [] : this.cursors.open(query, cursor).map(Number);
    const behind = seq === undefined || ord === undefined ? undefined : { seq, ord };
    const [found, structure] = await Promise.all([
      this.log.newest(schema, tableId, filter, { entries: limit, bytes: MAX_BYTES }, behind),
      this.log.structure(schema, tableId),
    ]);
    const timeline = new ColumnTimeline(tableSchema, structure);
    const last = found.entries.at(-1);
    const next = found.more && last ? { nextCursor: this.cursors.seal(query, [last.seq, last.ord]) } : {};
    return { data: found.entries.map((change) => toEntry(change, timeline)), page: { limit, ...next } };
  }

  /** The same of one row, which may be in the trash. @throws Problem `not_found` no row was ever called so, as far as the log reaches */
  async ofRow(tableId: Id, rowId: Id, page: HistoryPage): Promise<HistoryDto> {
    const history = await this.ofTable(tableId, { ...page, rowId });
    if (history.data.length === 0 && page.cursor === undefined) throw notFound('row');
    return history;
  }
}

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
