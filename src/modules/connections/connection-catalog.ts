import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { FreshCache, Metrics, isId, notFound, type Id } from '../../common/index.js';
import { ExternalEngines, type ConnectionTarget, type ExternalEngine } from '../../engines/index.js';
import { EventBus } from '../events/index.js';
import { targetOf } from './connection-target.js';
import { ConnectionEntity } from './connection.entity.js';
import { CredentialVault } from './credentials/credential-vault.js';

/** A connection that can be used. */
export interface OpenConnection {
  readonly workspaceId: Id;
  readonly name: string;
  readonly target: ConnectionTarget;
  /** Another one with each change. */
  readonly version: number;
}

/** Nobody works for longer with a connection that was changed or removed, also when the other nodes cannot be told. */
const MAX_AGE_MS = 5_000;

/** Connections, from memory. */
@Injectable()
export class ConnectionCatalog {
  private readonly cache = new FreshCache<ConnectionEntity>({
    maxEntries: 5_000,
    maxAgeMs: MAX_AGE_MS,
    load: async (id) => (await this.connections.findOneBy({ id })) ?? undefined,
  });

  /** Opened once for each time that a connection is read: the vault may be a service elsewhere, and every request comes through here. */
  private readonly targets = new WeakMap<ConnectionEntity, Promise<ConnectionTarget>>();

  constructor(
    @InjectRepository(ConnectionEntity) private readonly connections: Repository<ConnectionEntity>,
    private readonly vault: CredentialVault,
    private readonly engines: ExternalEngines,
    bus: EventBus,
    metrics: Metrics,
  ) {
    metrics.cache('connections', this.cache);
    bus.on('connection.changed', ({ connectionId }) => {
      this.cache.drop(connectionId);
      engines.retire(connectionId);
    });
  }

  /** The workspace that an id of a connection leads to. */
  async workspaceOf(connectionId: Id): Promise<Id | undefined> {
    return isId(connectionId) ? (await this.cache.get(connectionId))?.workspaceId : undefined;
  }

  /** Those of the connections that there are now: one query, not from memory. For what outlives a request. */
  async existing(ids: readonly Id[]): Promise<ReadonlySet<Id>> {
    const found = await this.connections.find({ select: { id: true }, where: { id: In([...ids]) } });
    return new Set(found.map(({ id }) => id));
  }

  /** @throws Problem `not_found`, also for one of another workspace; `source_unreachable` its password cannot be decrypted */
  async find(workspaceId: Id, connectionId: Id): Promise<OpenConnection> {
    const found = await this.cache.get(connectionId);
    if (found?.workspaceId !== workspaceId) throw notFound('connection');
    const { name, version } = found;
    return { workspaceId, name, version, target: await this.targetOf(found) };
  }

  /** What the connection is asked through. Throws as {@link find}. */
  async engineOf(workspaceId: Id, connectionId: Id): Promise<ExternalEngine> {
    return this.engineFor(await this.find(workspaceId, connectionId));
  }

  /** What a connection that was found is asked through. */
  engineFor({ target, version }: OpenConnection): ExternalEngine {
    return this.engines.engineFor(target, version);
  }

  private targetOf(connection: ConnectionEntity): Promise<ConnectionTarget> {
    const known = this.targets.get(connection);
    if (known) return known;
    const opened = targetOf(connection, this.vault);
    this.targets.set(connection, opened);
    // A vault that could not be reached is asked again.
    opened.catch(() => this.targets.delete(connection));
    return opened;
  }
}
