import type { Access } from './access.js';
import type { Id } from './ids.js';
import type { Permission } from './permissions.js';

type Fields = Readonly<Record<string, unknown>>;

/** The way back from what an action did: fields are set to what they were, or to these; it goes into the trash or out of it. */
export type WayBack = 'update' | 'delete' | 'restore' | { readonly set: Fields };

/**
 * A kind of thing whose changes, as the audit log has them, can be taken back by the means with which people make them. Only what can be
 * taken back in turn is done: nothing is made, or destroyed, for good.
 */
export interface Revertible {
  /** What its changes need. */
  readonly permission: Permission;
  /** Of what the log says of it: what a change may set, where these fields are not what they were before. */
  fields(moved: ReadonlySet<string>): readonly string[];
  /** The ways back from its actions, where they are others than those of `created`, `updated`, `deleted` and `restored`. */
  readonly ways?: Readonly<Record<string, WayBack>>;
  /** Sets fields as a request would. Throws the refusals of that. */
  update(access: Access, id: Id, fields: Fields): Promise<unknown>;
  /** Into the trash. Absent where that is not the way back from its making. */
  remove?(access: Access, id: Id): Promise<unknown>;
  /** Out of the trash, or made again as the log tells that it was. */
  restore?(access: Access, id: Id, was: Fields): Promise<unknown>;
}
