import type { Id } from '../../common/index.js';
import type { Position } from '../../query/index.js';

/**
 * Place of an entry in the order of the audit log, newest first: by time, then those of metadata before those of rows, then by what tells
 * entries of one source apart.
 */
export type Place =
  | { readonly source: 'metadata'; readonly at: string; readonly id: Id }
  | { readonly source: 'rows'; readonly at: string; readonly tableId: Id; readonly seq: number; readonly ord: number };

/** The place as a cursor carries it. */
export const positionOf = (place: Place): Position =>
  place.source === 'metadata' ? [place.at, place.id] : [place.at, place.tableId, place.seq, place.ord];

export function placeOf([at, id, seq, ord]: Position): Place {
  return seq === undefined
    ? { source: 'metadata', at: String(at), id: String(id) }
    : { source: 'rows', at: String(at), tableId: String(id), seq: Number(seq), ord: Number(ord) };
}

/** Whether entries at the first place are told before those at the second; of two sources. */
export const comesFirst = (metadata: Place, row: Place): boolean => metadata.at >= row.at;
