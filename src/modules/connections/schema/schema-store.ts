import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Id } from '../../../common/index.js';
import { AuditedTransaction } from '../../../database/main/index.js';
import type { FoundObject } from '../../../engines/index.js';
import { ConnectionSchemaEntity } from './connection-schema.entity.js';
import type { Drift } from './drift.js';

/** What was found in a database. */
export interface FoundSchema {
  readonly objects: readonly FoundObject[];
  readonly drift: Drift;
  readonly discoveredAt: Date;
}

/** Who looks has this long; afterwards another node may. */
export const CLAIM_SECONDS = 60;

/** Schemas that were found, in the main database, and the right to look for one: one node at a time. */
@Injectable()
export class SchemaStore {
  constructor(
    @InjectRepository(ConnectionSchemaEntity) private readonly schemas: Repository<ConnectionSchemaEntity>,
    private readonly transaction: AuditedTransaction,
  ) {}

  async find(connectionId: Id): Promise<FoundSchema | undefined> {
    const row = await this.schemas.findOneBy({ connectionId });
    if (!row?.objects || !row.drift || !row.discoveredAt) return undefined;
    const { objects, drift, discoveredAt } = row;
    return { objects, drift, discoveredAt };
  }

  /** The right to look, for a while. False while somebody else has it. */
  async claim(connectionId: Id): Promise<boolean> {
    const claimed = await this.transaction.withoutAudit((manager) =>
      manager.query<unknown[]>(
        `insert into connection_schemas as s (connection_id, claimed_until)
         select id, now() + make_interval(secs => $2) from connections where id = $1
         on conflict (connection_id) do update set claimed_until = excluded.claimed_until
         where s.claimed_until is null or s.claimed_until < now() returning 1`,
        [connectionId, CLAIM_SECONDS],
      ),
    );
    return claimed.length > 0;
  }

  /** Keeps what was found and gives the right back; nothing is kept when the connection leads elsewhere by now, or is gone. */
  async keep(connectionId: Id, version: number, { objects, drift, discoveredAt }: FoundSchema): Promise<void> {
    await this.transaction.withoutAudit((manager) =>
      manager.query(
        `update connection_schemas set objects = $3, drift = $4, discovered_at = $5, claimed_until = null
         where connection_id = (select id from connections where id = $1 and version = $2 for key share)`,
        [connectionId, version, JSON.stringify(objects), JSON.stringify(drift), discoveredAt],
      ),
    );
  }

  /** Gives the right back. */
  async release(connectionId: Id): Promise<void> {
    await this.transaction.withoutAudit((manager) =>
      manager.update(ConnectionSchemaEntity, { connectionId }, { claimedUntil: null }),
    );
  }
}
