import { must } from '../../src/common/index.js';
import type { LoggedChange } from './changes.js';

/*
 * What a revert comes to, worked out as plainly as can be: rows are objects, and where values must not repeat, whoever cannot have one gives in, one
 * step after the other, until none repeats.
 */

export type Cells = Readonly<Record<string, unknown>>;

/** Columns that no two rows may have the same values in, and what of a value counts. */
export interface PlainKey {
  readonly columns: readonly string[];
  readonly of: (value: unknown) => unknown;
}

export interface PlainTable {
  readonly keys: readonly PlainKey[];
  readonly required: readonly string[];
}

export interface PlainOutcome {
  readonly rows: ReadonlyMap<string, Cells>;
  /** `row column code`, sorted. */
  readonly skipped: readonly string[];
  readonly conflicts: number;
}

interface Undone {
  readonly id: string;
  readonly isLive: boolean;
  staysFor?: PlainKey;
  readonly held: Cells;
  readonly wanted: Record<string, unknown>;
  readonly lost: Set<string>;
  readonly empty: Set<string>;
  readonly fell: Set<PlainKey>;
  goes: boolean;
}

/** Undoes the changes of a log with these numbers; the log is all of it, up to now. */
export function plainRevert(table: PlainTable, log: readonly LoggedChange[], from: number, to: number): PlainOutcome {
  const now = stateOf(log);
  const part = log.filter(({ seq, op }) => seq >= from && seq <= to && op !== 'schema');
  let conflicts = 0;
  const undone = [...new Set(part.map(({ rowId }) => must(rowId, 'a row')))].flatMap((id): Undone[] => {
    const row = must(now.get(id), 'a row that was changed');
    const own = part.filter(({ rowId }) => rowId === id);
    const back = takenBack(row, own);
    conflicts += back.conflicts;
    const changes = Object.entries(back.cells).filter(([column, value]) => value !== row.cells[column]);
    const goes = row.isLive && back.inTrash;
    if (!row.isLive && back.inTrash) return [];
    const lists = { lost: new Set<string>(), empty: new Set<string>(), fell: new Set<PlainKey>() };
    const skipped = changes.filter(([column, value]) => value === null && table.required.includes(column));
    if (skipped.length > 0) throw new Error('no case of these tests');
    return [{ id, isLive: row.isLive, goes, held: row.cells, wanted: Object.fromEntries(changes), ...lists }]; // prettier-ignore
  });
  const byId = new Set(undone.map(({ id }) => id));
  // Those that nothing is undone of hold what they hold.
  const others = [...now].flatMap(([id, { isLive, cells }]): Undone[] => {
    if (!isLive || byId.has(id)) return [];
    return [{ id, isLive, goes: false, held: cells, wanted: {}, lost: new Set(), empty: new Set(), fell: new Set() }]; // prettier-ignore
  });
  const all = [...undone.filter(({ goes }) => !goes), ...others];
  while (giveIn(table, all));
  for (const each of all)
    if (!each.isLive && !each.staysFor && table.required.some((column) => final(each, column) === null)) throw new Error('no case of these tests'); // prettier-ignore
  const skipped = all.flatMap(({ id, staysFor, lost }) =>
    staysFor
      ? staysFor.columns.map((column) => `${id} ${column} row_value_taken`)
      : [...lost].map((column) => `${id} ${column} value_taken`),
  );
  return {
    rows: new Map(all.flatMap((each) => (each.staysFor ? [] : [[each.id, cellsOf(each)]]))),
    skipped: skipped.sort(),
    conflicts,
  };
}

const cellsOf = (row: Undone): Cells =>
  Object.fromEntries(Object.keys({ ...row.held, ...row.wanted }).map((column) => [column, final(row, column)]));

const final = ({ empty, wanted, held }: Undone, column: string): unknown =>
  empty.has(column) ? null : column in wanted ? wanted[column] : held[column];

function nameOf({ columns, of }: PlainKey, cell: (column: string) => unknown): string | undefined {
  const values = columns.map((column) => cell(column) ?? null);
  return values.includes(null) ? undefined : JSON.stringify(values.map(of));
}

/** One step: false where nobody has to give in any more. */
function giveIn(table: PlainTable, all: readonly Undone[]): boolean {
  for (const contested of [false, true])
    for (const key of table.keys) {
      const groups = new Map<string, Undone[]>();
      for (const row of all) {
        const name = row.staysFor ? undefined : nameOf(key, (column) => final(row, column));
        if (name !== undefined) groups.set(name, [...(groups.get(name) ?? []), row]);
      }
      const keeps = (row: Undone): boolean =>
        row.isLive && nameOf(key, (column) => row.held[column]) === nameOf(key, (column) => final(row, column));
      const losers = [...groups.values()].flatMap((group) => {
        const rivals = group.filter((row) => !keeps(row));
        if (!contested) return rivals.length < group.length ? rivals : [];
        return [...rivals.filter(({ fell }) => !fell.has(key)), ...rivals.filter(({ fell }) => fell.has(key))].slice(1);
      });
      for (const row of losers) lose(table, key, row);
      if (losers.length > 0) return true;
    }
  return false;
}

function lose(table: PlainTable, key: PlainKey, row: Undone): void {
  const asked = key.columns.filter((column) => column in row.wanted);
  for (const column of asked) {
    Reflect.deleteProperty(row.wanted, column);
    row.lost.add(column);
  }
  if (row.isLive) return;
  const [first = ''] = key.columns;
  if (asked.length > 0) row.fell.add(key);
  else if (key.columns.length > 1 || table.required.includes(first)) row.staysFor = key;
  else {
    row.empty.add(first);
    row.lost.add(first);
  }
}

interface State {
  readonly isLive: boolean;
  readonly version: number;
  readonly cells: Cells;
}

function stateOf(log: readonly LoggedChange[]): ReadonlyMap<string, State> {
  const rows = new Map<string, State>();
  for (const { op, rowId, version, after } of log) {
    if (rowId === null || version === null) continue;
    const cells = { ...rows.get(rowId)?.cells, ...after };
    rows.set(rowId, { isLive: op !== 'delete', version, cells });
  }
  return rows;
}

/** What a row comes to that these changes are taken back of, the newest first. */
function takenBack(row: State, own: readonly LoggedChange[]) {
  const cells: Record<string, unknown> = { ...row.cells };
  const versions = new Set(own.map(({ version }) => version));
  const stopped = new Set<string>();
  let [inTrash, isAsNow, conflicts] = [!row.isLive, true, 0];
  for (const { op, version, before, after } of own.toReversed()) {
    if (op === 'delete') {
      if (!inTrash || (isAsNow && version !== row.version)) return { inTrash, cells, conflicts: conflicts + 1 };
      [inTrash, isAsNow] = [false, false];
      for (const [column, value] of Object.entries(before ?? {})) if (!stopped.has(column)) cells[column] = value;
    } else if (op === 'update') {
      if (inTrash) return { inTrash, cells, conflicts: conflicts + 1 };
      for (const [column, value] of Object.entries(before ?? {})) {
        if (stopped.has(column)) continue;
        if (cells[column] === after?.[column]) cells[column] = value;
        else {
          stopped.add(column);
          conflicts++;
        }
      }
    } else {
      if (inTrash) return { inTrash, cells, conflicts };
      for (let each = (version ?? 0) + 1; each <= row.version; each++)
        if (!versions.has(each)) return { inTrash, cells, conflicts: conflicts + 1 };
      [inTrash, isAsNow] = [true, false];
    }
  }
  return { inTrash, cells, conflicts };
}
