import { invalid, isId, notFound, type Id } from '../../../common/index.js';

/** The channel, and room, of a table's changes. */
export const tableChannel = (tableId: Id): string => `table:${tableId}`;

/** The table that a channel name means. Throws 422 for a name of no known form, 404 for what cannot be an id. */
export function tableOf(channel: string): Id {
  const [kind, id] = split(channel);
  if (kind === 'view' || kind === 'workspace')
    throw refused(`Channels of a ${kind} cannot be subscribed to yet; use table:<id>.`);
  if (kind !== 'table') throw refused('A channel is named table:<id>.');
  if (!isId(id)) throw notFound('table');
  return id;
}

function split(channel: string): readonly [string, string] {
  const colon = channel.indexOf(':');
  return colon < 0 ? [channel, ''] : [channel.slice(0, colon), channel.slice(colon + 1)];
}

const refused = (detail: string) => invalid([{ pointer: '/channel', code: 'unknown_channel', detail }]);
