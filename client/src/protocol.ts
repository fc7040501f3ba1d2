import type { Schemas } from './openapi.js';

/** Where somebody stands in the numbers of a channel: the last one that was applied. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

export interface Actor {
  readonly id: string | null;
  readonly name: string;
  readonly clientId?: string;
}

/** Names of what channels tell; docs/LIVE.md says what is in them. */
export const UPDATES = ['data:update', 'schema:update', 'view:update', 'workspace:update'] as const;
export type UpdateName = (typeof UPDATES)[number];

/** Whatever a channel is told. */
export type Told = Readonly<{ channel: string }> & Readonly<Record<string, unknown>>;

/** `data:update` and `schema:update` of a table. */
export interface Numbered extends Position {
  readonly channel: string;
  readonly prev: number;
  readonly schemaVersion: number;
  readonly at: string;
  readonly actor: Actor;
  readonly changeSet?: string;
  readonly created?: readonly Schemas['CreatedRow'][];
  readonly updated?: readonly Schemas['UpdatedRow'][];
  readonly deleted?: readonly Schemas['DeletedRow'][];
  readonly invalidated?: true;
}

/** A row of a view, as events name it. */
export interface ToldViewRow {
  readonly id: string;
  readonly version: number;
  /** By the keys of what the view shows; of `updated` the changed ones only. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Why a view has to be read again. */
export interface ViewCause {
  readonly kind: 'tables' | 'object' | 'time' | 'size';
  readonly tables?: readonly string[];
  readonly object?: string;
}

/** `data:update` of a view: what happened to its rows, or that it is to be read again. */
export interface ViewNumbered extends Position {
  readonly prev: number;
  readonly actor?: Actor;
  readonly created?: readonly ToldViewRow[];
  readonly entered?: readonly ToldViewRow[];
  readonly updated?: readonly ToldViewRow[];
  readonly deleted?: readonly { readonly id: string; readonly version: number }[];
  readonly left?: readonly string[];
  readonly moved?: readonly string[];
  readonly invalidated?: true;
  readonly cause?: ViewCause;
}

/** `workspace:update`. Without `change` it was about the private view of somebody else. */
export interface WorkspaceNumbered extends Position {
  readonly prev: number;
  readonly actor?: Actor;
  readonly change?: {
    readonly action: string;
    readonly resource: {
      readonly type: string;
      readonly id: string | null;
      readonly name: string;
      readonly baseId?: string;
      readonly tableId?: string;
    };
    readonly role?: string;
  };
}

export type Subscribed = Position & {
  readonly channel: string;
  readonly mode: 'live' | 'replay' | 'reset';
  readonly schemaVersion?: number;
  /** Of a view: each change of its rows, or only that it is to be read again. */
  readonly tells?: 'rows' | 'invalidated';
  readonly reason?: string;
};

export type Control =
  | (Position & { readonly type: 'up_to_date'; readonly channel: string })
  | (Position & { readonly type: 'reset'; readonly channel: string; readonly reason: string })
  | { readonly type: 'revoked'; readonly channel?: string };

/** A place in a table; without a column it is the record. */
export interface Place {
  readonly rowId?: string | null;
  readonly columnKey?: string | null;
}

/** What somebody does at a channel. */
export interface PresenceState {
  readonly cursor?: Place;
  /** A rectangle of cells, from where the selection began to where it ends. */
  readonly selection?: { readonly from: Place; readonly to: Place };
  /** `idle`: nothing was done for a while; `away`: the window is hidden. */
  readonly mode?: 'viewing' | 'editing' | 'typing' | 'idle' | 'away';
}

export interface Cell {
  readonly rowId: string;
  readonly columnKey: string;
}

/** A cell that somebody asks others to leave to him. */
export interface LockedCell {
  readonly cell: Cell;
  readonly user: { readonly id: string; readonly name: string };
}

/** Names of what is told beside the numbered streams. */
export const ASIDES = ['user:join', 'user:cursor', 'user:leave', 'cell:lock'] as const;
export type AsideName = (typeof ASIDES)[number];

/** Somebody who is at a channel; `presenceId` is one window of his. */
export interface PresentPerson {
  readonly presenceId: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly state: PresenceState;
}
