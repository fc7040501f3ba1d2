import pg from 'pg';

/** The SQLSTATE of what a server that takes no writes says to one. */
const READ_ONLY = '25006';

const ASKED: pg.QueryConfig & { readonly query_timeout: number } = {
  text: `select current_setting('transaction_read_only') = 'on' as closed`,
  query_timeout: 5_000,
};

/**
 * What a pool asks of each new connection (`verify` of pg): does it take writes? Behind a name that moves to another server when the first one dies,
 * there may be one for a moment that is not promoted yet, or the former one as a replica; a connection to it would stay in the pool and refuse
 * every write for half an hour. Refused here it is tried anew, and the name is looked up again.
 */
export function verifyWritable(client: pg.PoolClient, done: (error?: Error) => void): void {
  client
    .query<{ closed: boolean | string }>(ASKED)
    // The mini-DB's pool leaves values as text.
    .then(({ rows: [row] }) => (row?.closed === false || row?.closed === 'f' ? undefined : refusal()))
    .then(done, (error: unknown) => done(error instanceof Error ? error : new Error(String(error))));
}

function refusal(): Error {
  const error = new pg.DatabaseError(
    'the server takes no writes: it is a replica, or was set to read only',
    0,
    'error',
  );
  error.code = READ_ONLY;
  // As of a server that ends the connection: nothing more is asked of it.
  error.severity = 'FATAL';
  return error;
}
