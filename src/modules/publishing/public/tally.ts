import type { AppRequest } from '../../../common/index.js';

/** What a handler knows of its answer, for the count of calls. */
export interface Tally {
  rows: number;
  bytes: number;
  isCached: boolean;
  isStream: boolean;
}

const tallies = new WeakMap<AppRequest, Tally>();

/** That of the request; empty until a handler has something to say. */
export function tallyOf(request: AppRequest): Tally {
  let tally = tallies.get(request);
  if (!tally) tallies.set(request, (tally = { rows: 0, bytes: 0, isCached: false, isStream: false }));
  return tally;
}
