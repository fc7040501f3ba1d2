import { DataSource, MoreThan, Not } from 'typeorm';
import { faultPoint, type AppConfig } from '../../../config/index.js';
import {
  AuditedTransaction,
  AuditLogEntity,
  mainDataSourceOptions,
  OutboxEntity,
  systemActor,
} from '../../../database/main/index.js';
import { ConnectionEntity } from '../connection.entity.js';
import { connectionAudit } from '../describe-connection.js';
import type { CredentialVault } from './credential-vault.js';
import { LocalVault } from './local-vault.js';

const BATCH = 20;
const FIRST = '00000000-0000-0000-0000-000000000000';

/** How many stored passwords are under which key. */
export interface KeyCount {
  readonly keyId: string;
  readonly present: boolean;
  readonly passwords: number;
}

/** What one run did. */
export interface Rotated {
  readonly rotated: number;
  /** Sealed under keys that are not there, or damaged. */
  readonly unreadable: number;
}

/** Somebody else changed the password, or sealed it anew, in between: his is the one that counts. */
class Outrun extends Error {}

/**
 * Seals stored passwords anew under the present key, one after the other, each in a transaction of its own: it can run beside servers, more
 * than once at a time, and be ended at any moment; what is done is done, and the next run goes on.
 */
export class KeyRotation {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transaction: AuditedTransaction,
    private readonly vault: CredentialVault,
  ) {}

  /** @param tell hears after each batch how many it were so far */
  async rotate(tell: (rotated: number) => void): Promise<Rotated> {
    let [rotated, unreadable, after] = [0, 0, FIRST];
    for (;;) {
      const batch = await this.dataSource.manager.find(ConnectionEntity, {
        where: { keyId: Not(this.vault.keyId), id: MoreThan(after) },
        order: { id: 'ASC' },
        take: BATCH,
      });
      for (const connection of batch) {
        const done = await this.reseal(connection);
        if (done === 'rotated') rotated++;
        if (done === 'unreadable') unreadable++;
        after = connection.id;
      }
      if (batch.length === 0) return { rotated, unreadable };
      tell(rotated);
      await faultPoint('keys.batch');
    }
  }

  /** Of all passwords, by key. */
  async counts(): Promise<readonly KeyCount[]> {
    const rows = await this.dataSource.manager
      .createQueryBuilder(ConnectionEntity, 'connection')
      .select(['key_id as "keyId"', 'count(*)::int as passwords'])
      .groupBy('key_id')
      .orderBy('key_id')
      .getRawMany<Omit<KeyCount, 'present'>>();
    return rows.map((row) => ({ ...row, present: row.keyId === this.vault.keyId }));
  }

  private async reseal(connection: ConnectionEntity): Promise<'rotated' | 'unreadable' | 'outrun'> {
    const { id, sealedPassword: before } = connection;
    const password = await this.vault.open(id, before);
    if (password === undefined) return 'unreadable';
    const { sealed: sealedPassword, keyId } = await this.vault.seal(id, password);
    try {
      await this.transaction.run(systemActor('keys:rotate'), async (manager) => {
        const { affected } = await manager.update(
          ConnectionEntity,
          { id, sealedPassword: before },
          { sealedPassword, keyId },
        );
        if (affected !== 1) throw new Outrun();
        return {
          result: undefined,
          audit: [connectionAudit(connection, 'connection.rekeyed', { after: { keyId } })],
          events: [],
        };
      });
      return 'rotated';
    } catch (error) {
      if (error instanceof Outrun) return 'outrun';
      throw error;
    }
  }
}

/** A rotation for a command, without the application around it. */
export async function openKeyRotation(
  config: AppConfig,
): Promise<{ readonly rotation: KeyRotation; close(): Promise<void> }> {
  const dataSource = await new DataSource({
    ...mainDataSourceOptions(config.mainDb),
    entities: [ConnectionEntity, AuditLogEntity, OutboxEntity],
  }).initialize();
  return {
    rotation: new KeyRotation(dataSource, new AuditedTransaction(dataSource), new LocalVault(config)),
    close: () => dataSource.destroy(),
  };
}
