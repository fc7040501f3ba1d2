import { hash } from 'node:crypto';
import { invalid, isId, notFound, type Id } from '../../../common/index.js';

/** What a channel is about. */
export type Target =
  | { readonly kind: 'table'; readonly tableId: Id }
  | { readonly kind: 'view'; readonly viewId: Id }
  | { readonly kind: 'workspace'; readonly workspaceId: Id }
  | {
      readonly kind: 'object';
      readonly connectionId: Id;
      /** `schema.name` */
      readonly object: string;
    };

/** The channel, and room, of a table's changes. */
export const tableChannel = (tableId: Id): string => `table:${tableId}`;

/** The room of all who follow a channel and see part of what it is about. */
export const partRoom = (channel: string): string => `${channel}#part`;

/** The room of a numbered channel: the channel itself, and one for each part that somebody sees of what it is about. */
export const roomOf = (channel: string, sight: string | undefined): string =>
  sight === undefined ? channel : `${channel}#${hash('sha256', sight, 'base64url')}`;

/** The channel, and room, of what a view shows. */
export const viewChannel = (viewId: Id): string => `view:${viewId}`;

/** The channel, and room, of what happens in a workspace but to rows. */
export const workspaceChannel = (workspaceId: Id): string => `workspace:${workspaceId}`;

/** The channel, and room, of what is told of an object of an external database. */
export const objectChannel = (connectionId: Id, object: string): string => `object:${connectionId}:${object}`;

/** What a channel name means. Throws 422 for a name of no known form, 404 for what cannot be an id. */
export function targetOf(channel: string): Target {
  const [kind, rest] = split(channel);
  switch (kind) {
    case 'table':
      if (!isId(rest)) throw notFound('table');
      return { kind, tableId: rest };
    case 'object': {
      const [connectionId, object] = split(rest);
      if (!isId(connectionId)) throw notFound('object');
      return { kind, connectionId, object };
    }
    case 'view':
      if (!isId(rest)) throw notFound('view');
      return { kind, viewId: rest };
    case 'workspace':
      if (!isId(rest)) throw notFound('workspace');
      return { kind, workspaceId: rest };
    default:
      throw refused(
        'A channel is named table:<id>, view:<id>, workspace:<id> or object:<connection id>:<schema>.<name>.',
      );
  }
}

function split(name: string): readonly [string, string] {
  const colon = name.indexOf(':');
  return colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)];
}

const refused = (detail: string) => invalid([{ pointer: '/channel', code: 'unknown_channel', detail }]);
