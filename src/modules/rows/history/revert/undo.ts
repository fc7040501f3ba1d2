import type { Id } from '../../../../common/index.js';
import type { Change } from '../../../../engines/index.js';
import {
  isListChange,
  isWritable,
  parseCell,
  withListChange,
  type CellValue,
  type ColumnSchema,
} from '../../../../query/index.js';
import { canonical, holds } from '../../write/settle.js';
import type { ColumnThen, ColumnTimeline } from '../column-timeline.js';
import { isWritten } from '../written-columns.js';

/*
 * What it would take to undo changes of a row: entries of the log are taken back from the newest to the oldest, field by field. Where a
 * field does not hold what the entry left there, somebody has changed it since, and neither this nor an older entry is taken back.
 */

/** A row as it is: whether it is in the trash, and what it holds by key, as JSON. */
export interface RowNow {
  readonly version: number;
  readonly inTrash: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Something that others changed since. Without a column it is the row itself that is there, or not. */
export interface Conflict {
  readonly rowId: Id;
  readonly column?: Pick<ColumnThen, 'id' | 'key' | 'name'>;
  readonly code: 'changed_since' | 'deleted_since' | 'restored_since';
  /** What would be put back, and what is there, of a field. */
  readonly value?: unknown;
  readonly current?: unknown;
}

/** Something that cannot be put back. */
export interface Skipped {
  readonly rowId: Id;
  readonly column?: Pick<ColumnThen, 'id' | 'key' | 'name'>;
  readonly code:
    | 'column_gone'
    | 'column_converted'
    | 'value_not_possible'
    | 'value_taken'
    | 'row_value_taken'
    | 'row_value_missing'
    | 'row_purged';
  /** Keys of the columns that are unique together, where they are several; empty where one of them is not seen. */
  readonly together?: readonly string[];
}

/** What becomes of a row: whether it ends in the trash, and which of its fields become what. */
export interface Undone {
  readonly inTrash: boolean;
  readonly values: ReadonlyMap<ColumnSchema, CellValue>;
  readonly conflicts: readonly Conflict[];
  readonly skipped: readonly Skipped[];
}

interface Cell {
  readonly then: ColumnThen;
  readonly column: ColumnSchema;
  value: unknown;
  /** Somebody changed it since; what is older stays. */
  stopped: boolean;
}

/**
 * Takes back the changes, which are those of one row, the oldest first. With `overwrite` also where others have changed the row since; versions that are `own` are
 * not of others.
 */
export function undo(
  rowId: Id,
  now: RowNow,
  changes: readonly Change[],
  timeline: ColumnTimeline,
  overwrite: boolean,
  own: ReadonlySet<number | null> = new Set(),
): Undone {
  const versions = new Set([...own, ...changes.map(({ version }) => version)]);
  const undoing = new Undoing(rowId, now, timeline, overwrite, versions);
  for (const change of [...changes].reverse()) if (!undoing.back(change)) break;
  return undoing.result();
}

class Undoing {
  private readonly cells = new Map<Id, Cell>();
  private readonly conflicts: Conflict[] = [];
  private readonly skipped = new Map<string, Skipped>();
  private inTrash: boolean;
  /** Whether {@link inTrash} is still what it is now, and not what an entry made of it that was taken back. */
  private isAsNow = true;

  constructor(
    private readonly rowId: Id,
    private readonly now: RowNow,
    private readonly timeline: ColumnTimeline,
    private readonly overwrite: boolean,
    private readonly versions: ReadonlySet<number | null>,
  ) {
    this.inTrash = now.inTrash;
  }

  /** False where nothing older can be taken back either. */
  back(change: Change): boolean {
    switch (change.op) {
      case 'create':
      case 'restore':
        return this.away(change);
      case 'delete':
        if (!this.inTrash) return this.conflict('restored_since');
        // It came back and went again meanwhile, which this did not do.
        if (this.isAsNow && change.version !== this.now.version) return this.conflict('deleted_since');
        this.isAsNow = false;
        this.inTrash = false;
        this.fieldsBecome(change);
        return true;
      case 'update':
        if (this.inTrash) return this.conflict('deleted_since');
        for (const key of Object.keys(change.before ?? {})) this.field(key, change);
        return true;
      case 'schema':
        return true;
    }
  }

  result(): Undone {
    const values = new Map<ColumnSchema, CellValue>();
    const comesBack = this.now.inTrash && !this.inTrash;
    for (const { then, column, value } of this.cells.values()) {
      // A row comes back without its links.
      const held = comesBack && column.type === 'link' ? null : this.now.fields[column.key];
      const next = this.possible(column, value);
      if (next === undefined) this.skip(then, 'value_not_possible');
      else if (!isSame(held, next, column)) values.set(column, next);
    }
    return { inTrash: this.inTrash, values, conflicts: this.conflicts, skipped: [...this.skipped.values()] };
  }

  /** A row that was made, or came back, goes; not so where others have changed it by now. */
  private away({ version }: Change): boolean {
    if (this.inTrash) return false;
    const since = Array.from({ length: this.now.version - (version ?? 0) }, (_, i) => (version ?? 0) + 1 + i);
    if (!this.overwrite && since.some((each) => !this.versions.has(each))) return this.conflict('changed_since');
    this.inTrash = true;
    this.isAsNow = false;
    return true;
  }

  /**
   * What the row held when it went is what older entries speak of: rows in the trash have no links, and one that came back may have been given
   * other values with that, where its own were taken.
   */
  private fieldsBecome({ seq, before }: Change): void {
    for (const [key, had] of Object.entries(before ?? {})) {
      const then = this.timeline.at(key, seq);
      const column = then.now;
      if (!column || !isWritable(column) || this.timeline.hasOtherType(then, seq)) continue;
      const cell = this.cells.get(column.id);
      const value = cell ? cell.value : this.now.fields[column.key];
      if (column.type === 'link' || !isSame(value, had, column)) this.cellOf(then, column).value = had;
    }
  }

  private conflict(code: Conflict['code']): false {
    this.conflicts.push({ rowId: this.rowId, code });
    return false;
  }

  private field(key: string, { seq, before, after }: Change): void {
    const then = this.timeline.at(key, seq);
    if (!isWritten(then.type)) return;
    const column = then.now;
    if (!column) {
      this.skip(then, 'column_gone');
      return;
    }
    if (!isWritable(column)) return;
    if (this.timeline.hasOtherType(then, seq)) {
      this.skip(then, 'column_converted');
      return;
    }
    const cell = this.cellOf(then, column);
    if (cell.stopped) return;
    const [from, to] = [before?.[key], after?.[key]];
    if (column.type === 'link' && isListChange(from)) cell.value = withListChange(cell.value, from);
    else if (this.overwrite || isSame(cell.value, to, column)) cell.value = from ?? null;
    else {
      cell.stopped = true;
      this.conflicts.push({
        ...{ rowId: this.rowId, column: { id: then.id, key: column.key, name: then.name }, code: 'changed_since' },
        ...{ value: from ?? null, current: this.now.fields[column.key] ?? null },
      });
    }
  }

  private cellOf(then: ColumnThen, column: ColumnSchema): Cell {
    const cell = this.cells.get(column.id) ?? { then, column, value: this.now.fields[column.key], stopped: false };
    this.cells.set(column.id, cell);
    return cell;
  }

  private skip({ id, key, name }: ColumnThen, code: Skipped['code']): void {
    this.skipped.set(`${id} ${key} ${code}`, { rowId: this.rowId, column: { id, key, name }, code });
  }

  /** The value as the column takes it today; undefined where it does not. */
  private possible(column: ColumnSchema, json: unknown): CellValue | undefined {
    if (json === null || json === undefined) return column.required ? undefined : null;
    const parsed = parseCell(json, column);
    if (!parsed.ok) return holds(this.now.fields[column.key], canonical(json, column), column) ? canonical(json, column) : undefined; // prettier-ignore
    return parsed.value === null && column.required ? undefined : parsed.value;
  }
}

/** Links in another order are the same links: which one comes first also follows from what happened at their other ends. */
function isSame(cell: unknown, other: unknown, column: ColumnSchema): boolean {
  if (column.type !== 'link') return holds(cell, canonical(other, column), column);
  const [one, two] = [cell, other].map((list) => [...((list ?? []) as readonly string[])].sort().join());
  return one === two;
}
