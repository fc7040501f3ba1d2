import { Injectable } from '@nestjs/common';
import type { Id } from '../../../common/index.js';
import { ChangeLog, type StreamHead } from '../../../engines/index.js';
import type { TableRef } from '../../../query/index.js';

/** Where the log of each table stands, as text. */
type Found = ReadonlyMap<Id, string>;

/** A question that slow lets another begin beside it, and so many are under way at most. */
const SLOW_MS = 1;
const MAX_UNDER_WAY = 4;
/** More who come in the same moment wait for no more of them. */
const MAX_GATHERED = 64;

/** Those who wait for one question. */
class Batch {
  readonly ids = new Set<Id>();
  size = 0;
  answer!: (found: Found) => void;
  fail!: (error: unknown) => void;
  private readonly found = new Promise<Found>((resolve, reject) => ([this.answer, this.fail] = [resolve, reject]));
  /** Many ask of the same list of tables: what they are told is put together once. */
  private readonly texts = new Map<readonly TableRef[], Promise<string>>();

  of(tables: readonly TableRef[]): Promise<string> {
    this.size++;
    let text = this.texts.get(tables);
    if (!text) {
      for (const { id } of tables) this.ids.add(id);
      text = this.found.then((heads) => tables.map((table) => textIn(heads, table)).join(';'));
      this.texts.set(tables, text);
    }
    return text;
  }
}

/** What is asked of one base: one question is under way as a rule, and one waits, for all who came meanwhile. */
class BaseHeads {
  private waiting: Batch | undefined;
  private underWay = 0;
  private begunAt = 0;

  constructor(private readonly read: (ids: readonly Id[]) => Promise<readonly StreamHead[]>) {}

  ask(tables: readonly TableRef[]): Promise<string> {
    let batch = this.waiting;
    if (!batch) {
      this.waiting = batch = new Batch();
      if (this.underWay === 0) this.gather(batch, 1);
    }
    const text = batch.of(tables);
    if (this.underWay > 0 && this.mayBegin()) this.gather(batch, batch.size);
    return text;
  }

  /** Requests that have arrived already are read first, and share the question; as long as each turn brings more, so do these. */
  private gather(batch: Batch, size: number): void {
    setImmediate(() => {
      if (batch !== this.waiting || !this.mayBegin()) return;
      if (batch.size > size && batch.size < MAX_GATHERED) this.gather(batch, batch.size);
      else this.begin(batch);
    });
  }

  /** Behind a database that is far away nobody waits for two ways there and back. */
  private mayBegin(): boolean {
    if (this.underWay === 0) return true;
    return this.underWay < MAX_UNDER_WAY && performance.now() - this.begunAt >= SLOW_MS;
  }

  private begin(batch: Batch): void {
    // Whoever comes from now on might know of what this question does not see.
    this.waiting = undefined;
    this.underWay++;
    this.begunAt = performance.now();
    this.read([...batch.ids])
      .then((heads) => batch.answer(new Map(heads.map((head) => [head.tableId, textOf(head)]))), batch.fail)
      .finally(() => {
        this.underWay--;
        if (this.waiting) this.gather(this.waiting, this.waiting.size);
      });
  }
}

const textOf = ({ epoch, seq, schemaVersion }: StreamHead): string => `${epoch} ${seq} ${schemaVersion}`;

/** Bases that were asked of; more are forgotten together. */
const MAX_BASES = 10_000;

/**
 * Where the logs of tables stand, read after it was asked, and not before: what has the same heads has the same rows. However many ask at once
 * share a question.
 */
@Injectable()
export class Heads {
  private bases = new Map<string, BaseHeads>();

  constructor(private readonly log: ChangeLog) {}

  /** One text for all of them: another one when anything was changed in one. */
  of(tables: readonly TableRef[]): Promise<string> {
    const [first] = tables;
    // One base as a rule.
    if (first && tables.every(({ schema }) => schema === first.schema)) return this.base(first.schema).ask(tables);
    return Promise.all(tables.map((table) => this.base(table.schema).ask([table]))).then((texts) => texts.join(';'));
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
