import type { Type } from '@nestjs/common';
import type { Permission } from '../../common/index.js';

/** One message on the wire, in words and classes; its schema is read from the classes. */
export interface SocketMessage {
  /** Unique in the document, camelCase: `dataUpdate`. */
  readonly id: string;
  readonly title: string;
  readonly description?: string;
  /** The payload is one of these. */
  readonly payload: readonly [Type, ...Type[]];
  readonly examples: readonly { readonly summary: string; readonly payload: object }[];
}

/** A message under the name of a Socket.IO event. */
export interface SocketEvent extends SocketMessage {
  readonly event: string;
}

/** What a client may send; each is acknowledged with one of `answers`. */
export interface ClientMessage extends SocketEvent {
  /** Needed in the workspace of the channel; without it, whoever is signed in may send this. */
  readonly permission?: Permission;
  readonly answers: readonly [SocketMessage, ...SocketMessage[]];
}

/** All that is said over a socket: what the AsyncAPI document is made of. */
export interface SocketProtocol {
  readonly fromClient: readonly ClientMessage[];
  readonly fromServer: readonly SocketEvent[];
}
