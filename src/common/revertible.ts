import type { Access } from './access.js';
import type { Id } from './ids.js';
import type { Permission } from './permissions.js';

/** A kind of thing whose changes, as the audit log has them, can be taken back by the means with which people make them. */
export interface Revertible {
  /** What its changes need. */
  readonly permission: Permission;
  /** Of what the log says of it: what a change may set. */
  readonly fields: readonly string[];
  /** Sets fields as a request would. Throws the refusals of that. */
  update(access: Access, id: Id, fields: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Into the trash. Absent where that is not the way back from its making. */
  remove?(access: Access, id: Id): Promise<unknown>;
  /** Out of the trash. */
  restore?(access: Access, id: Id): Promise<unknown>;
}
