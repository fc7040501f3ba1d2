import { must, type Id } from '../../../common/index.js';
import {
  changesByTime,
  columnsIn,
  rowFilter,
  type Condition,
  type RowFilter,
  type SeenPart,
  type TableSchema,
} from '../../../query/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { sources } from '../columns/dependents.js';
import { baseSchema, type Sight, type TableRecord } from '../tables/table-schema.js';
import { liveColumns, type LiveColumns, type StoredRule } from './rule.js';
import { rulesInForce, togetherLet, type Ruled, type TableRights } from './table-rights.js';

/** So many different sights of a base are kept. */
const MAX_SIGHTS = 500;

/** How old a condition may be that depends on the time, ms. */
const TIME_STEP_MS = 2_000;

/**
 * The tables of a base as each member sees them. Whoever works with such a schema cannot see more: columns are missing, rows are left out by
 * every statement that is made of it, and what lies behind links is seen the same way.
 */
export class SeenTables {
  private readonly sights = new Map<string, ReadonlyMap<Id, TableSchema>>();
  private readonly whole: ReadonlyMap<Id, TableSchema>;
  readonly live: LiveColumns;
  private readonly depends: { readonly me: boolean; readonly time: boolean; readonly attributes: readonly string[] };

  constructor(
    private readonly schema: string,
    private readonly records: readonly (TableRecord & { readonly schema: TableSchema })[],
    private readonly rules: ReadonlyMap<Id, readonly StoredRule[]>,
  ) {
    this.whole = new Map(records.map((record) => [record.table.id, record.schema]));
    this.live = liveColumns(records);
    this.depends = dependsOn([...rules.values()].flat());
  }

  /** The table as this member sees it: the whole of it where no rule of the base is for him. */
  of(tableId: Id, ruled: Ruled): TableSchema {
    const whole = must(this.whole.get(tableId), 'a table of the base');
    if (this.rules.size === 0 || ruled.role === 'owner' || ruled.role === 'admin') return whole;
    const key = this.keyOf(ruled);
    let sight = this.sights.get(key);
    if (!sight) {
      if (this.sights.size >= MAX_SIGHTS) this.sights.clear();
      this.sights.set(key, (sight = this.see(ruled)));
    }
    return must(sight.get(tableId), 'each table is seen somehow');
  }

  /** Whether any of the tables has rules at all. */
  get hasRules(): boolean {
    return this.rules.size > 0;
  }

  /** Names what he sees of the table, for as long as its structure is what it is; undefined where that is all. */
  sightOf(tableId: Id, ruled: Ruled): string | undefined {
    const { seen, schemaVersion } = this.of(tableId, ruled);
    return seen && JSON.stringify([schemaVersion, this.whoOf(ruled)]);
  }

  /** Those of the columns that he sees. Of a table in the trash, whose rules wait for it, members see none where it has rules. */
  columnsOf<C extends { readonly id: Id }>(tableId: Id, ruled: Ruled, columns: readonly C[]): readonly C[] {
    if (ruled.role === 'owner' || ruled.role === 'admin' || this.rules.size === 0) return columns;
    if (!this.whole.has(tableId)) return this.rules.has(tableId) ? [] : columns;
    const { seen, columns: shown } = this.of(tableId, ruled);
    const ids = new Set(shown.map(({ id }) => id));
    return seen ? columns.filter(({ id }) => ids.has(id)) : columns;
  }

  /** The rules of a table that are for somebody, one by one. */
  rulesFor(tableId: Id, ruled: Ruled) {
    const whole = must(this.whole.get(tableId), 'a table of the base');
    return rulesInForce(this.rules.get(tableId) ?? [], whole, ruled, this.live);
  }

  /**
   * How many rules a table has, and the keys of the columns that one of them hides, as they are now; undefined where none of them keeps anybody
   * from rows, or from one of these columns.
   */
  rulesOn(
    tableId: Id,
    isUsed: (columnId: Id) => boolean,
  ): { readonly count: number; readonly hidden: readonly string[] } | undefined {
    const rules = this.rules.get(tableId) ?? [];
    const ids = rules.flatMap(({ columns, columnIds }) => columns.hidden.flatMap((key) => columnIds[key] ?? []));
    const hidden = withOtherEnds(
      ids,
      this.records.flatMap(({ columns }) => columns),
    );
    if (!rules.some(({ read }) => read.filter !== undefined) && ![...hidden].some(isUsed)) return undefined;
    const columns = this.whole.get(tableId)?.columns ?? [];
    return { count: rules.length, hidden: columns.filter(({ id }) => ids.includes(id)).map(({ key }) => key) };
  }

  /** All tables of the base as he sees them. */
  allFor(ruled: Ruled): readonly TableSchema[] {
    return this.records.map(({ table }) => this.of(table.id, ruled));
  }

  /** Whether he sees every row and every column of the base. */
  isWholeFor(ruled: Ruled): boolean {
    return this.allFor(ruled).every(({ seen }) => seen === undefined);
  }

  /** Whether he sees all of the table; of one that is not there any more, whether it has no rules. */
  isOpenTo(tableId: Id, ruled: Ruled): boolean {
    if (ruled.role === 'owner' || ruled.role === 'admin') return true;
    return this.whole.has(tableId) ? this.of(tableId, ruled).seen === undefined : !this.rules.has(tableId);
  }

  private keyOf(ruled: Ruled): string {
    const step = this.depends.time ? Math.floor(Date.now() / TIME_STEP_MS) : null;
    return JSON.stringify([this.whoOf(ruled), step]);
  }

  /** All of a member that makes a difference. */
  private whoOf({ role, member, principal, timeZone }: Ruled): readonly unknown[] {
    const { me, attributes } = this.depends;
    return [
      role,
      timeZone,
      me ? [member.id, principal.userId] : null,
      attributes.map((name) => member.attributes[name] ?? null),
    ];
  }

  private see(ruled: Ruled): ReadonlyMap<Id, TableSchema> {
    const rights = new Map<Id, TableRights>();
    for (const tableId of this.rules.keys()) {
      // Rules of a table in the trash wait for it.
      const own = this.whole.has(tableId) ? togetherLet(this.rulesFor(tableId, ruled)) : undefined;
      if (own) rights.set(tableId, own);
    }
    if (rights.size === 0) return this.whole;
    const seen = baseSchema(this.schema, this.records, this.limitsOf(rights));
    const touched = leadingTo(new Set(rights.keys()), this.records);
    return new Map([...this.whole].map(([id, whole]) => [id, touched.has(id) ? (seen.get(id) ?? whole) : whole]));
  }

  private isTimeBound(tableId: Id, read: Condition): boolean {
    return dependsOn(this.rules.get(tableId) ?? []).time || columnsIn(read).some(changesByTime);
  }

  private limitsOf(rights: ReadonlyMap<Id, TableRights>): Sight {
    const all = this.records.flatMap(({ columns }) => columns);
    const hidden = madeOf(
      withOtherEnds(
        [...rights.values()].flatMap((each) => [...each.hidden]),
        all,
      ),
      all,
    );
    const locked = withOtherEnds(
      [...rights.values()].flatMap((each) => [...each.locked]),
      all,
    );
    const byTime = leadingTo(
      new Set([...rights].filter(([id, { read }]) => this.isTimeBound(id, read)).map(([id]) => id)),
      this.records,
    );
    return {
      shows: ({ id }) => !hidden.has(id),
      locks: ({ id }) => locked.has(id),
      seen: (tableId) => ({
        ...seenPart(must(this.whole.get(tableId), 'a table of the base'), rights.get(tableId)),
        ...(byTime.has(tableId) ? { isTimeBound: true } : {}),
      }),
    };
  }
}

/** These tables, and all whose links lead to one of them, however far. What lies behind the links of the others is seen as a whole. */
export function leadingTo(tables: ReadonlySet<Id>, all: readonly TableRecord[]): ReadonlySet<Id> {
  const found = new Set(tables);
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const { table, columns } of all)
      if (columns.some(({ options: { tableId } }) => tableId !== undefined && found.has(tableId))) found.add(table.id);
  }
  return found;
}

function seenPart(whole: TableSchema, rights: TableRights | undefined): SeenPart {
  if (!rights) return { whole };
  const { read, update, create, delete: deletion } = rights;
  const writes = { update: rowFilter(update), create: rowFilter(create), delete: rowFilter(deletion) };
  const rows: RowFilter | undefined = read.kind === 'true' ? undefined : rowFilter(read);
  return { whole, writes, ...(rows ? { rows } : {}) };
}

/** These columns, and the other ends of those that are links: both ends of a link hold the same. */
function withOtherEnds(columns: readonly Id[], all: readonly ColumnEntity[]): ReadonlySet<Id> {
  const given = new Set(columns);
  return new Set([
    ...columns,
    ...all.flatMap(({ id, options }) => (given.has(id) ? (options.inverseColumnId ?? []) : [])),
  ]);
}

/** These columns, and all whose cells are computed from one of them: they would tell what it holds. */
function madeOf(columns: ReadonlySet<Id>, all: readonly ColumnEntity[]): ReadonlySet<Id> {
  const found = new Set(columns);
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const column of all) if (sources(column).some((id) => found.has(id))) found.add(column.id);
  }
  return found;
}

/** What the answer to "what does somebody see?" depends on besides his role. */
function dependsOn(rules: readonly StoredRule[]) {
  const text = JSON.stringify(rules);
  const names = new Set(
    [...text.matchAll(/\{"\$(\w+)":("(?:[^"\\]|\\.)*")?/g)].map(([, name, value]) => [name, value] as const),
  );
  const attributes = [...names].flatMap(([name, value]) =>
    name === 'attr' && value !== undefined ? [JSON.parse(value) as string] : [],
  );
  return {
    me: rules.some(({ appliesTo }) => appliesTo.memberIds !== undefined) || [...names].some(([name]) => name === 'me'),
    // Ranges of days are words, too (`{"within":"today"}`), so every filter of times counts.
    time: /"(?:\$now|\$today|within|on|before|after)"/.test(text),
    attributes: [...new Set(attributes)].sort(),
  };
}
