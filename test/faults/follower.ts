import { sleep, socket, type TestSocket } from '../harness/index.js';
import type { Installation } from './installation.js';

interface Position {
  readonly epoch: string;
  readonly seq: number;
}
interface Update extends Position {
  readonly prev: number;
}
interface Answer extends Position {
  readonly ok: boolean;
  readonly mode?: 'live' | 'replay' | 'reset';
  readonly reason?: string;
}

/** A client that follows a table through everything: when its node is gone it goes on at the other, from the number that it has. */
export class Follower {
  /** Where it is. */
  position: Position | undefined;
  events = 0;
  reconnects = 0;
  readonly resets: string[] = [];
  /** What must not come: a number twice, one too early, one left out. */
  readonly flaws: string[] = [];

  constructor(
    private readonly installation: Installation,
    private readonly token: string,
    private readonly tableId: string,
    private readonly first: 0 | 1,
  ) {}

  async follow(signal: AbortSignal): Promise<void> {
    for (let turn: number = this.first; !signal.aborted; turn++) {
      try {
        const tab = await socket(this.installation.nodes[turn % 2 === 0 ? 0 : 1].base, this.token, { timeout: 3_000 });
        await this.listen(tab, signal).finally(() => tab.close());
      } catch {
        await sleep(50);
      }
      this.reconnects++;
    }
  }

  private async listen(tab: TestSocket, signal: AbortSignal): Promise<void> {
    // Before the answer is there the server sends nothing; both come in the order in which they were sent.
    tab.socket.on('data:update', (event: Update) => this.take(event));
    tab.socket.on('control', ({ type, reason }: { type: string; reason?: string }) => {
      if (type === 'reset') this.resets.push(reason ?? type);
    });
    const channel = `table:${this.tableId}`;
    const message = { channel, ...(this.position ? { from: this.position } : {}) };
    const answer = (await tab.socket.timeout(5_000).emitWithAck('subscribe', message)) as Answer;
    if (!answer.ok) return;
    if (answer.mode === 'reset') this.resets.push(answer.reason ?? 'reset');
    this.position ??= { epoch: answer.epoch, seq: answer.seq };
    while (!signal.aborted && tab.socket.connected) await sleep(20);
  }

  private take({ epoch, seq, prev }: Update): void {
    const at = this.position;
    if (at && (seq !== at.seq + 1 || prev !== at.seq || epoch !== at.epoch))
      this.flaws.push(`${prev}→${seq} behind ${at.seq}`);
    this.position = { epoch, seq };
    this.events++;
  }
}
