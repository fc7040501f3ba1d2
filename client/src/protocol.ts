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

/** `data:update` and `schema:update` of a table; docs/LIVE.md says what is in them. */
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

export type Subscribed = Position & {
  readonly channel: string;
  readonly mode: 'live' | 'replay' | 'reset';
  readonly schemaVersion: number;
  readonly reason?: string;
};

export type Control =
  | (Position & { readonly type: 'up_to_date'; readonly channel: string })
  | (Position & { readonly type: 'reset'; readonly channel: string; readonly reason: string })
  | { readonly type: 'revoked'; readonly channel?: string };

/** What somebody does at a channel. */
export interface PresenceState {
  readonly cursor?: { readonly rowId?: string | null; readonly columnKey?: string | null };
  readonly mode?: 'viewing' | 'editing' | 'idle';
}

/** Somebody who is at a channel; `presenceId` is one window of his. */
export interface PresentPerson {
  readonly presenceId: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly state: PresenceState;
}
