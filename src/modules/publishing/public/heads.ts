import { Injectable } from '@nestjs/common';
import type { Id } from '../../../common/index.js';
import { ChangeLog, type StreamHead } from '../../../engines/index.js';
import type { TableRef } from '../../../query/index.js';

/** Where the log of each table stands, as text. */
type Found = ReadonlyMap<Id, string>;

interface Batch {
  readonly ids: Set<Id>;
  readonly found: Promise<Found>;
}

/** What is asked of one base: one question is under way, and at most one waits, for all who came meanwhile. */
class BaseHeads {
  private waiting: Batch | undefined;
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly read: (ids: readonly Id[]) => Promise<readonly StreamHead[]>) {}

  ask(ids: readonly Id[]): Promise<Found> {
    const batch = this.waiting ?? this.begin();
    for (const id of ids) batch.ids.add(id);
    return batch.found;
  }

  private begin(): Batch {
    const ids = new Set<Id>();
    const found = this.running.then(nextTurn).then(async () => {
      // Whoever comes from now on might know of what this question does not see.
      this.waiting = undefined;
      return new Map((await this.read([...ids])).map((head) => [head.tableId, textOf(head)]));
    });
    this.running = found.catch(() => undefined);
    return (this.waiting = { ids, found });
  }
}

const textOf = ({ epoch, seq, schemaVersion }: StreamHead): string => `${epoch} ${seq} ${schemaVersion}`;

/** Requests that have arrived already are read first, and share the question. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Bases that were asked of; more are forgotten together. */
const MAX_BASES = 10_000;

/**
 * Where the logs of tables stand, read after it was asked, and not before: what has the same heads has the same rows. However many ask at once,
 * there is one question at a time for each base.
 */
@Injectable()
export class Heads {
  private bases = new Map<string, BaseHeads>();

  constructor(private readonly log: ChangeLog) {}

  /** One text for all of them: another one when anything was changed in one. */
  async of(tables: readonly TableRef[]): Promise<string> {
    const [first] = tables;
    // One table as a rule.
    if (tables.length === 1 && first) return textIn(await this.base(first.schema).ask([first.id]), first);
    const bySchema = grouped(tables);
    const found = await Promise.all(
      [...bySchema].map(([schema, each]) => this.base(schema).ask(each.map(({ id }) => id))),
    );
    const heads = new Map(found.flatMap((each) => [...each]));
    return tables.map((table) => textIn(heads, table)).join(';');
  }

  private base(schema: string): BaseHeads {
    let base = this.bases.get(schema);
    if (!base) {
      if (this.bases.size >= MAX_BASES) this.bases = new Map();
      this.bases.set(schema, (base = new BaseHeads((ids) => this.log.heads(schema, ids))));
    }
    return base;
  }
}

const textIn = (heads: Found, { id }: TableRef): string => `${id} ${heads.get(id) ?? '-'}`;

function grouped(tables: readonly TableRef[]): Map<string, TableRef[]> {
  const groups = new Map<string, TableRef[]>();
  for (const table of tables) groups.set(table.schema, [...(groups.get(table.schema) ?? []), table]);
  return groups;
}
