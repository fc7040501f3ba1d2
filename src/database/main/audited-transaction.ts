import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { newId, type Id, type RequestMeta } from '../../common/index.js';
import { auditContent } from './audit-content.js';
import { AuditLogEntity } from './audit-log.entity.js';
import { Enclosure, type RequestKey, type StoredEvent } from './enclosure.js';
import { OutboxEntity } from './outbox.entity.js';

/** Who is made responsible in the audit log. */
export interface Actor {
  readonly id: Id | null;
  readonly name: string;
  readonly via: 'session' | 'token' | 'api_key' | 'system';
  readonly request: RequestMeta;
  /**
   * A signed-in person whose account must be there until the write is committed: what the guards know of it may be seconds old.
   * Absent where the write is about the account itself, and where there is none yet.
   */
  readonly held?: true;
}

/** What was done. `before` and `after` are read by admins; of both is kept what {@link auditContent} lets through. */
export interface AuditEntry {
  readonly workspaceId: Id | null;
  /** `resource.verb` in the past tense, such as `table.created`. */
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: Id | null; readonly name: string };
  readonly before?: object;
  readonly after?: object;
}

/** A fact that other modules and other nodes react to. */
export interface OutboxEvent {
  readonly topic: string;
  readonly payload: object;
}

/** What a metadata write must hand back: its result, and at least one audit entry. The types make it impossible to forget. */
export interface Audited<T> {
  readonly result: T;
  readonly audit: readonly [AuditEntry, ...AuditEntry[]];
  readonly events: readonly OutboxEvent[];
}

declare const audited: unique symbol;

/**
 * The manager of a transaction that leaves audit entries. The mark is for the types only: the linter (`audited-writes`) lets nothing
 * else write.
 */
export interface AuditedManager extends EntityManager {
  readonly [audited]: true;
}

/** Keeps the account of an actor as it is until the end of the transaction. Throws the refusal when it may not act any more. */
export type HoldActor = (manager: EntityManager, actorId: Id) => Promise<void>;

export type OutboxListener = (events: readonly StoredEvent[]) => void;

/** The system itself as an actor: recovery, purges. */
export const systemActor = (why: string): Actor => ({
  id: null,
  name: 'system',
  via: 'system',
  request: { requestId: why, ip: '', userAgent: '' },
});

/**
 * The only way in which metadata is written: data, audit rows and outbox rows in one transaction of the main database.
 * After the commit, listeners (the relay) are told at once; if the process dies before, the relay's sweep finds the rows.
 */
@Injectable()
export class AuditedTransaction {
  private readonly listeners: OutboxListener[] = [];
  private readonly enclosures = new AsyncLocalStorage<Enclosure>();
  private hold: HoldActor = () => Promise.resolve();

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Runs `work` in one transaction and records what it hands back. Errors roll everything back and pass through.
   * Within {@link enclose} it is a savepoint of the one around it, unless it has to be committed `apart`, at once.
   */
  async run<T>(
    actor: Actor,
    work: (manager: AuditedManager) => Promise<Audited<T>>,
    { apart = false }: { readonly apart?: boolean } = {},
  ): Promise<T> {
    const around = apart ? undefined : this.enclosures.getStore();
    if (around?.open) return around.inTurn(() => this.join(around, actor, work));
    const { result, events } = await this.dataSource.transaction((manager) => this.record(manager, actor, work));
    this.tell(events);
    return result;
  }

  /**
   * One transaction around every `run` within `work`, however deep: they are committed together, when `work` is done. Until then
   * nobody else sees what they wrote, not even `work` itself through another connection. When `work` throws, all of it is undone.
   */
  async enclose<T>(key: RequestKey, work: (manager: AuditedManager) => Promise<T>): Promise<T> {
    const { result, events } = await this.dataSource.transaction(async (manager) => {
      const enclosure = new Enclosure(manager, key);
      const result = await this.enclosures.run(enclosure, () => work(manager as AuditedManager));
      await enclosure.close();
      return { result, events: enclosure.events };
    });
    this.tell(events);
    return result;
  }

  /** For what is committed apart from the request that it belongs to: lets its repetition be recognised. Undefined for requests without a key. */
  nextOperationKey(): RequestKey | undefined {
    return this.enclosures.getStore()?.nextOperationKey();
  }

  /**
   * A transaction that leaves no entry, for what is no metadata: bookkeeping that nobody sees. The linter's configuration names
   * who may use it, and why.
   */
  withoutAudit<T>(work: (manager: AuditedManager) => Promise<T>): Promise<T> {
    return this.dataSource.transaction((manager) => work(manager as AuditedManager));
  }

  /** Teaches how an account is held; once, by the module that owns accounts. */
  holdActorsBy(hold: HoldActor): void {
    this.hold = hold;
  }

  /** Called after each commit that wrote events. Must not throw. */
  onCommitted(listener: OutboxListener): void {
    this.listeners.push(listener);
  }

  private async join<T>(
    around: Enclosure,
    actor: Actor,
    work: (manager: AuditedManager) => Promise<Audited<T>>,
  ): Promise<T> {
    const { result, events } = await around.manager.transaction(async (manager) => {
      // Another one within `work` is a savepoint of this one: to wait for its turn in the outer would be for ever.
      const inner = new Enclosure(manager);
      const done = await this.enclosures.run(inner, () => this.record(manager, actor, work));
      return { ...done, events: [...inner.events, ...done.events] };
    });
    around.events.push(...events);
    return result;
  }

  private async record<T>(
    manager: EntityManager,
    actor: Actor,
    work: (manager: AuditedManager) => Promise<Audited<T>>,
  ): Promise<{ readonly result: T; readonly events: readonly StoredEvent[] }> {
    // People are locked before anything else, here and in whatever locks a person: nobody waits in a circle.
    if (actor.held && actor.id !== null) await this.hold(manager, actor.id);
    const done = await work(manager as AuditedManager);
    const at = new Date();
    await manager.insert(
      AuditLogEntity,
      inOrder(done.audit).map((entry) => auditRow(actor, entry, at)),
    );
    const events = done.events.map((event) => ({ id: newId(), at, ...event }));
    if (events.length > 0) await manager.insert(OutboxEntity, events);
    return { result: done.result, events };
  }

  private tell(events: readonly StoredEvent[]): void {
    if (events.length > 0) for (const listener of this.listeners) listener(events);
  }
}

/** Those of one workspace after the other: no two transactions wait in a circle for the numbers that they get. */
const inOrder = (entries: readonly AuditEntry[]): readonly AuditEntry[] =>
  entries.toSorted((a, b) => (a.workspaceId ?? '').localeCompare(b.workspaceId ?? ''));

const auditRow = (actor: Actor, entry: AuditEntry, at: Date): AuditLogEntity => ({
  id: newId(),
  at,
  workspaceId: entry.workspaceId,
  actorId: actor.id,
  actorName: actor.name,
  actorVia: actor.via,
  action: entry.action,
  resourceType: entry.resource.type,
  resourceId: entry.resource.id,
  resourceName: entry.resource.name,
  before: auditContent(entry.before),
  after: auditContent(entry.after),
  requestId: actor.request.requestId,
  ip: actor.request.ip,
  clientId: actor.request.clientId ?? null,
});
