import type { Id } from '../../../common/index.js';
import type { Change } from '../../../engines/index.js';
import type { ColumnSchema, TableSchema } from '../../../query/index.js';

/** What a key of an entry means, or meant. */
export interface ColumnThen {
  /** Null where the log does not reach back to what the column was. */
  readonly id: Id | null;
  readonly key: string;
  /** As it is called now; as it was, where it has gone. */
  readonly name: string;
  /** As it was called then, where that is another name. */
  readonly nameThen?: string;
  readonly type: string | undefined;
  /** The column as it is now; absent where it has gone, into the trash too. */
  readonly now?: ColumnSchema;
}

/** From behind one number up to another, a key led to this column. */
interface Interval {
  readonly behind: number;
  readonly until: number;
  readonly column: ColumnThen;
}

/**
 * Which columns the keys of a change log mean: a key can be that of another column by now, which must never be taken for the first one.
 * Made of the table as it is and the changes of its structure.
 */
export class ColumnTimeline {
  private readonly intervals = new Map<string, Interval[]>();
  private readonly retyped = new Map<Id, number>();
  /** Names that columns had until a number, the newest first. */
  private readonly former = new Map<Id, { readonly until: number; readonly name: string }[]>();
  private readonly now: ReadonlyMap<Id, ColumnSchema>;

  constructor({ columns }: TableSchema, structure: readonly Change[]) {
    this.now = new Map(columns.map((column) => [column.id, column]));
    for (const column of columns) this.open(column, Infinity);
    for (const { seq, after } of [...structure].reverse())
      for (const [action, told] of Object.entries(after ?? {}))
        for (const each of Array.isArray(told) ? (told as unknown[]) : [told])
          if (isColumn(each)) this.back(action, each, seq);
  }

  /** The column that a key meant in the entry with this number. */
  at(key: string, seq: number): ColumnThen {
    const found = this.intervals.get(key)?.find(({ behind, until }) => behind < seq && seq <= until);
    if (!found) return { id: null, key, name: key, type: undefined };
    const nameThen = this.nameAt(found.column, seq);
    return nameThen === found.column.name ? found.column : { ...found.column, nameThen };
  }

  private nameAt({ id, name }: ColumnThen, seq: number): string {
    const former = id === null ? [] : (this.former.get(id) ?? []);
    return former.findLast(({ until }) => seq <= until)?.name ?? name;
  }

  /** Whether the column has got another type since. */
  hasOtherType({ id }: ColumnThen, seq: number): boolean {
    return id !== null && (this.retyped.get(id) ?? 0) > seq;
  }

  /** One step back in time: what the key meant before this number. */
  private back(action: string, column: ToldColumn, seq: number): void {
    switch (action) {
      case 'column.created':
      case 'column.restored': {
        this.close(column, seq);
        return;
      }
      case 'column.deleted': {
        this.open(column, seq);
        return;
      }
      case 'column.updated': {
        const { formerName: name } = column;
        if (name !== undefined)
          this.former.set(column.id, [...(this.former.get(column.id) ?? []), { until: seq, name }]);
        return;
      }
      case 'column.converted':
        if (!this.retyped.has(column.id)) this.retyped.set(column.id, seq);
    }
  }

  private open({ id, key, name, type }: ToldColumn, until: number): void {
    const now = this.now.get(id);
    const column: ColumnThen = { id, key, name: now?.name ?? name, type, ...(now ? { now } : {}) };
    this.intervals.set(key, [...(this.intervals.get(key) ?? []), { behind: -1, until, column }]);
  }

  private close({ id, key }: ToldColumn, seq: number): void {
    const known = this.intervals.get(key) ?? [];
    this.intervals.set(
      key,
      known.map((each) => (each.column.id === id && each.behind < 0 ? { ...each, behind: seq } : each)),
    );
  }
}

type ToldColumn = Pick<ColumnSchema, 'id' | 'key' | 'name'> & { readonly type: string; readonly formerName?: string };

const isColumn = (told: unknown): told is ToldColumn =>
  typeof told === 'object' && told !== null && 'id' in told && 'key' in told && 'name' in told && 'type' in told;
