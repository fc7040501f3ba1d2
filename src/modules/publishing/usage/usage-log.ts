import { Injectable } from '@nestjs/common';
import { DataSource, In } from 'typeorm';
import type { Id } from '../../../common/index.js';
import { AuditedTransaction, type Actor } from '../../../database/main/index.js';
import { ApiKeyEntity } from '../keys/api-key.entity.js';
import { NO_KEY, type HourOfUse } from './hour-of-use.js';

const KEPT_DAYS = 90;
const PRUNE_EVERY_MS = 3_600_000;

/** One line of the report. */
export interface UseOfHour extends Omit<HourOfUse, 'viewId'> {
  readonly keyName: string | null;
}

/** How published views are read, by key and hour, in the main database. */
@Injectable()
export class UsageLog {
  private pruned = 0;

  constructor(
    private readonly dataSource: DataSource,
    private readonly transaction: AuditedTransaction,
  ) {}

  /**
   * Adds to what the nodes have counted in these hours. Of publications that are gone nothing is kept. Of each key the first use within an
   * hour is in the audit log, too: that it was used, and about when, for as long as the log is kept.
   */
  async add(uses: readonly HourOfUse[]): Promise<void> {
    const records = uses.map(({ viewId, apiVersion, keyId, hour, notModified, cacheHits, ...use }) => ({
      ...use,
      ...{
        view_id: viewId,
        api_version: apiVersion,
        key_id: keyId,
        hour,
        not_modified: notModified,
        cache_hits: cacheHits,
      },
    }));
    const added: AddedUse[] = await this.transaction.withoutAudit((manager) =>
      // In the order of the key: two nodes that add at once wait for each other, never in a circle.
      manager.query(
        `insert into view_api_usage as u (view_id, api_version, key_id, hour, requests, not_modified, cache_hits, errors, rows, bytes, latencies)
         select r.view_id, r.api_version, r.key_id, r.hour, r.requests, r.not_modified, r.cache_hits, r.errors, r.rows, r.bytes, r.latencies
         from json_to_recordset($1::json) as r(view_id uuid, api_version integer, key_id uuid, hour timestamptz, requests bigint, not_modified bigint,
           cache_hits bigint, errors bigint, rows bigint, bytes bigint, latencies bigint[])
         join view_apis a on a.view_id = r.view_id
         order by r.view_id, r.api_version, r.key_id, r.hour
         on conflict (view_id, api_version, key_id, hour) do update set requests = u.requests + excluded.requests,
           not_modified = u.not_modified + excluded.not_modified, cache_hits = u.cache_hits + excluded.cache_hits,
           errors = u.errors + excluded.errors, rows = u.rows + excluded.rows, bytes = u.bytes + excluded.bytes,
           latencies = (select array_agg(a + b order by i) from unnest(u.latencies, excluded.latencies) with ordinality as l(a, b, i))
         returning key_id, hour, xmax = 0 as first`,
        [JSON.stringify(records)],
      ),
    );
    await this.record(added.filter(({ key_id: id, first }) => first && id !== NO_KEY));
  }

  private async record(uses: readonly AddedUse[]): Promise<void> {
    if (uses.length === 0) return;
    const keys = await this.dataSource.getRepository(ApiKeyEntity).findBy({ id: In(uses.map((use) => use.key_id)) });
    for (const { key_id: keyId, hour } of uses) {
      const key = keys.find(({ id }) => id === keyId);
      if (!key) continue;
      const { id, name, workspaceId, viewId } = key;
      const actor: Actor = { id, name, via: 'api_key', request: { requestId: 'usage', ip: '', userAgent: '' } };
      const resource = { type: 'api_key', id, name };
      const entry = { workspaceId, action: 'api_key.used', resource, after: { viewId, hour: hour.toISOString() } };
      await this.transaction.run(actor, () => Promise.resolve({ result: undefined, audit: [entry], events: [] }));
    }
  }

  /** Forgets what is old, once an hour. */
  async prune(): Promise<void> {
    if (Date.now() - this.pruned < PRUNE_EVERY_MS) return;
    this.pruned = Date.now();
    await this.transaction.withoutAudit((manager) =>
      manager.query('delete from view_api_usage where hour < now() - make_interval(days => $1)', [KEPT_DAYS]),
    );
  }

  /** Newest hour first. */
  async ofView(viewId: Id, { since, apiVersion, limit }: Wanted): Promise<UseOfHour[]> {
    const ofVersion = apiVersion === undefined ? '' : ' and u.api_version = :apiVersion';
    const rows: StoredUse[] = await this.dataSource
      .createQueryBuilder()
      .select('u.*')
      .addSelect('k.name', 'key_name')
      .from('view_api_usage', 'u')
      .leftJoin('view_api_keys', 'k', 'k.id = u.key_id')
      .where(`u.view_id = :viewId and u.hour >= :since${ofVersion}`, { viewId, since, apiVersion })
      .orderBy('u.hour', 'DESC')
      .addOrderBy('u.api_version', 'DESC')
      .addOrderBy('u.key_id', 'ASC')
      .limit(limit)
      .getRawMany();
    return rows.map(toUse);
  }
}

/** Which lines, and how many at most. */
interface Wanted {
  readonly since: Date;
  /** Undefined: of all. */
  readonly apiVersion: number | undefined;
  readonly limit: number;
}

/** A line that was added, or added to. */
interface AddedUse {
  readonly key_id: Id;
  readonly hour: Date;
  readonly first: boolean;
}

interface StoredUse {
  readonly api_version: number;
  readonly key_id: Id;
  readonly key_name: string | null;
  readonly hour: Date;
  readonly requests: string;
  readonly not_modified: string;
  readonly cache_hits: string;
  readonly errors: string;
  readonly rows: string;
  readonly bytes: string;
  readonly latencies: readonly string[];
}

const toUse = (row: StoredUse): UseOfHour => ({
  apiVersion: row.api_version,
  keyId: row.key_id,
  keyName: row.key_name,
  hour: row.hour,
  requests: Number(row.requests),
  notModified: Number(row.not_modified),
  cacheHits: Number(row.cache_hits),
  errors: Number(row.errors),
  rows: Number(row.rows),
  bytes: Number(row.bytes),
  latencies: row.latencies.map(Number),
});
