import type { LookupFunction, Socket } from 'node:net';
import type { Id } from '../../common/index.js';
import type {
  ColumnOptions,
  ColumnSchema,
  ColumnTypeName,
  Form,
  MadeColumn,
  Mutation,
  ObjectKind,
  Position,
  SourceGroups,
  SourceRead,
} from '../../query/index.js';
import type { PageText } from '../data-engine.js';

export const EXTERNAL_ENGINES = ['postgresql', 'mysql', 'mongodb'] as const;
export type ExternalEngineName = (typeof EXTERNAL_ENGINES)[number];

export const TLS_MODES = ['disable', 'require', 'verify-full'] as const;

/** How the connection is encrypted: not at all; with whatever certificate; or with one of that host, by `ca` or by the system's authorities. */
export interface TlsChoice {
  readonly mode: (typeof TLS_MODES)[number];
  /** Certificates of authorities in PEM, as text and never as a path. */
  readonly ca?: string;
}

/** Where an external database is and who we are there: all that ever reaches a driver. */
export interface ConnectionTarget {
  readonly id: Id;
  /** With whom it counts where there is not enough for all: the person who made it. */
  readonly holder: Id;
  readonly engine: ExternalEngineName;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly tls: TlsChoice;
  readonly access: 'read-only' | 'read-write';
}

/** A column as it was found; `form` is the dialect's own. */
export interface FoundColumn {
  readonly key: string;
  readonly nativeType: string;
  readonly type: ColumnTypeName;
  readonly options: ColumnOptions;
  readonly form: Form;
  readonly nullable: boolean;
  /** Native types that were found side by side, where they are several (collections). */
  readonly mixed?: readonly string[];
}

export interface FoundReference {
  readonly columns: readonly string[];
  readonly schema: string;
  readonly name: string;
  readonly references: readonly string[];
}

/** A table, view or collection as it was found. */
export interface FoundObject {
  readonly schema: string;
  readonly name: string;
  readonly kind: ObjectKind;
  readonly columns: readonly FoundColumn[];
  readonly primaryKey: readonly string[];
  /** Other keys whose columns are never null. */
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly foreignKeys: readonly FoundReference[];
  readonly estimatedRows: number | null;
}

/** What an engine can do; callers ask these, never for an engine's name. */
export interface ExternalCapabilities {
  readonly joins: boolean;
  /** Conditions on what stands at a path inside a JSON cell. */
  readonly jsonPaths: boolean;
  /** Days and hours of other time zones than UTC in groups. */
  readonly timeZones: boolean;
  /** Whether it can compute this; nothing where that is absent. */
  readonly computes?: (column: MadeColumn) => boolean;
  /** Whether it can look for words in a text; everywhere where that is absent. */
  readonly searches?: (column: ColumnSchema) => boolean;
}

/** A page of an external database; its rows are `{"fields":{…}}`, those of groups `{"group":{…},"values":{…}}`. */
export interface SourcePage extends Pick<PageText, 'data' | 'count'> {
  readonly rows: number;
  /** Where the page ends, when more rows follow; values that the engine binds back as they are. */
  readonly next?: Position;
}

/** What became of a mutation: JSON texts of the fields object. */
export interface Mutated {
  readonly before: string | null;
  readonly after: string | null;
}

/** Hears of a change. */
export type Told = (mutated: Mutated) => Promise<void>;

/** How long and how much an answer may be. */
export interface ExternalLimits {
  /** Milliseconds to be connected and signed in. */
  readonly connectMs: number;
  /** Milliseconds of one statement. */
  readonly statementMs: number;
  /** Bytes that the database may send for one answer. */
  readonly maxBytes: number;
  /** Sessions of one connection on this node. */
  readonly maxSessions: number;
  /** Milliseconds after which a session that nobody uses ends. */
  readonly idleMs: number;
  /** Objects that are looked at. */
  readonly maxObjects: number;
}

/**
 * The only way out: every name is resolved, every address judged, and the judged address is the one that is connected to, at each
 * connect. What is not allowed fails with the Problem `host_not_allowed`, before a packet is sent.
 */
export interface Outbound {
  /** A socket that is not connected yet; its `connect(port, host)` is judged. */
  socket(): Socket;
  /** For drivers that open sockets themselves; only names come here, so {@link judge} goes first. */
  readonly lookup: LookupFunction;
  /** @throws Problem `host_not_allowed`; `source_unreachable` where there is no such name */
  judge(host: string): Promise<void>;
}

/**
 * The port to one external database, open until {@link close}. Nothing that the other side says or does may harm this process; all
 * failures are Problems: `host_not_allowed`, `source_unreachable`, `source_failed`, `source_timeout`, `source_busy`,
 * `source_changed`, `answer_too_large`, `not_supported_by_source`.
 */
export interface ExternalEngine {
  readonly capabilities: ExternalCapabilities;
  /** Signs in and asks for the version. */
  probe(signal?: AbortSignal): Promise<{ readonly serverVersion: string }>;
  discover(signal?: AbortSignal): Promise<readonly FoundObject[]>;
  read(plan: SourceRead, signal?: AbortSignal): Promise<SourcePage>;
  readGroups(plan: SourceGroups, signal?: AbortSignal): Promise<SourcePage>;
  /** What {@link read} or {@link readGroups} sends, without values: for people. */
  describe(plan: SourceRead | SourceGroups): string;
  /**
   * Before it is final, `told` is called with what was done, where the database can still undo it (and else right afterwards); when
   * that fails, so does the change.
   * @returns undefined when there is no row of this key, or it does not hold what was expected; nothing was done then
   */
  mutate(mutation: Mutation, told?: Told): Promise<Mutated | undefined>;
  close(): Promise<void>;
}
