import type pg from 'pg';

/**
 * One trivial round trip that says whether a database answers. Its own short timeout also throws away a connection that went
 * into a black hole, so that the next probe and the next request get a fresh one.
 */
export const PROBE: pg.QueryConfig & { readonly query_timeout: number } = { text: 'select 1', query_timeout: 1_500 };
