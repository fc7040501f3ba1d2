import { beforeAll, expect } from '@jest/globals';
import {
  asSuperuser,
  client,
  databases,
  expectStatus,
  startApp,
  waitFor,
  world,
  type Answer,
  type Client,
  type Person,
  type ProblemBody,
  type Row,
  type Table,
  type TestApp,
  type World,
} from '../harness/index.js';
import { loggedChanges, replay, storedRows } from './changes.js';

export interface Page {
  readonly data: readonly Row[];
  readonly page: { readonly limit: number; readonly nextCursor?: string; readonly prevCursor?: string };
  readonly count?: { readonly mode: string; readonly value: number; readonly relation: string };
  readonly meta: { readonly schemaVersion: number; readonly epoch: string; readonly seq: number };
}
export interface Bulk {
  readonly summary: { readonly total: number; readonly ok: number; readonly failed: number };
  readonly results: readonly {
    readonly index: number;
    readonly ref?: string;
    readonly status: number;
    readonly id?: string;
    readonly row?: Row;
    readonly error?: ProblemBody & { readonly current?: Row };
  }[];
  readonly meta: { readonly epoch: string; readonly seq: number };
}

/** Columns of every core type, and a unique one. */
const CORE = [
  { name: 'Name', type: 'text', required: true },
  { name: 'Amount', type: 'decimal', options: { scale: 2 } },
  { name: 'Qty', type: 'integer' },
  { name: 'Active', type: 'boolean' },
  { name: 'Due', type: 'date' },
  { name: 'Seen', type: 'datetime' },
  { name: 'Notes', type: 'long_text' },
  {
    name: 'Status',
    type: 'single_select',
    options: { choices: [{ label: 'Open' }, { label: 'Won' }, { label: 'Lost' }] },
  },
  { name: 'Code', type: 'text', unique: true },
];

/** Two nodes without a bus on one pair of databases, an owner, and what tests of rows do all the time. Call it once in a file. */
export function rowsFixture() {
  let app: TestApp;
  let other: TestApp;
  let at: World;
  let tables = 0;
  beforeAll(async () => {
    const pair = await databases();
    [app, other] = await Promise.all([startApp({ databases: pair }), startApp({ databases: pair })]);
    at = await world(app.base);
  }, 60_000);

  const newTable = async (columns: readonly object[] = CORE): Promise<Table> =>
    expectStatus(
      await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `Table ${++tables}`, columns }),
      201,
    );
  const add = async (table: Table, fields: object): Promise<Row> =>
    expectStatus(await at.owner.post<Row>(path(table), { fields: { name: 'x', ...fields } }), 201);
  const bulk = (table: Table, ops: readonly unknown[], mode?: string) =>
    at.owner.post<Bulk & ProblemBody>(path(table, 'bulk'), { ops, ...(mode ? { mode } : {}) });
  const list = async (table: Table, query = ''): Promise<Page> =>
    expectStatus(await at.owner.get<Page>(`${path(table)}?${query}`), 200);
  /** The log is without a hole and makes the table anew; its last number is what the API says. */
  const proveLog = async (table: Table): Promise<void> => {
    const changes = await loggedChanges(app.config.miniDb, table);
    expect((await list(table)).meta.seq).toBe(changes.at(-1)?.seq ?? 0);
    const stored = await storedRows(app.config.miniDb, table);
    const versions = (rows: typeof stored) => [...rows].map(([id, { version }]) => [id, version]).toSorted();
    expect(versions(replay(changes))).toEqual(versions(stored));
  };
  /** Lets a row be deleted after `write` has looked for it, and before it is written. */
  const deletedMeanwhile = <T>(table: Table, { id }: Row, write: () => Promise<T>): Promise<T> =>
    asSuperuser(app.config.miniDb.database, async (holder) => {
      const { schema, table: name } = table.physical;
      const waiting = async (count: number): Promise<void> => {
        const text = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
        await waitFor(async () => (await holder.query(text)).rowCount === count, 20_000, 10);
      };
      await holder.query('begin');
      await holder.query(`select from "${schema}"."${name}" where _id = $1 for update`, [id]);
      // By the other node: one node does not begin two writes of a table at once.
      const deletion = client(other.base, at.owner.token).del(`${path(table)}/${id}`);
      const written = waiting(1).then(write);
      await waiting(2);
      await holder.query('commit');
      expectStatus(await deletion, 204);
      return written;
    });
  /** The owner as a client of the one node or the other. */
  const onEitherNode = (): ((i: number) => Client) => {
    const [a, b] = [client(app.base, at.owner.token), client(other.base, at.owner.token)];
    return (i) => (i % 2 ? b : a);
  };
  return {
    get app(): TestApp {
      return app;
    },
    get at(): World {
      return at;
    },
    get owner(): Person {
      return at.owner;
    },
    newTable,
    add,
    bulk,
    list,
    proveLog,
    deletedMeanwhile,
    onEitherNode,
  };
}

export const path = ({ id }: Table, ...rest: string[]): string => [`/tables/${id}/rows`, ...rest].join('/');
export const tag = ({ headers }: Answer<unknown>): string | null => headers.get('etag');
export const seq = ({ headers }: Answer<unknown>): number => Number(headers.get('live-seq'));

/** Status, code and findings of an answer that has to be a problem document. */
export const refusal = ({ status, headers, body }: Answer<unknown>): (string | number)[] => {
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const { code, errors } = body as ProblemBody;
  return [status, code, ...(errors ?? []).map((each) => `${each.pointer} ${each.code}`)];
};
