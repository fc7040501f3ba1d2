import { inSpan, Problem, SpanKind } from '../../common/index.js';
import type { Mutation, SourceGroups, SourceRead } from '../../query/index.js';
import { Circuit } from './circuit.js';
import type {
  ConnectionTarget,
  ExternalCapabilities,
  ExternalEngine,
  Mutated,
  SourcePage,
  Told,
} from './external-engine.js';

/** What a {@link KeptEngine} asks of those who keep it. */
export interface Keeping {
  readonly of: Pick<ConnectionTarget, 'id' | 'engine'>;
  readonly idleMs: number;
  /** @throws Problem no more can be opened */
  open(): ExternalEngine;
  /** It was not used for `idleMs`, and is closed. */
  onIdle(): void;
}

/**
 * The engine of one version of a connection: opened when it is first used, closed when nobody has used it for a while, opened again when
 * somebody does. Behind it a {@link Circuit}.
 */
export class KeptEngine implements ExternalEngine {
  private readonly circuit = new Circuit();
  private engine: ExternalEngine | undefined;
  private calls = 0;
  private timer: NodeJS.Timeout | undefined;
  private retired = false;
  /** Of the last call; milliseconds that only go forward. */
  lastUse = performance.now();

  constructor(private readonly keeping: Keeping) {}

  /** Whether sessions may be open. */
  get isOpen(): boolean {
    return this.engine !== undefined;
  }

  get isBusy(): boolean {
    return this.calls > 0;
  }

  get isBroken(): boolean {
    return this.circuit.isBroken;
  }

  get capabilities(): ExternalCapabilities {
    this.restLater();
    return this.opened().capabilities;
  }

  probe(signal?: AbortSignal): Promise<{ readonly serverVersion: string }> {
    return this.call('probe', (engine) => engine.probe(signal));
  }

  discover(signal?: AbortSignal): ReturnType<ExternalEngine['discover']> {
    return this.call('discover', (engine) => engine.discover(signal));
  }

  read(plan: SourceRead, signal?: AbortSignal): Promise<SourcePage> {
    return this.call('read', (engine) => engine.read(plan, signal));
  }

  readGroups(plan: SourceGroups, signal?: AbortSignal): Promise<SourcePage> {
    return this.call('readGroups', (engine) => engine.readGroups(plan, signal));
  }

  describe(plan: SourceRead | SourceGroups): string {
    this.restLater();
    return this.opened().describe(plan);
  }

  mutate(mutation: Mutation, told?: Told): Promise<Mutated | undefined> {
    return this.call('mutate', (engine) => engine.mutate(mutation, told));
  }

  /** For good: the connection is another or gone. Calls that are under way come to their end first. */
  async close(): Promise<void> {
    this.retired = true;
    if (this.calls === 0) await this.rest();
  }

  /** Closes what is open until somebody calls again. */
  async rest(): Promise<void> {
    clearTimeout(this.timer);
    const { engine } = this;
    this.engine = undefined;
    await engine?.close();
  }

  /** Hosts and statements are nothing for spans: whoever may see the connection finds the one, and `explain` tells the other. */
  private call<T>(what: string, work: (engine: ExternalEngine) => Promise<T>): Promise<T> {
    const { id, engine } = this.keeping.of;
    const attributes = { 'db.system.name': engine, 'live_tables.connection_id': id };
    return inSpan(`external.${what}`, attributes, () => this.called(work), SpanKind.CLIENT);
  }

  private async called<T>(work: (engine: ExternalEngine) => Promise<T>): Promise<T> {
    this.circuit.admit();
    let outcome: Parameters<Circuit['report']>[0] = 'unknown';
    this.calls++;
    try {
      const result = await work(this.opened());
      outcome = 'reached';
      return result;
    } catch (error) {
      outcome = outcomeOf(error);
      throw error;
    } finally {
      this.circuit.report(outcome);
      this.calls--;
      this.lastUse = performance.now();
      if (this.calls === 0) this.restLater();
    }
  }

  private opened(): ExternalEngine {
    if (this.retired) throw retired();
    return (this.engine ??= this.keeping.open());
  }

  private restLater(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.idle(), this.retired ? 0 : this.keeping.idleMs);
    this.timer.unref();
  }

  private idle(): void {
    if (this.calls > 0) return;
    // Nothing can be done about an engine that does not close, and nobody waits for it.
    this.rest().catch(() => undefined);
    this.keeping.onIdle();
  }
}

/** Whatever the database answered, it was there. */
function outcomeOf(error: unknown): 'reached' | 'unreachable' | 'unknown' {
  if (!(error instanceof Problem)) return 'unknown';
  switch (error.code) {
    case 'source_unreachable':
      return 'unreachable';
    case 'source_timeout':
    case 'source_busy':
    case 'host_not_allowed':
    case 'not_implemented':
      return 'unknown';
    default:
      return 'reached';
  }
}

const retired = (): Problem =>
  new Problem('source_changed', { detail: 'The connection was changed or removed in the meantime; repeat.' });
