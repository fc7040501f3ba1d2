import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type {
  AuthenticatedAnswer,
  LockAnswer,
  ObjectSubscribedAnswer,
  PresenceAnswer,
  RefusedAnswer,
  ResetAnswer,
  SubscribedAnswer,
  UnlockAnswer,
  UnsubscribedAnswer,
} from './answers.dto.js';
import type {
  CellLockEvent,
  DataUpdateEvent,
  EndedControl,
  ImportProgressEvent,
  InvalidatedEvent,
  ObjectInvalidatedEvent,
  ObjectPolledEvent,
  ObjectUpdateEvent,
  ResetControl,
  RevokedControl,
  SchemaUpdateEvent,
  UpToDateControl,
  UserCursorEvent,
  UserJoinEvent,
  UserLeaveEvent,
  ViewDataUpdateEvent,
  ViewInvalidatedEvent,
  ViewUpdateEvent,
  WorkspaceUpdateEvent,
} from './events.dto.js';

/** What the server sends unasked, by the name of the event; nothing else compiles. The classes are what the AsyncAPI document shows. */
export interface ServerEvents {
  'data:update': (event: DataUpdateEvent | InvalidatedEvent | ViewDataUpdateEvent | ViewInvalidatedEvent) => void;
  'view:update': (event: ViewUpdateEvent) => void;
  'schema:update': (event: SchemaUpdateEvent) => void;
  'workspace:update': (event: WorkspaceUpdateEvent) => void;
  'import:progress': (event: ImportProgressEvent) => void;
  'object:update': (event: ObjectUpdateEvent | ObjectInvalidatedEvent | ObjectPolledEvent) => void;
  'user:join': (event: UserJoinEvent) => void;
  'user:cursor': (event: UserCursorEvent) => void;
  'user:leave': (event: UserLeaveEvent) => void;
  'cell:lock': (event: CellLockEvent) => void;
  control: (message: UpToDateControl | ResetControl | RevokedControl | EndedControl) => void;
}

/** Messages of clients are taken as they come and checked by hand (`MessageRouter`), so none is declared for the library. */
export type LiveServer<Data = unknown> = Server<DefaultEventsMap, ServerEvents, DefaultEventsMap, Data>;
export type LiveSocket<Data = unknown> = Socket<DefaultEventsMap, ServerEvents, DefaultEventsMap, Data>;

export type Acknowledgement =
  | SubscribedAnswer
  | ObjectSubscribedAnswer
  | ResetAnswer
  | UnsubscribedAnswer
  | AuthenticatedAnswer
  | PresenceAnswer
  | LockAnswer
  | UnlockAnswer
  | RefusedAnswer;

/** Answers a message; must be called once. */
export type Answer<T extends Acknowledgement = Acknowledgement> = (body: T) => void;
