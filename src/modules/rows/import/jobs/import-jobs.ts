import { Injectable } from '@nestjs/common';
import { DataSource, LessThan, Raw } from 'typeorm';
import { must, newId, Problem, type Id, type ProblemBody } from '../../../../common/index.js';
import { AuditedTransaction, REPEATABLE_MS, type AuditedManager } from '../../../../database/main/index.js';
import { ImportJobEntity, NO_PROGRESS, type ProgressCounts } from './import-job.entity.js';

/** Whoever works at an import says so every few seconds; after this long without it, another may go on. */
const LEASE_SECONDS = 20;
/** Imports of a workspace in the background that are not over. */
const MOST_WAITING = 20;

/** An import that this process, and nobody else, has taken on itself. */
export interface TakenImport {
  readonly job: ImportJobEntity;
  readonly lease: Id;
}

/** One that is not there yet. */
export type NewImport = Pick<
  ImportJobEntity,
  | 'id'
  | 'workspaceId'
  | 'baseId'
  | 'tableId'
  | 'wish'
  | 'form'
  | 'caller'
  | 'bytes'
  | 'stored'
  | 'keyName'
  | 'keyRequest'
>;

/** How an import ended. */
export type ImportEnd =
  | { readonly state: 'done'; readonly result: NonNullable<ImportJobEntity['result']> }
  | { readonly state: 'failed' | 'cancelled' | 'interrupted'; readonly problem: ProblemBody };

/** The table of imports: who works at which, how far it is, what became of it. */
@Injectable()
export class ImportJobs {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transaction: AuditedTransaction,
  ) {}

  /** Begins it, unless there is one under its key: then that. @throws Problem `limit_reached` */
  async begin(wanted: NewImport): Promise<TakenImport | { readonly before: ImportJobEntity }> {
    const lease = newId();
    const { id, workspaceId, baseId, tableId, wish, form, caller, bytes, stored, keyName, keyRequest } = wanted;
    await this.transaction.withoutAudit(async (manager) => {
      // A key is free again after a day, like those of all other requests.
      if (keyName)
        await manager.query(
          'update imports set key_name = null where key_name = $1 and created_at < now() - make_interval(secs => $2)',
          [keyName, REPEATABLE_MS / 1000],
        );
      const [made] = await manager.query<{ readonly id: Id }[]>(
        `insert into imports (id, workspace_id, base_id, table_id, wish, form, caller, bytes, stored, arrived, key_name, key_request,
           state, leased_by, lease_until, attempts, next_at, progress, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, not $9, $10, $11, 'running', $12, now() + make_interval(secs => $13), 1, now(), $14, now())
         on conflict (key_name) do nothing returning id`,
        [
          id,
          workspaceId,
          baseId,
          tableId,
          wish,
          form,
          caller,
          bytes,
          stored,
          keyName,
          keyRequest,
          lease,
          LEASE_SECONDS,
          NO_PROGRESS,
        ],
      );
      if (made && stored) await mustHaveRoom(manager, workspaceId);
    });
    const job = await this.leased(lease);
    if (job) return { job, lease };
    const before = keyName && (await this.dataSource.manager.findOneBy(ImportJobEntity, { keyName }));
    if (before) return { before };
    throw new Problem('conflict', { detail: 'The import under this key was removed in this very moment.' });
  }

  /** Takes up one that did not come to its end, for whoever has its file again. Undefined: somebody works at it, or it is done. */
  async takeUp(id: Id, stored: boolean): Promise<TakenImport | undefined> {
    return this.take(
      `select id from imports where id = $6 and not stored and (state in ('failed', 'interrupted') or (state = 'running' and lease_until < now()))
       for update skip locked`,
      stored,
      id,
    );
  }

  /** Takes up one whose file is stored and at which nobody works. Nodes that ask at once get different ones. */
  async claim(): Promise<TakenImport | undefined> {
    return this.take(
      `select i.id from imports i join bases b on b.id = i.base_id and b.deleted_at is null
       where i.stored and i.state = 'running' and i.next_at <= now() and (i.lease_until is null or i.lease_until < now())
       order by i.next_at, i.id limit 1 for update of i skip locked`,
      true,
    );
  }

  /** Keeps it for some more time. Undefined: it is not ours any more. */
  async prolong(
    { job, lease }: TakenImport,
    progress: ProgressCounts,
  ): Promise<{ readonly cancelled: boolean } | undefined> {
    const [kept] = await this.write<{ readonly cancelled: boolean }>(
      `update imports set lease_until = now() + make_interval(secs => $3), progress = $4 where id = $1 and leased_by = $2 and state = 'running'
       returning cancel_requested as cancelled`,
      [job.id, lease, LEASE_SECONDS, progress],
    );
    return kept;
  }

  /** Lets go of one whose file is stored, to go on in the background, not before so many seconds. */
  async release({ job, lease }: TakenImport, seconds = 0): Promise<void> {
    await this.write(
      `update imports set arrived = true, leased_by = null, lease_until = null, next_at = now() + make_interval(secs => $3)
       where id = $1 and leased_by = $2 returning id`,
      [job.id, lease, seconds],
    );
  }

  /** Its file is stored now, and so long. */
  async fetched({ job, lease }: TakenImport, bytes: number): Promise<void> {
    job.bytes = String(bytes);
    await this.write('update imports set bytes = $3 where id = $1 and leased_by = $2 returning id', [
      job.id,
      lease,
      bytes,
    ]);
  }

  async end({ job, lease }: TakenImport, progress: ProgressCounts, end: ImportEnd): Promise<void> {
    await this.write(
      `update imports set state = $3, progress = $4, result = $5, problem = $6, finished_at = now(), leased_by = null, lease_until = null
       where id = $1 and leased_by = $2 returning id`,
      [
        job.id,
        lease,
        end.state,
        progress,
        'result' in end ? JSON.stringify(end.result) : null,
        'problem' in end ? JSON.stringify(end.problem) : null,
      ],
    );
  }

  find(id: Id): Promise<ImportJobEntity | null> {
    return this.dataSource.manager.findOneBy(ImportJobEntity, { id });
  }

  /** The latest ones, before one of them, without what is long of them; `by`: those of one person. */
  ofTable(
    tableId: Id,
    count: number,
    { before, by }: { readonly before?: Id | undefined; readonly by?: Id | undefined },
  ): Promise<Omit<ImportJobEntity, 'result' | 'problem'>[]> {
    return this.dataSource.manager.find(ImportJobEntity, {
      select: {
        id: true,
        baseId: true,
        tableId: true,
        wish: true,
        state: true,
        cancelRequested: true,
        bytes: true,
        progress: true,
        caller: true,
        createdAt: true,
        finishedAt: true,
      },
      where: {
        tableId,
        ...(before === undefined ? {} : { id: LessThan(before) }),
        ...(by === undefined ? {} : { caller: Raw((caller) => `${caller} #>> '{principal,userId}' = :by`, { by }) }),
      },
      // Ids are in the order of time.
      order: { id: 'DESC' },
      take: count,
    });
  }

  /** The workspace of one in a base that is there. */
  async workspaceOf(id: Id): Promise<Id | undefined> {
    const row = await this.dataSource.manager
      .createQueryBuilder(ImportJobEntity, 'import')
      .select('import.workspaceId', 'id')
      .innerJoin('bases', 'base', 'base.id = import.baseId and base.deleted_at is null')
      .where({ id })
      .getRawOne<{ readonly id: Id }>();
    return row?.id;
  }

  /** Of its base, in the mini-DB. */
  async schemaOf({ baseId }: Pick<ImportJobEntity, 'baseId'>): Promise<string> {
    const row = await this.dataSource.manager
      .createQueryBuilder()
      .select('base.schema_name', 'schema')
      .from('bases', 'base')
      .where('base.id = :baseId', { baseId })
      .getRawOne<{ readonly schema: string }>();
    return must(row, 'an import goes with its base').schema;
  }

  /** Tells of those whose caller and node are gone that nobody works at them. */
  async noteInterrupted(problem: ProblemBody): Promise<number> {
    const rows = await this.write(
      `update imports set state = 'interrupted', problem = $1, finished_at = now(), leased_by = null, lease_until = null
       where state = 'running' and not stored and lease_until < now() returning id`,
      [JSON.stringify(problem)],
    );
    return rows.length;
  }

  /** Those that are over and whose files are still stored. */
  leftovers(limit: number): Promise<ImportJobEntity[]> {
    return this.dataSource.manager
      .createQueryBuilder(ImportJobEntity, 'import')
      .where("import.stored and import.state <> 'running'")
      .limit(limit)
      .getMany();
  }

  /** Its file is stored no longer. */
  async unstored(id: Id): Promise<void> {
    await this.write("update imports set stored = false where id = $1 and state <> 'running' returning id", [id]);
  }

  /** Removes those that are over, and were begun before, and have no file. @returns how many */
  async forget(before: Date, atMost: number): Promise<number> {
    const gone = await this.write(
      `delete from imports where id in (
         select id from imports where created_at < $1 and state <> 'running' and not stored limit $2 for update skip locked) returning id`,
      [before, atMost],
    );
    return gone.length;
  }

  private async take(select: string, stored: boolean, ...values: readonly unknown[]): Promise<TakenImport | undefined> {
    const lease = newId();
    const [taken] = await this.write(
      `update imports set state = 'running', leased_by = $1, lease_until = now() + make_interval(secs => $2), attempts = attempts + 1, stored = $3, arrived = not $3 or stored,
         -- A table that a try left in the trash is not filled any more: its name is free, its id is not.
         table_id = case when wish ->> 'kind' = 'table'
           and exists (select from tables t where t.id = imports.table_id and t.deleted_at is not null) then $5 else table_id end,
         progress = case when wish ->> 'onError' = 'skip' then progress else $4 end,
         cancel_requested = cancel_requested and state = 'running', problem = null, finished_at = null
       where id = (${select}) returning id`,
      [lease, LEASE_SECONDS, stored, NO_PROGRESS, newId(), ...values],
    );
    const job = taken && (await this.leased(lease));
    return job ? { job, lease } : undefined;
  }

  private leased(leasedBy: Id): Promise<ImportJobEntity | null> {
    return this.dataSource.manager.findOneBy(ImportJobEntity, { leasedBy });
  }

  private write<T = { readonly id: Id }>(text: string, values: readonly unknown[]): Promise<T[]> {
    return this.transaction.withoutAudit(async (manager) => {
      const [rows] = await manager.query<[T[], number]>(text, [...values]);
      return rows;
    });
  }
}

/** With the one that was just begun. */
async function mustHaveRoom(manager: AuditedManager, workspaceId: Id): Promise<void> {
  const [row] = await manager.query<{ readonly n: string }[]>(
    "select count(*) as n from imports where workspace_id = $1 and stored and state = 'running'",
    [workspaceId],
  );
  if (Number(row?.n) > MOST_WAITING)
    throw new Problem('limit_reached', {
      detail: `A workspace has at most ${MOST_WAITING} imports in the background.`,
    });
}
