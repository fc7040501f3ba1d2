import { MoreThan, Not, type EntityManager, type EntityTarget, type FindOptionsWhere } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';
import type { Id } from '../../../common/index.js';
import type { AuditedManager, AuditEntry } from '../../../database/main/index.js';
import type { SealedSecret } from './credential-vault.js';

/** Something with a secret that is kept sealed. */
interface Holder {
  readonly id: Id;
  readonly keyId: string;
}

/** One of them, as the rotation of keys knows it. */
export interface SealedThing {
  readonly id: Id;
  readonly sealed: Buffer;
  /** Puts the secret, sealed anew, in the place of this one; false when it is another by now. */
  put(manager: AuditedManager, anew: SealedSecret): Promise<boolean>;
  readonly audit: (keyId: string) => AuditEntry;
}

/** A table with sealed secrets. */
export interface SealedStore {
  readonly entity: EntityTarget<object> & (new () => object);
  /** Those that are under another key, behind an id. */
  batch(manager: EntityManager, keyId: string, after: Id, take: number): Promise<readonly SealedThing[]>;
  /** How many secrets are under which key. */
  counts(manager: EntityManager): Promise<readonly { readonly keyId: string; readonly secrets: number }[]>;
}

/**
 * The store of an entity whose secret is in the member `secret`, and the id of its key in `keyId`.
 * @param audit the entry for one that was sealed anew
 */
export function sealedIn<Secret extends string, E extends Holder & Readonly<Record<Secret, Buffer>>>(
  entity: new () => E,
  secret: Secret,
  audit: (holder: E, keyId: string) => AuditEntry,
): SealedStore {
  // Sound: `E` has these members; TypeORM's own types cannot see it of a type parameter.
  const where = (members: object) => members as FindOptionsWhere<E>;
  const thing = (holder: E): SealedThing => {
    const { id, [secret]: sealed } = holder;
    return {
      ...{ id, sealed },
      audit: (keyId) => audit(holder, keyId),
      put: async (manager, anew) => {
        const values = { [secret]: anew.sealed, keyId: anew.keyId } as unknown as QueryDeepPartialEntity<E>;
        const { affected } = await manager.update(entity, where({ id, [secret]: sealed }), values);
        return affected === 1;
      },
    };
  };
  return {
    entity,
    batch: async (manager, keyId, after, take) => {
      const query = manager
        .createQueryBuilder(entity, 'holder')
        .where(where({ keyId: Not(keyId), id: MoreThan(after) }));
      return (await query.orderBy('holder.id', 'ASC').limit(take).getMany()).map(thing);
    },
    counts: (manager) =>
      manager
        .createQueryBuilder(entity, 'holder')
        .select(['key_id as "keyId"', 'count(*)::int as secrets'])
        .groupBy('key_id')
        .getRawMany<{ readonly keyId: string; readonly secrets: number }>(),
  };
}
