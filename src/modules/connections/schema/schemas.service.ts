import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { FreshCache, Problem, type Id } from '../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../config/index.js';
import type { ConnectionTarget, FoundObject } from '../../../engines/index.js';
import { EventBus } from '../../events/index.js';
import { ConnectionCatalog } from '../connection-catalog.js';
import { driftBetween, NO_DRIFT } from './drift.js';
import { SchemaStore, type FoundSchema } from './schema-store.js';

/** A connection with what is in its database. */
export interface ConnectionSchema {
  readonly target: ConnectionTarget;
  /** Of the connection. */
  readonly version: number;
  readonly objects: readonly FoundObject[];
}

/** Other nodes that look are asked this often whether they are done. */
const POLL_MS = 250;
const MEMORY_MS = 60_000;

/** What is in external databases: as it was found, until it is too old or somebody wants it read anew. */
@Injectable()
export class ConnectionSchemas {
  private readonly maxAgeMs: number;
  /** Discoveries that are under way on this node; who asks meanwhile gets what they find. */
  private readonly running = new Map<string, Promise<FoundSchema>>();
  private readonly memory: FreshCache<FoundSchema>;

  constructor(
    private readonly catalog: ConnectionCatalog,
    private readonly store: SchemaStore,
    private readonly bus: EventBus,
    @Inject(APP_CONFIG) config: AppConfig,
  ) {
    this.maxAgeMs = config.external.schemaMaxAgeMs;
    this.memory = new FreshCache({ maxEntries: 200, maxAgeMs: MEMORY_MS, load: (id) => store.find(id) });
    bus.on('connection.changed', ({ connectionId }) => this.memory.drop(connectionId));
    bus.on('connection.discovered', ({ connectionId }) => this.memory.drop(connectionId));
  }

  /**
   * For plans of queries.
   * @throws Problem `not_found`; those of the database when it was never looked at
   */
  async schemaOf(workspaceId: Id, connectionId: Id): Promise<ConnectionSchema> {
    const { target, version } = await this.catalog.find(workspaceId, connectionId);
    const { objects } = await this.find(workspaceId, connectionId);
    return { target, version, objects };
  }

  /** Whether there is such an object (`schema.name`), by what was found the last time, however long ago. Throws as {@link schemaOf}. */
  async knows(workspaceId: Id, connectionId: Id, object: string): Promise<boolean> {
    const { objects } = (await this.memory.get(connectionId)) ?? (await this.find(workspaceId, connectionId));
    return objects.some(({ schema, name }) => `${schema}.${name}` === object);
  }

  /** What was found; looked for now when it never was, or is too old. A database that fails leaves what there is. */
  async find(workspaceId: Id, connectionId: Id): Promise<FoundSchema> {
    await this.catalog.find(workspaceId, connectionId);
    const known = await this.memory.get(connectionId);
    if (known && Date.now() - known.discoveredAt.getTime() < this.maxAgeMs) return known;
    try {
      return await this.look(workspaceId, connectionId, known);
    } catch (error) {
      if (known && error instanceof Problem && error.code !== 'not_found') return known;
      throw error;
    }
  }

  /** What is there now. @throws Problem `not_found`; those of the database */
  async refresh(workspaceId: Id, connectionId: Id): Promise<FoundSchema> {
    await this.catalog.find(workspaceId, connectionId);
    return this.look(workspaceId, connectionId);
  }

  private look(workspaceId: Id, connectionId: Id, instead?: FoundSchema): Promise<FoundSchema> {
    const name = `${connectionId} ${instead ? 'or what there is' : ''}`;
    const running = this.running.get(name);
    if (running) return running;
    const begun = this.claimed(workspaceId, connectionId, instead).finally(() => this.running.delete(name));
    this.running.set(name, begun);
    return begun;
  }

  /** One looks at a time, on all nodes; the others wait for what it finds, or take what there is `instead`. */
  private async claimed(workspaceId: Id, connectionId: Id, instead?: FoundSchema): Promise<FoundSchema> {
    const begin = Date.now();
    while (!(await this.store.claim(connectionId))) {
      if (instead) return instead;
      await delay(POLL_MS);
      await this.catalog.find(workspaceId, connectionId);
      const found = await this.store.find(connectionId);
      if (found && found.discoveredAt.getTime() >= begin) return found;
    }
    try {
      return await this.discover(workspaceId, connectionId);
    } catch (error) {
      await this.store.release(connectionId);
      throw error;
    }
  }

  private async discover(workspaceId: Id, connectionId: Id): Promise<FoundSchema> {
    const { version } = await this.catalog.find(workspaceId, connectionId);
    const before = await this.store.find(connectionId);
    const engine = await this.catalog.engineOf(workspaceId, connectionId);
    const objects = await engine.discover();
    const drift = before ? driftBetween(before.objects, objects) : NO_DRIFT;
    const found = { objects, drift, discoveredAt: new Date() };
    await this.store.keep(connectionId, version, found);
    this.bus.publish('connection.discovered', { connectionId });
    return found;
  }
}
