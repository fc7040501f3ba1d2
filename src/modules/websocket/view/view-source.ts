import { createHash } from 'node:crypto';
import { Problem, type Id } from '../../../common/index.js';
import type { LiveView } from '../../views/index.js';
import { roomOf } from '../messages/index.js';
import type { ChannelSource, FeedHead, LiveEvent, StreamHead } from '../feed/index.js';

/** What a view shows, as long as it means the same. Once it is found to be out of date it tells nothing more. */
export abstract class ViewSource implements ChannelSource {
  abstract readonly recall: ChannelSource['recall'];
  readonly tables: LiveView['tables'];
  /** Those who are told, since they see the same of its tables. */
  readonly room: string;
  /** Of the view, that those who follow it were told of. */
  version: number;

  /** @param outdated is told when the structure of one of the tables is another by now */
  constructor(
    readonly view: LiveView,
    readonly channel: string,
    private readonly outdated: () => void,
  ) {
    this.tables = view.tables;
    this.version = view.version;
    this.room = roomOf(channel, view.sight);
  }

  abstract events(epoch: string, after: number, limit: number): Promise<readonly LiveEvent[]>;
  protected abstract heads(): Promise<ReadonlyMap<Id, StreamHead>>;

  async head(): Promise<FeedHead> {
    const head = this.headOf(await this.heads());
    if (!head) throw this.outOfDate();
    return head;
  }

  /** Its numbers are those of its tables taken together: where they are the same, nothing was written. */
  headOf(heads: ReadonlyMap<Id, StreamHead>): FeedHead | undefined {
    const found = this.tables.flatMap(({ id }) => heads.get(id) ?? []);
    if (found.length < this.tables.length) return undefined;
    if (this.tables.some(({ id, schemaVersion }) => heads.get(id)?.schemaVersion !== schemaVersion)) {
      this.outdated();
      return undefined;
    }
    const seq = found.reduce((sum, each) => sum + each.seq, 0);
    return { epoch: this.epochOf(found), seq, schemaVersion: found[0]?.schemaVersion ?? 0 };
  }

  protected outOfDate(): Problem {
    this.outdated();
    return new Problem('conflict', {
      detail: 'What the view is made of is being changed. Subscribe again in a moment.',
    });
  }

  /** Another one where the view means something else, or the numbers of a table began anew. */
  private epochOf(heads: readonly StreamHead[]): string {
    const parts = [
      this.view.meaning,
      ...heads.map(({ tableId, epoch, schemaVersion }) => [tableId, epoch, schemaVersion]),
    ];
    const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
    return [
      digest.slice(0, 8),
      digest.slice(8, 12),
      `8${digest.slice(13, 16)}`,
      `8${digest.slice(17, 20)}`,
      digest.slice(20, 32),
    ].join('-');
  }
}
