/** The client of Live Tables: see README.md of this package. */
export { LiveTables, type ClientOptions } from './client.js';
export type { CellLocks } from './cell-locks.js';
export type { Connection } from './connection.js';
export type { LiveRow, RowChanges } from './held-rows.js';
export type { AnswerOf, CallOptions, Fetch, Operation } from './http.js';
export type { ViewChanges, ViewRow } from './held-view.js';
export { LiveChannel, type LiveEvents, type LiveState } from './live-channel.js';
export { LiveTable, type LiveChange, type LiveOptions, type TableDescription } from './live-table.js';
export { LiveView, type LiveViewChange, type LiveViewOptions, type ViewDescription } from './live-view.js';
export {
  LiveWorkspace,
  type LiveWorkspaceChange,
  type WorkspaceContents,
  type WorkspaceView,
} from './live-workspace.js';
export type { Operations, Schemas } from './openapi.js';
export { Presence } from './presence.js';
export {
  ApiError,
  ConnectionError,
  RowNotShownError,
  SignedOutError,
  type Problem,
  type ProblemItem,
} from './problem.js';
export type { Actor, Cell, LockedCell, Place, Position, PresenceState, PresentPerson } from './protocol.js';
export { Session, type SessionTokens, type User } from './session.js';
export {
  Table,
  type BulkOperation,
  type Change,
  type Changes,
  type Filter,
  type ListOptions,
  type Row,
  type UpdateOptions,
} from './table.js';
