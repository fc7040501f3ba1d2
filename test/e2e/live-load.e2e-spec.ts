import { describe, expect, it, jest } from '@jest/globals';
import {
  client,
  databases,
  expectStatus,
  redis,
  sleep,
  socket,
  startApp,
  startNode,
  waitFor,
  world,
  type Row,
  type Table,
  type TestSocket,
} from '../harness/index.js';
import { below, pick, randomOf } from '../support/random.js';

jest.setTimeout(120_000);

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

const TABLES = 10;
const WRITERS = 20;
const CALLS = 12;

/** A subscriber that loses its connection again and again, goes on at either node from where it was, and keeps a copy of the table. */
class Follower {
  readonly copy = new Map<string, Readonly<Record<string, unknown>>>();
  seq = 0;
  private epoch = '';
  private tab: TestSocket | undefined;
  private applied = 0;

  constructor(
    private readonly table: Table,
    private readonly token: string,
  ) {}

  async connect(base: string): Promise<void> {
    this.leave();
    this.tab = await socket(base, this.token);
    this.applied = 0;
    const from = this.epoch === '' ? {} : { from: { epoch: this.epoch, seq: this.seq } };
    const answer = await this.tab.ask<Subscribed>('subscribe', { channel: `table:${this.table.id}`, ...from });
    expect(['live', 'replay']).toContain(answer.mode);
    this.epoch = answer.epoch;
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

  leave(): void {
    this.apply();
    this.tab?.close();
  }
}

describe('twenty writers on two nodes, with subscribers that come and go and a Redis that dies', () => {
  it('leave every subscriber with every number once, in order, and with the table as it is', async () => {
    const random = randomOf(4711);
    const shared = await redis();
    const options = { databases: await databases(), redis: shared };
    const nodes = [(await startApp(options)).base, (await startNode(options)).base];
    const at = await world(nodes[0] ?? '');
    const tables: Table[] = [];
    for (let n = 0; n < TABLES; n++) {
      const columns = [
        { name: 'Name', type: 'text', required: true },
        { name: 'Qty', type: 'integer' },
      ];
      tables.push(
        expectStatus(await at.owner.post<Table>(`/bases/${at.base.id}/tables`, { name: `T${n}`, columns }), 201),
      );
    }
    const followers = tables.map((table) => new Follower(table, at.owner.accessToken));
    for (const follower of followers) await follower.connect(pick(random, nodes));

    let writing = WRITERS;
    const write = async (): Promise<void> => {
      const mine: { readonly path: string; readonly id: string }[] = [];
      for (let i = 0; i < CALLS; i++) {
        const caller = client(pick(random, nodes), at.owner.accessToken);
        const path = `/tables/${pick(random, tables).id}/rows`;
        const die = below(random, 10);
        const own = mine.length > 0 ? pick(random, mine) : undefined;
        if (die < 4 || !own)
          mine.push({
            path,
            id: expectStatus(await caller.post<Row>(path, { fields: { name: 'n', qty: i } }), 201).id,
          });
        else if (die < 7) await caller.patch(`${own.path}/${own.id}`, { fields: { qty: below(random, 100) } });
        else if (die < 8) await caller.del(`${own.path}/${own.id}`);
        else {
          // Every other one is rolled back: a name is required.
          const ops = [
            { op: 'create', fields: { name: 'bulk' } },
            { op: 'create', fields: die < 9 ? { name: 'bulk' } : {} },
          ];
          expect((await caller.post(`${path}/bulk`, { ops })).status).toBe(die < 9 ? 200 : 422);
        }
      }
      writing -= 1;
    };
    const reconnect = async (): Promise<void> => {
      while (writing > 0) {
        await pick(random, followers).connect(pick(random, nodes));
        await sleep(20);
      }
    };
    const disturb = async (): Promise<void> => {
      await sleep(300);
      await shared.kill();
      await sleep(700);
      await shared.start();
    };
    await Promise.all([...Array.from({ length: WRITERS }, write), reconnect(), disturb()]);

    for (const [n, follower] of followers.entries()) {
      const path = `/tables/${tables[n]?.id ?? ''}/rows?limit=1000`;
      const { data, meta } = expectStatus(
        await at.owner.get<{ data: readonly Row[]; meta: { seq: number } }>(path),
        200,
      );
      await waitFor(() => {
        follower.apply();
        return follower.seq === meta.seq;
      });
      expect(new Map([...follower.copy].sort())).toEqual(
        new Map(data.map(({ id, fields }) => [id, fields] as const).sort()),
      );
    }
  });
});
