import { Injectable } from '@nestjs/common';
import { Answer, invalid, Problem, type Access, type Id, type ProblemItem } from '../../../common/index.js';
import type { PgSession } from '../../../database/mini/index.js';
import { LinksRefused, MiniDbEngine, MiniDbLookup, MiniDbWriter, toldTo } from '../../../engines/index.js';
import { concernsLinks, wholeOf, type Condition, type RowOp, type TableSchema } from '../../../query/index.js';
import { contextOf, Fence } from '../../tables/index.js';
import { conditionOf } from '../read/condition-of.js';
import { MAX_OPS } from './bulk-request.js';
import { parseByFilter, type ByFilterRequest } from './by-filter-request.js';
import { Clashes } from './clashes.js';
import { ManyRowsTokens } from './many-rows-tokens.js';
import type { Manner } from './manner.js';
import { Portions, type StreamMeta } from './portions.js';
import { Referents } from './referents.js';
import { RowJudge } from './row-judge.js';
import { broughtBy, canonical, settle } from './settle.js';

/** Rows that are shown of those that would change. */
const SAMPLE = 10;

type Found = readonly { readonly id: Id; readonly version: number }[];

/** Use case of changing or deleting all rows that a filter finds: first a dry run, then the same once more with its confirmation. */
@Injectable()
export class ByFilter {
  constructor(
    private readonly fence: Fence,
    private readonly engine: MiniDbEngine,
    private readonly lookup: MiniDbLookup,
    private readonly writer: MiniDbWriter,
    private readonly portions: Portions,
    private readonly referents: Referents,
    private readonly rules: RowJudge,
    private readonly tokens: ManyRowsTokens,
  ) {}

  /**
   * @throws Problem `validation_failed`, `filter_invalid`, `limit_reached` more rows than `maxAffected`, `confirmation_required`,
   * `confirmation_stale`, `unique_violation`; nothing was written then
   */
  run(access: Access, tableId: Id, kind: 'update' | 'delete', body: unknown, manner: Manner): Promise<Answer> {
    return this.fence.run(access, tableId, async ({ tableSchema: table }) => {
      const request = parseByFilter(body, kind, table);
      const where = conditionOf(request.filter, table, access);
      await this.judge(access, table, request);
      if (request.dryRun) return this.dryRun(table, where, request);
      if (request.confirmToken === undefined) throw new Problem('confirmation_required');
      return this.apply(access, table, where, request, request.confirmToken, manner);
    });
  }

  private async judge(access: Access, table: TableSchema, { set }: ByFilterRequest): Promise<void> {
    if (!set) return;
    const op = { kind: 'update', id: '', values: new Map([...set.values, ...broughtBy(set.changes)]) } as const;
    const missing = await this.referents.judge(access, table, [{ index: 0, op }]);
    if (missing.size > 0) throw invalid(belowSet([...missing.values()].flat()));
  }

  private async dryRun(table: TableSchema, where: Condition, request: ByFilterRequest): Promise<Answer> {
    const rows = await this.found(table, where, request);
    const orderBy = [{ by: { kind: 'id' }, dir: 'asc' }] as const;
    const plan = { from: table, select: table.columns, where, orderBy, limit: SAMPLE, count: 'none' } as const;
    const { data } = await this.engine.read(plan);
    const sample = JSON.parse(`[${String(data)}]`) as unknown[];
    if (typeof data !== 'string') data.giveBack();
    const confirmToken = this.tokens.make(table.id, request.asked, { rows, tables: [table] });
    return new Answer({ matched: rows.length, sample, confirmToken });
  }

  private async apply(
    access: Access,
    table: TableSchema,
    where: Condition,
    request: ByFilterRequest,
    token: string,
    manner: Manner,
  ): Promise<Answer> {
    const sets = [...(request.set?.values ?? []), ...(request.set ? broughtBy(request.set.changes) : [])];
    const whole = wholeOf(table);
    const links = concernsLinks(whole, [{ kind: request.set ? 'update' : 'delete', id: '', values: new Map(sets) }]);
    try {
      return await this.writer.writeMany(whole, { links }, async (session, write) => {
        const rows = await this.found(table, where, request, session);
        this.tokens.check(table.id, token, request.asked, { rows, tables: [table] });
        const count = Math.ceil(rows.length / MAX_OPS);
        const portions = Array.from({ length: count }, (_, i) => () => {
          return this.opsOf(session, whole, rows.slice(i * MAX_OPS, (i + 1) * MAX_OPS), request);
        });
        const answerTo = (affected: number, meta: StreamMeta) => byFilterAnswer(rows.length, affected, meta);
        return this.portions.write(
          whole,
          contextOf(access),
          portions,
          manner,
          answerTo,
          this.rules.within(session, table, write),
        );
      });
    } catch (error) {
      if (error instanceof LinksRefused) throw invalid(belowSet([...error.findings.values()].flat().slice(0, 1)));
      if (Clashes.isOne(error)) {
        const { code, detail, errors = [] } = toldTo(table, error);
        throw new Problem(code, { detail, errors: belowSet(errors), cause: error });
      }
      throw error;
    }
  }

  private async opsOf(
    session: PgSession,
    table: TableSchema,
    rows: Found,
    { set }: ByFilterRequest,
  ): Promise<readonly RowOp[]> {
    if (!set) return rows.map(({ id }) => ({ kind: 'delete', id }));
    if (set.changes.size === 0) return rows.map(({ id }) => ({ kind: 'update', id, values: set.values }));
    const ids = rows.map(({ id }) => id);
    const held = await this.lookup.held(session, table, ids, [...set.changes.keys()]);
    return ids.map((id) => {
      const errors: ProblemItem[] = [];
      const fields = held.get(id)?.fields ?? {};
      const values = settle(set.changes, (column) => canonical(fields[column.key], column), '/set', errors);
      if (errors.length > 0) throw invalid(errors.map((item) => ({ ...item, rowId: id })));
      return { kind: 'update', id, values: new Map([...set.values, ...values]) };
    });
  }

  /** @throws Problem `limit_reached` */
  private async found(
    table: TableSchema,
    where: Condition,
    { maxAffected }: ByFilterRequest,
    session?: PgSession,
  ): Promise<Found> {
    const rows = await this.lookup.matching(table, where, maxAffected + 1, session);
    if (rows.length <= maxAffected) return rows;
    throw new Problem('limit_reached', {
      detail: `The filter finds more than ${maxAffected} rows. Narrow it, or raise maxAffected.`,
    });
  }
}

const byFilterAnswer = (matched: number, affected: number, { epoch, seq }: StreamMeta): Answer =>
  new Answer({ matched, affected, meta: { epoch, seq } }, { headers: { 'live-seq': String(seq) }, committed: true });

/** Findings of `fields` as this body calls it. */
const belowSet = (items: readonly ProblemItem[]): ProblemItem[] =>
  items.map((item) => ({ ...item, pointer: item.pointer.replace(/^\/fields/, '/set') }));
