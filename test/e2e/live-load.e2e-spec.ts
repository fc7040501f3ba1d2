import { describe, expect, it, jest } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  redis,
  sleep,
  socket,
  waitFor,
  world,
  type Answer,
  type Client,
  type Row,
  type Table,
  type TestSocket,
} from '../harness/index.js';
import { allRows } from '../support/change-feed.js';
import { isDeath, mortalNodes } from '../support/mortal-nodes.js';
import { below, pick, randomOf, type Random } from '../support/random.js';

jest.setTimeout(300_000);

/** What is done is the same for the same seed; how the writers meet is not. */
const SEED = Number(process.env.LIVE_SEED ?? Date.now() % 1_000_000);
const TABLES = 10;
const WRITERS = 20;
const CALLS = 12;
/** Between two calls of a writer, ms: a table should not get so large that all of the test goes into reading it. */
const PAUSE = 30;

type Fields = Readonly<Record<string, unknown>>;
interface Update {
  readonly epoch: string;
  readonly seq: number;
  readonly prev: number;
  readonly created: readonly Pick<Row, 'id' | 'version' | 'fields'>[];
  readonly updated: readonly Pick<Row, 'id' | 'version' | 'fields'>[];
  readonly deleted: readonly { readonly id: string }[];
}
interface Subscribed {
  readonly mode: string;
  readonly epoch: string;
  readonly seq: number;
}

/** A subscriber that loses its connection again and again, goes on at either node from where it was, and keeps a copy of the table. */
class Follower {
  readonly copy = new Map<string, Fields>();
  seq = 0;
  private epoch = '';
  private tab: TestSocket | undefined;
  private applied = 0;

  constructor(
    readonly table: Table,
    private readonly token: string,
  ) {}

  /** At a node that dies meanwhile there is no answer; then it is at none. */
  async connect(base: string): Promise<void> {
    this.leave();
    const from = this.epoch === '' ? {} : { from: { epoch: this.epoch, seq: this.seq } };
    const tab = await socket(base, this.token);
    const answer = await tab.ask<Subscribed>('subscribe', { channel: `table:${this.table.id}`, ...from });
    expect(['live', 'replay']).toContain(answer.mode);
    this.epoch = answer.epoch;
    this.tab = tab;
  }

  /** Each number is the next one, also over the connections. */
  apply(): void {
    const events = this.tab?.payloads<Update>('data:update') ?? [];
    for (const { epoch, seq, prev, created, updated, deleted } of events.slice(this.applied)) {
      expect({ epoch, prev, seq }).toEqual({ epoch: this.epoch, prev: this.seq, seq: this.seq + 1 });
      this.seq = seq;
      for (const { id, fields } of [...created, ...updated]) this.copy.set(id, { ...this.copy.get(id), ...fields });
      for (const { id } of deleted) this.copy.delete(id);
    }
    this.applied = events.length;
  }

  get isConnected(): boolean {
    return this.tab?.socket.connected ?? false;
  }

  private leave(): void {
    this.apply();
    this.tab?.close();
    this.tab = undefined;
    this.applied = 0;
  }
}

/** What the server acknowledged: rows as they have to be, since each is written by one writer only; and what must not have been done. */
interface Known {
  readonly rows: Map<string, Fields>;
  /** Rows that somebody wrote to without hearing how it ended. */
  readonly uncertain: Set<string>;
}

/** One writer: single writes, and bulk calls of which every other one is rolled back, at any node that answers. */
async function write(
  random: Random,
  at: () => Promise<Client>,
  tables: readonly Table[],
  known: Known,
  isOver: () => boolean,
) {
  const mine: { readonly path: string; readonly id: string }[] = [];
  /** Undefined where nobody knows whether it was done. */
  const heard = async <T>(call: (as: Client) => Promise<Answer<T>>): Promise<Answer<T> | undefined> => {
    const answer = await call(await at()).catch((error: unknown) => {
      if (!isDeath(error)) throw error;
      return undefined;
    });
    return answer?.status === 503 ? undefined : answer;
  };
  for (let i = 0; i < CALLS || !isOver(); i++) {
    await sleep(PAUSE);
    const path = `/tables/${pick(random, tables).id}/rows`;
    const die = below(random, 10);
    const own = mine.length > 0 ? pick(random, mine) : undefined;
    if (die < 3 || !own) {
      const fields = { name: 'n', qty: i };
      const answer = await heard((as) => as.post<Row>(path, { fields }));
      if (!answer) continue;
      const { id } = expectStatus(answer, 201);
      mine.push({ path, id });
      known.rows.set(id, fields);
    } else if (die < 7) {
      const qty = below(random, 100);
      const answer = await heard((as) => as.patch(`${own.path}/${own.id}`, { fields: { qty } }));
      if (!answer) known.uncertain.add(own.id);
      else {
        expectStatus(answer, 200);
        known.rows.set(own.id, { name: 'n', qty });
      }
    } else if (die < 8) {
      mine.splice(mine.indexOf(own), 1);
      const answer = await heard((as) => as.del(`${own.path}/${own.id}`));
      if (answer) known.rows.delete(own.id);
      else known.uncertain.add(own.id);
    } else {
      // A name is required.
      const isWhole = die < 9;
      const ops = [
        { op: 'create', fields: { name: isWhole ? 'bulk' : 'rolled back' } },
        { op: 'create', fields: isWhole ? { name: 'bulk' } : {} },
      ];
      const answer = await heard((as) => as.post(`${path}/bulk`, { ops }));
      if (answer) expect(answer.status).toBe(isWhole ? 200 : 422);
    }
  }
}

describe(`twenty writers on two nodes that are killed, with subscribers that come and go and a Redis that dies, with LIVE_SEED=${SEED}`, () => {
  it('leave every subscriber with every number once, in order, and with the table as it is', async () => {
    const random = randomOf(SEED);
    const shared = await redis();
    const nodes = mortalNodes(await databases(), shared);
    const at = await world((await nodes.at(0)).base);
    const anyNode = async () => (await nodes.at(below(random, 2))).base;
    const as = async () => client(await anyNode(), at.owner.accessToken);
    const columns = [
      { name: 'Name', type: 'text', required: true },
      { name: 'Qty', type: 'integer' },
    ];
    const tables: Table[] = [];
    for (let n = 0; n < TABLES; n++) {
      const answer = await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `T${n}`, columns });
      tables.push(expectStatus(answer, 201));
    }
    const followers = tables.map((table) => new Follower(table, at.owner.accessToken));
    for (const follower of followers) await follower.connect(await anyNode());

    const known: Known = { rows: new Map(), uncertain: new Set() };
    let isQuiet = false;
    let writing = WRITERS;
    const writer = async (nr: number): Promise<void> => {
      await write(randomOf(SEED * 100 + nr), as, tables, known, () => isQuiet);
      writing -= 1;
    };
    // A node that dies in the middle answers nothing; the next turn tries again.
    const tryToConnect = async (follower: Follower): Promise<void> => {
      const base = await anyNode();
      await follower.connect(base).catch((error: unknown) => {
        if (isRefusal(error)) throw error;
      });
    };
    const reconnect = async (): Promise<void> => {
      while (writing > 0) {
        await tryToConnect(pick(random, followers));
        await sleep(20);
      }
    };
    const disturb = async (): Promise<void> => {
      await sleep(500);
      await nodes.kill(0);
      await shared.kill();
      await sleep(700);
      await Promise.all([nodes.kill(1), sleep(300).then(() => shared.start())]);
      await sleep(500);
      isQuiet = true;
    };
    await Promise.all([...Array.from({ length: WRITERS }, (_, nr) => writer(nr)), reconnect(), disturb()]);

    const owner = await as();
    const shown = new Map<string, Fields>();
    for (const follower of followers) {
      while (!follower.isConnected) await tryToConnect(follower);
      const rows = await allRows(owner, follower.table);
      const path = `/tables/${follower.table.id}/rows?limit=1`;
      const { meta } = expectStatus(await owner.get<{ meta: { seq: number } }>(path), 200);
      await waitFor(() => {
        follower.apply();
        return follower.seq === meta.seq;
      });
      for (const { id, fields } of rows) shown.set(id, fields);
      expect(new Map([...follower.copy].sort())).toEqual(
        new Map(rows.map(({ id, fields }) => [id, fields] as const).sort()),
      );
    }
    const certain = [...known.rows].filter(([id]) => !known.uncertain.has(id));
    expect(certain.length).toBeGreaterThan(WRITERS);
    expect(Object.fromEntries(certain.map(([id]) => [id, shown.get(id)]))).toEqual(Object.fromEntries(certain));
    expect([...shown.values()].filter(({ name }) => name === 'rolled back')).toEqual([]);
  });
});

/** What a test expected, and did not find; everything else is the death of a node. */
const isRefusal = (error: unknown): boolean => (error as Error).message.includes('expect(');
