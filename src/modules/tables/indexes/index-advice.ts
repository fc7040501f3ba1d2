import { Injectable } from '@nestjs/common';
import { DataSource, Not } from 'typeorm';
import { countedPage, type Id, type Page, type PageQuery } from '../../../common/index.js';
import { MiniDbIndexes } from '../../../engines/index.js';
import type { IndexPlan, TableSchema } from '../../../query/index.js';
import { TableCatalog } from '../table-catalog.js';
import { MAX_INDEXES, type IndexAdviceDto } from './index.dto.js';
import { definitionOf, planOf } from './planned-index.js';
import { readShape } from './read-shape.js';
import { serves, suggestIndex, type Suggestion } from './suggest-index.js';
import { TableIndexEntity } from './table-index.entity.js';
import { fieldsOf } from './to-index-dto.js';
import { UsageLog, type ShapeUse } from './usage-log.js';

/** Smaller tables are read as a whole in no time. */
export const MIN_ROWS = 10_000;

/** An index that is not there, with the reads that would have used it. */
export interface Advice {
  readonly suggestion: Suggestion;
  readonly uses: number;
  readonly worstMs: number;
  readonly lastAt: Date;
  readonly estimatedRows: number;
}

/** Which indexes would help, by how tables are asked. */
@Injectable()
export class IndexAdvice {
  constructor(
    private readonly dataSource: DataSource,
    private readonly catalog: TableCatalog,
    private readonly log: UsageLog,
    private readonly indexes: MiniDbIndexes,
  ) {}

  async list(tableId: Id, page: PageQuery): Promise<Page<IndexAdviceDto>> {
    const advice = await this.of(tableId, await this.log.ofTable(tableId));
    return countedPage(advice.slice(0, MAX_INDEXES).map(toAdviceDto), page);
  }

  /** What these reads lack; the most used first. An index that is under way, or failed, is not suggested again. */
  async of(tableId: Id, uses: readonly ShapeUse[]): Promise<Advice[]> {
    const { tableSchema } = await this.catalog.fresh(tableId);
    const estimatedRows = await this.indexes.estimatedRows(tableSchema);
    if (estimatedRows <= MIN_ROWS) return [];
    const there = await this.plansOf(tableId, tableSchema);
    const searchable = await this.indexes.canSearch();
    const advice = new Map<string, Advice>();
    for (const { shape: text, uses: n, worstMs, lastAt } of uses) {
      const shape = readShape(text);
      const suggestion = shape && suggestIndex(shape, tableSchema);
      if (!suggestion || (suggestion.plan.kind === 'search' && !searchable)) continue;
      if (findsOneRow(suggestion) || there.some((plan) => serves(plan, suggestion))) continue;
      const definition = definitionOf(suggestion.plan);
      const known = advice.get(definition);
      advice.set(definition, {
        suggestion,
        uses: n + (known?.uses ?? 0),
        worstMs: Math.max(worstMs, known?.worstMs ?? 0),
        lastAt: known && known.lastAt > lastAt ? known.lastAt : lastAt,
        estimatedRows,
      });
    }
    return [...advice.values()].sort((a, b) => b.uses - a.uses);
  }

  private async plansOf(tableId: Id, table: TableSchema): Promise<IndexPlan[]> {
    const indexes = await this.dataSource.manager.findBy(TableIndexEntity, { tableId, state: Not('dropping') });
    return indexes.flatMap((index) => planOf(index, table) ?? []);
  }
}

/** By the index of a unique column. */
const findsOneRow = ({ plan, equal }: Suggestion): boolean =>
  plan.kind !== 'search' && plan.keys.slice(0, equal).some(({ column }) => column.unique);

const toAdviceDto = ({ suggestion, uses, worstMs, lastAt, estimatedRows }: Advice): IndexAdviceDto => ({
  columns: fieldsOf(suggestion.plan),
  kind: suggestion.plan.kind,
  reason: reasonOf(suggestion),
  uses,
  worstMs,
  lastUsedAt: lastAt.toISOString(),
  estimatedRows,
});

function reasonOf({ plan, equal, ordered }: Suggestion): string {
  const names = (keys: IndexPlan['keys']): string => keys.map(({ column }) => column.key).join(', ');
  if (plan.kind === 'search') return `Reads search ${names(plan.keys)} for a text without an index for it.`;
  const [first, rest] = [plan.keys.slice(0, equal), plan.keys.slice(equal)];
  const does = [
    ...(first.length > 0 ? [`filter by ${names(first)}`] : []),
    ...(rest.length > 0 ? [`${ordered ? 'sort' : 'filter'} by ${names(rest)}`] : []),
  ];
  return `Reads ${does.join(' and ')} without an index for it.`;
}
