import {
  ConnectionError,
  LiveTables,
  type ClientOptions,
  type LiveRow,
  type LiveTable,
} from '../../client/src/index.js';
import { afterThisFile, PASSWORD, type Person } from '../harness/index.js';

/** The client package, signed in as somebody, at this address; it is closed after the tests of this file. */
export async function liveClient(
  person: Pick<Person, 'email'>,
  baseUrl: string,
  options: Omit<ClientOptions, 'baseUrl'> = {},
): Promise<LiveTables> {
  const socket = { reconnectionDelay: 20, reconnectionDelayMax: 100 };
  const client = new LiveTables({ baseUrl, socket, ...options });
  afterThisFile(() => client.close());
  await client.session.login({ email: person.email, password: PASSWORD });
  return client;
}

/** What a local copy holds, and what the table shows, both by id: fit for one comparison. */
export async function bothSides(
  copy: LiveTable,
  reader: LiveTables,
): Promise<readonly [copy: unknown, table: unknown]> {
  const table = new Map<string, LiveRow<Record<string, unknown>>>();
  for await (const row of reader.table(copy.id).list()) table.set(row.id, row);
  const known = [...copy.rows].map(([id, row]) => {
    const { createdAt, createdBy } = table.get(id) ?? {};
    // A row that came out of the trash does not tell who made it and when.
    return [id, row.createdAt === undefined ? { createdAt, createdBy, ...row } : row] as const;
  });
  return [Object.fromEntries(known), Object.fromEntries(table)];
}

/** Does it until the network lets it. */
export async function insist<T>(action: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
}
