import { DataSource } from 'typeorm';
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
import { sealedIn, type SealedStore, type SealedThing } from './sealed-store.js';

const BATCH = 20;
const FIRST = '00000000-0000-0000-0000-000000000000';

/** How many stored secrets are under which key. */
export interface KeyCount {
  readonly keyId: string;
  readonly present: boolean;
  readonly secrets: number;
}

/** What one run did. */
export interface Rotated {
  readonly rotated: number;
  /** Sealed under keys that are not there, or damaged. */
  readonly unreadable: number;
}

/** Somebody else changed the secret, or sealed it anew, in between: his is the one that counts. */
class Outrun extends Error {}

/** The passwords of connections. */
const PASSWORDS = sealedIn(ConnectionEntity, 'sealedPassword', (connection, keyId) =>
  connectionAudit(connection, 'connection.rekeyed', { after: { keyId } }),
);

/**
 * Seals stored secrets anew under the present key, one after the other, each in a transaction of its own: it can run beside servers, more
 * than once at a time, and be ended at any moment; what is done is done, and the next run goes on.
 */
export class KeyRotation {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transaction: AuditedTransaction,
    private readonly vault: CredentialVault,
    private readonly stores: readonly SealedStore[],
  ) {}

  /** @param tell hears after each batch how many it were so far */
  async rotate(tell: (rotated: number) => void): Promise<Rotated> {
    let [rotated, unreadable] = [0, 0];
    for (const store of this.stores)
      for (let after = FIRST; ;) {
        const batch = await store.batch(this.dataSource.manager, this.vault.keyId, after, BATCH);
        for (const thing of batch) {
          const done = await this.reseal(thing);
          if (done === 'rotated') rotated++;
          if (done === 'unreadable') unreadable++;
          after = thing.id;
        }
        if (batch.length === 0) break;
        tell(rotated);
        await faultPoint('keys.batch');
      }
    return { rotated, unreadable };
  }

  /** Of all secrets, by key. */
  async counts(): Promise<readonly KeyCount[]> {
    const sums = new Map<string, number>();
    for (const store of this.stores)
      for (const { keyId, secrets } of await store.counts(this.dataSource.manager))
        sums.set(keyId, (sums.get(keyId) ?? 0) + secrets);
    return [...sums]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([keyId, secrets]) => ({ keyId, secrets, present: keyId === this.vault.keyId }));
  }

  private async reseal(thing: SealedThing): Promise<'rotated' | 'unreadable' | 'outrun'> {
    const { id } = thing;
    const secret = await this.vault.open(id, thing.sealed);
    if (secret === undefined) return 'unreadable';
    const anew = await this.vault.seal(id, secret);
    try {
      await this.transaction.run(systemActor('keys:rotate'), async (manager) => {
        if (!(await thing.put(manager, anew))) throw new Outrun();
        return { result: undefined, audit: [thing.audit(anew.keyId)], events: [] };
      });
      return 'rotated';
    } catch (error) {
      if (error instanceof Outrun) return 'outrun';
      throw error;
    }
  }
}

/**
 * A rotation for a command, without the application around it.
 * @param others tables with secrets besides the connections
 */
export async function openKeyRotation(
  config: AppConfig,
  others: readonly SealedStore[],
): Promise<{ readonly rotation: KeyRotation; close(): Promise<void> }> {
  const stores = [PASSWORDS, ...others];
  const dataSource = await new DataSource({
    ...mainDataSourceOptions(config.mainDb),
    entities: [...stores.map(({ entity }) => entity), AuditLogEntity, OutboxEntity],
  }).initialize();
  return {
    rotation: new KeyRotation(dataSource, new AuditedTransaction(dataSource), new LocalVault(config), stores),
    close: () => dataSource.destroy(),
  };
}
