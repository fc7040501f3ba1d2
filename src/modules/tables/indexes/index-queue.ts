import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import { newId, type Id } from '../../../common/index.js';
import { AuditedTransaction, isUniqueViolation } from '../../../database/main/index.js';
import { FOLLOWING_STATES, TableIndexEntity, type IndexStateName } from './table-index.entity.js';

/** Whoever works at an index says so every second; after this long without it, another node may go on. */
export const LEASE_SECONDS = 15;

/** Work at an index that this node, and no other, has taken on itself. */
export interface IndexJob {
  /** As it was taken, with the state `building`, `dropping` or `resting`, of which something may be there. */
  readonly index: TableIndexEntity;
  readonly lease: Id;
}

/** How far indexes are, between the nodes that build them: one at a time of each base. */
@Injectable()
export class IndexQueue {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** Takes what waits longest, first of all what a node left behind that is gone. Nodes that ask at once get different ones. */
  async claim(): Promise<IndexJob | undefined> {
    const lease = newId();
    try {
      const [taken] = await this.write(
        `update table_indexes set state = case when state in ('dropping', 'resting') then state else 'building' end,
           attempts = attempts + 1, leased_by = $1, lease_until = now() + make_interval(secs => $2)
         where id = (
           select i.id from table_indexes i join tables t on t.id = i.table_id join bases b on b.id = i.base_id
           where i.lease_until < now() or (
             i.lease_until is null and i.next_at <= now() and b.deleted_at is null
             and (i.state = 'dropping' or (i.state = 'resting' and i.definition <> '') or (i.state in ('pending', 'building') and t.deleted_at is null))
             and not exists (select from table_indexes o where o.base_id = i.base_id and o.lease_until is not null))
           order by i.lease_until nulls last, i.next_at, i.id limit 1 for update of i skip locked)
         returning id`,
        [lease, LEASE_SECONDS],
      );
      if (taken === undefined) return undefined;
    } catch (error) {
      // Another node took another index of the same base at the same moment.
      if (isUniqueViolation(error, 'table_indexes_one_build')) return undefined;
      throw error;
    }
    const index = await this.dataSource.manager.findOneBy(TableIndexEntity, { leasedBy: lease });
    return index ? { index, lease } : undefined;
  }

  /** Keeps the job for some more time. False: it is not ours any more, not wanted any more, or a structure change waits for the table. */
  async prolong({ index, lease }: IndexJob): Promise<boolean> {
    const [kept] = await this.write(
      `update table_indexes i set lease_until = now() + make_interval(secs => $3)
       where id = $1 and leased_by = $2 and state = $4 and not exists (
         select from schema_ops o where o.base_id = i.base_id and o.state = 'pending'
           and o.payload -> 'patch' -> 'tables' @> jsonb_build_array(jsonb_build_object('id', i.table_id)))
       returning id`,
      [index.id, lease, LEASE_SECONDS, index.state],
    );
    return kept !== undefined;
  }

  /** What it is going to be, before anything is built: whoever takes over knows what he may find. */
  async begin({ index, lease }: IndexJob, definition: string, version: number): Promise<void> {
    await this.write(
      'update table_indexes set definition = $3, checked_version = $4 where id = $1 and leased_by = $2 returning id',
      [index.id, lease, definition, version],
    );
  }

  /** Built. Of one that was unwanted meanwhile only the work ends. */
  async ready(job: IndexJob): Promise<void> {
    await this.end(job, "state = case state when 'building' then 'ready' else state end, error = null, attempts = 0");
  }

  /** It cannot be built. There is nothing of it in the mini-DB. */
  async fail(job: IndexJob, error: NonNullable<TableIndexEntity['error']>): Promise<void> {
    await this.end(job, "state = case state when 'building' then 'failed' else state end, error = $3", error);
  }

  /** To be tried again after so many seconds; `counted`, when this was a try that may have been the last. */
  async postpone(job: IndexJob, seconds: number, { counted }: { readonly counted: boolean }): Promise<void> {
    await this.end(
      job,
      `state = case state when 'building' then 'pending' else state end, attempts = attempts - $3::integer,
       next_at = now() + make_interval(secs => $4)`,
      counted ? 0 : 1,
      seconds,
    );
  }

  /** Dropped: nothing of it is left. */
  async remove({ index, lease }: IndexJob): Promise<void> {
    await this.write("delete from table_indexes where id = $1 and leased_by = $2 and state = 'dropping' returning id", [
      index.id,
      lease,
    ]);
  }

  /** Of one that rests nothing is left. */
  async laidToRest(job: IndexJob): Promise<void> {
    await this.end(job, "definition = case state when 'resting' then '' else definition end, attempts = 0");
  }

  /** Indexes of tables whose structure is another than the one that they were looked at with, by table. */
  async outdated(count: number): Promise<Id[]> {
    const rows: { readonly tableId: Id }[] = await this.dataSource
      .getRepository(TableIndexEntity)
      .createQueryBuilder('i')
      .select('distinct i.tableId', 'tableId')
      .innerJoin('tables', 't', 't.id = i.tableId and t.deleted_at is null and t.schema_version <> i.checkedVersion')
      .innerJoin('bases', 'b', 'b.id = i.baseId and b.deleted_at is null')
      .where({ state: In(FOLLOWING_STATES) })
      .limit(count)
      .getRawMany();
    return rows.map(({ tableId }) => tableId);
  }

  /** Looked at with this version of the structure: what it is now. One that is to be worked at is begun anew, and soon. */
  async checked({ id, state }: TableIndexEntity, version: number, next: IndexStateName): Promise<void> {
    await this.write(
      `update table_indexes set checked_version = $3, state = $4,
         attempts = case when state = $4 then attempts else 0 end, next_at = case when state = $4 then next_at else now() end
       where id = $1 and state = $2 and leased_by is null returning id`,
      [id, state, version, next],
    );
  }

  /** One that rested is there again, as it is to be. */
  async awoken({ id }: TableIndexEntity, version: number, definition: string): Promise<void> {
    await this.write(
      `update table_indexes set checked_version = $2, definition = $3, state = 'ready', error = null, attempts = 0
       where id = $1 and state = 'resting' and leased_by is null returning id`,
      [id, version, definition],
    );
  }

  private async end({ index, lease }: IndexJob, change: string, ...values: readonly unknown[]): Promise<void> {
    await this.write(
      `update table_indexes set ${change}, leased_by = null, lease_until = null where id = $1 and leased_by = $2 returning id`,
      [index.id, lease, ...values],
    );
  }

  private write(text: string, values: readonly unknown[]): Promise<{ readonly id: Id }[]> {
    return this.transaction.withoutAudit(async (manager) => {
      const [rows] = await manager.query<[{ readonly id: Id }[], number]>(text, [...values]);
      return rows;
    });
  }
}
