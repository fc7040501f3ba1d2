import type { OnApplicationShutdown } from '@nestjs/common';
import { Problem, type Id } from '../../common/index.js';
import type { AppConfig } from '../../config/index.js';
import type { EngineFactories } from './engine-factories.js';
import type { ConnectionTarget, ExternalEngine, ExternalLimits, Outbound } from './external-engine.js';
import { KeptEngine } from './kept-engine.js';
import { AddressPolicy, PolicedOutbound } from './outbound/index.js';

/** Connections that may be tested at once on one node; a test waits as long as the other side likes, up to the time limit. */
const MAX_PROBES = 20;

interface Kept {
  readonly version: number;
  readonly holder: Id;
  readonly engine: KeptEngine;
}

/** The engines of this node: one for each connection that is in use, with sessions of its own. */
export class ExternalEngines implements OnApplicationShutdown {
  /** What engines reach their databases through. */
  readonly outbound: Outbound;
  private readonly limits: ExternalLimits;
  private readonly maxOpen: number;
  private readonly kept = new Map<Id, Kept>();
  /** Those who try out a connection now, once for each. */
  private readonly probes: Id[] = [];

  constructor(
    { external }: AppConfig,
    private readonly factories: EngineFactories,
  ) {
    this.outbound = new PolicedOutbound(new AddressPolicy(external.allowedNetworks));
    this.maxOpen = external.maxOpen;
    this.limits = {
      connectMs: external.connectMs,
      statementMs: external.statementMs,
      maxBytes: external.maxBytes,
      maxSessions: external.poolSize,
      idleMs: external.idleMs,
      maxObjects: external.maxObjects,
    };
  }

  /**
   * The engine of a connection in this version; that of another version ends when its calls are done. It is not to be closed by who asks for it.
   * Its calls fail with `source_unreachable` at once while the database could not be reached the last times.
   */
  engineFor(target: ConnectionTarget, version: number): ExternalEngine {
    const known = this.kept.get(target.id);
    if (known?.version === version) return known.engine;
    this.retire(target.id);
    const engine = new KeptEngine({
      of: target,
      idleMs: this.limits.idleMs,
      open: () => {
        const opened = this.open(target);
        // It may have been idle, and so forgotten, in the hands of somebody who takes his time.
        if (!this.kept.has(target.id)) this.kept.set(target.id, kept);
        return opened;
      },
      onIdle: () => {
        // A broken one is remembered with its pause, which nobody should have to find out anew.
        if (!engine.isBroken && this.kept.get(target.id)?.engine === engine) this.kept.delete(target.id);
      },
    });
    const kept = { version, engine, holder: target.holder };
    this.kept.set(target.id, kept);
    this.forgetSome();
    return engine;
  }

  /** Signs in once, without keeping anything: to try out a connection. */
  async probe(target: ConnectionTarget): Promise<{ readonly serverVersion: string }> {
    const { holder } = target;
    const free = MAX_PROBES - this.probes.length;
    if (free <= 0 || takesTooMany(this.probes.filter((each) => each === holder).length, free))
      throw busy('Too many connections are being tested; repeat in a moment.');
    this.probes.push(holder);
    try {
      const engine = this.factoryOf(target)(target, { ...this.limits, maxSessions: 1 }, this.outbound);
      try {
        return await engine.probe();
      } finally {
        await engine.close();
      }
    } finally {
      this.probes.splice(this.probes.indexOf(holder), 1);
    }
  }

  /** The connection was changed or removed: its engine ends when its calls are done. */
  retire(connectionId: Id): void {
    const known = this.kept.get(connectionId);
    this.kept.delete(connectionId);
    // Nothing can be done about one that does not close, and nobody waits for it.
    known?.engine.close().catch(() => undefined);
  }

  async onApplicationShutdown(): Promise<void> {
    const engines = [...this.kept.values()];
    this.kept.clear();
    await Promise.allSettled(engines.flatMap(({ engine }) => [engine.close(), engine.rest()]));
  }

  /** How many external databases are in use now, how many are open, and how many could not be reached the last times. */
  figures(): { readonly busy: number; readonly open: number; readonly broken: number } {
    const engines = [...this.kept.values()].map(({ engine }) => engine);
    return {
      busy: engines.filter(({ isBusy }) => isBusy).length,
      open: engines.filter(({ isOpen }) => isOpen).length,
      broken: engines.filter(({ isBroken }) => isBroken).length,
    };
  }

  private open(target: ConnectionTarget): ExternalEngine {
    const open = [...this.kept.values()].filter(({ engine }) => engine.isOpen);
    const own = open.filter(({ holder }) => holder === target.holder);
    const free = this.maxOpen - open.length;
    if (takesTooMany(own.length, free)) this.makeRoom(own);
    else if (free <= 0) this.makeRoom(open);
    return this.factoryOf(target)(target, this.limits, this.outbound);
  }

  /** Closes the engine that has been idle for longest. */
  private makeRoom(open: readonly Kept[]): void {
    const [idle] = open.filter(({ engine }) => !engine.isBusy).sort((a, b) => a.engine.lastUse - b.engine.lastUse);
    if (!idle) throw busy('Too many external databases are in use at the same time; repeat in a moment.');
    idle.engine.rest().catch(() => undefined);
  }

  /** Closed ones cost little but are not to pile up; what is forgotten with them is that the database could not be reached. */
  private forgetSome(): void {
    if (this.kept.size <= this.maxOpen * 10) return;
    for (const [id, { engine }] of this.kept)
      if (!engine.isOpen && !engine.isBusy && this.kept.size > this.maxOpen * 5) this.kept.delete(id);
  }

  private factoryOf({ engine }: ConnectionTarget) {
    const factory = this.factories[engine];
    if (!factory)
      throw new Problem('not_implemented', { detail: `Databases of the kind ${engine} cannot be reached.` });
    return factory;
  }
}

/**
 * Whoever has more than is free for all others gets no more: one alone half of it, two a third each. So there is always something left for
 * those who have none, however many slow databases somebody has.
 */
const takesTooMany = (own: number, free: number): boolean => own > free;

const busy = (detail: string): Problem => new Problem('source_busy', { detail, headers: { 'Retry-After': '1' } });
