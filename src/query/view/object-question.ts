import { must } from '../../common/index.js';
import { columnsOf, type Expression } from '../formula/expression.js';
import type { MadeColumn, ObjectColumn, ObjectJoin, ObjectSchema, ObjectSource } from '../object-schema.js';
import { conditionOn, columnsIn } from '../plan-columns.js';
import type { Condition, OrderTerm } from '../plan.js';
import { namedForStage, type Stage } from '../compile/view/stage.js';
import { stagedColumns } from '../compile/view/relation.js';
import { kindOf, valueType } from '../kind.js';
import { remembered } from '../remember.js';
import { TRUE } from '../resolve/resolve-read.js';
import { canTest, type SourceCapabilities } from '../resolve/resolve-source-read.js';
import type { SourceGroups, SourceRead } from '../source-plan.js';
import type { ViewGroups } from '../compile/view/view-read.js';
import type { PartQuestion } from './view-part.js';
import type { ColumnSchema } from '../schema.js';
import { isViewColumn, type ViewColumn, type ViewPlace, type ViewTable } from './view-table.js';

/** The object that stands in a place. */
export const objectAt = ({ places }: ViewTable, place: number): ObjectSchema => {
  const source = must(places[place], 'a place of the view').source;
  if (source.kind !== 'object') throw new Error('the place holds a table of ours');
  return source.object;
};

/** The columns of a view as columns of its objects, each one object for as long as this lives: what is the same is known by it. */
export class ObjectColumns {
  private readonly known = new Map<string, ObjectColumn>();
  private readonly made = new Map<string, MadeColumn | undefined>();

  /** @param computes whether their database can compute a column; it can not where that is absent */
  constructor(
    private readonly table: ViewTable,
    private readonly computes: SourceCapabilities['computes'],
  ) {}

  /** Undefined for one that is neither a cell of an object nor can be computed of such cells. */
  of(column: ColumnSchema): ObjectColumn | MadeColumn | undefined {
    if (!isViewColumn(column) || column.of.kind !== 'formula') return this.cell(column);
    if (!this.made.has(column.id)) this.made.set(column.id, this.compute(column, column.of.expression));
    return this.made.get(column.id);
  }

  /** Undefined for one that is no cell of an object. */
  cell(column: ColumnSchema): ObjectColumn | undefined {
    if (!isViewColumn(column) || column.of.kind !== 'cell') return undefined;
    const place = this.table.places[column.of.place];
    if (place?.source.kind !== 'object') return undefined;
    return this.named(place, column.of.column as ObjectColumn, column);
  }

  /** What tells the rows of a place apart. */
  keyOf(place: ViewPlace): readonly ObjectColumn[] {
    if (place.source.kind !== 'object') throw new Error('the place holds a table of ours');
    return place.source.object.key.map((column) => this.named(place, column));
  }

  /** What the rows of a place can be sorted by. */
  sortable(place: ViewPlace): readonly ObjectColumn[] {
    if (place.source.kind !== 'object') throw new Error('the place holds a table of ours');
    const { columns } = place.source.object;
    return columns.filter((column) => valueType(column).sortable !== false).map((column) => this.named(place, column));
  }

  private compute(column: ViewColumn, made: Expression): MadeColumn | undefined {
    const reads = new Map<ColumnSchema, ObjectColumn | MadeColumn>();
    for (const each of columnsOf(made)) {
      const read = this.of(each);
      if (!read) return undefined;
      reads.set(each, read);
    }
    const computed = { ...column, made, reads };
    return this.computes?.(computed) === true ? computed : undefined;
  }

  /** Several shown columns can be one of the object. */
  private named({ alias, join }: ViewPlace, column: ObjectColumn, shown?: ViewColumn): ObjectColumn {
    const id = `${alias}.${column.key}`;
    let found = this.known.get(id);
    if (!found) {
      const required = column.required && join?.type !== 'left';
      this.known.set(id, (found = { ...column, id, alias, required, key: shown?.key ?? column.key }));
    }
    return found;
  }
}

/** All places as one source of a database that joins them itself. */
export function objectSource(table: ViewTable, columns: ObjectColumns): ObjectSource {
  const [first, ...joined] = table.places;
  const main = must(first, 'a view has a source');
  const object = objectAt(table, 0);
  return {
    ...object,
    id: table.id,
    object,
    alias: main.alias,
    columns: [],
    joins: joined.map(({ alias, join }, i): ObjectJoin => {
      const { type, on } = must(join, 'a place behind the first is joined');
      const column = (of: ViewColumn): ObjectColumn => must(columns.cell(of), 'a view of objects joins by their cells');
      return {
        type,
        alias,
        object: objectAt(table, i + 1),
        on: on.map(({ left, right }) => ({ left: column(left), right: column(right) })),
      };
    }),
  };
}

/** The condition about columns of objects; undefined where it speaks of something else. */
export function objectCondition(condition: Condition, columns: ObjectColumns): Condition | undefined {
  if (columnsIn(condition).some((column) => !columns.of(column))) return undefined;
  return conditionOn(condition, (column) => must(columns.of(column), 'a column of an object'));
}

/**
 * What of a condition a place can be asked by itself, without the view having other rows or values: parts that speak of it alone; of a
 * place that need not have a row, only such as a row without values does not satisfy. The view asks all of it again.
 */
export function conditionOfPlace(condition: Condition, table: ViewTable, place: number): Condition {
  const optional = table.places[place]?.join?.type === 'left';
  const items = (condition.kind === 'and' ? condition.items : [condition]).filter(
    (item) =>
      item.kind !== 'true' &&
      columnsIn(item).every(
        (column) => isViewColumn(column) && column.of.kind === 'cell' && column.of.place === place,
      ) &&
      (!optional || refusesNull(item)),
  );
  return items.length === 0 ? TRUE : { kind: 'and', items };
}

function refusesNull(condition: Condition): boolean {
  switch (condition.kind) {
    case 'compare':
      return condition.op !== 'neq';
    case 'oneOf':
    case 'between':
    case 'match':
      return true;
    case 'and':
      return condition.items.some(refusesNull);
    case 'or':
      return condition.items.every(refusesNull);
    default:
      return false;
  }
}

/**
 * A question to places that are objects of one database, as that database is asked. Cells come under their physical names.
 * @returns undefined where it cannot be asked: the condition or the order speak of something else than its columns
 */
export function objectRead(
  table: ViewTable,
  { cells, where, orderBy, limit, count, after, clock }: PartQuestion,
  can: SourceCapabilities,
): SourceRead | undefined {
  const columns = new ObjectColumns(table, can.computes);
  const condition = objectCondition(where, columns);
  const order = objectOrder(orderBy, table, columns);
  if (condition === undefined || order === undefined || !canTest(condition, can)) return undefined;
  const shown = cells.map((column) => {
    const found = must(columns.cell(column), 'a cell of an object');
    return { ...found, key: column.physical };
  });
  return {
    from: objectSource(table, columns),
    select: shown,
    where: condition,
    orderBy: order.terms,
    ...(clock ? { clock } : {}),
    ...(order.isTotal ? (after ? { after } : {}) : { skip: Number(after?.[0] ?? 0) }),
    limit,
    count,
  };
}

/** Groups of places that are objects of one database. @returns undefined where it cannot be asked for them */
export function objectGroups(plan: ViewGroups, can: SourceCapabilities): SourceGroups | undefined {
  const columns = new ObjectColumns(plan.from, can.computes);
  const where = objectCondition(plan.where, columns);
  const groups = plan.groups.map(({ column, ...rest }) => ({ ...rest, column: columns.of(column) }));
  const aggregates = plan.aggregates.map(({ column, ...rest }) => ({ ...rest, column: column && columns.of(column) }));
  const known =
    where !== undefined &&
    groups.every(({ column }) => column) &&
    aggregates.every(({ column }, i) => column !== undefined || plan.aggregates[i]?.column === undefined);
  const zoned = plan.groups.some(
    ({ column, bucket }) => bucket && bucket.zone !== 'UTC' && kindOf(column).type === 'datetime',
  );
  if (!known || !canTest(where, can) || (zoned && !can.timeZones)) return undefined;
  return {
    ...plan,
    from: objectSource(plan.from, columns),
    where,
    groups: groups as unknown as SourceGroups['groups'],
    aggregates: aggregates as unknown as SourceGroups['aggregates'],
  };
}

/** The order about columns of objects, with what tells their rows apart at its end, where something does. */
function objectOrder(
  asked: readonly OrderTerm[],
  { places }: ViewTable,
  columns: ObjectColumns,
): { readonly terms: readonly OrderTerm[]; readonly isTotal: boolean } | undefined {
  const own = asked.map(({ by, dir }) => ({ column: by.kind === 'column' ? columns.of(by.column) : undefined, dir }));
  if (own.some(({ column }) => !column)) return undefined;
  const dir = asked.at(-1)?.dir ?? 'asc';
  const keys = places.map((place) => columns.keyOf(place));
  const isTotal = keys.every((key) => key.length > 0);
  if (!isTotal && places.length > 1) return undefined;
  const ties = isTotal ? keys.flat() : columns.sortable(must(places[0], 'a place'));
  const seen = new Set(own.map(({ column }) => column));
  const all = [...own, ...ties.filter((column) => !seen.has(column)).map((column) => ({ column, dir }))];
  return {
    isTotal,
    terms: all.map(({ column, dir: way }) => ({
      by: { kind: 'column', column: must(column, 'a column of an object') },
      dir: way,
    })),
  };
}

/**
 * What has to be copied of an object for a condition of the view: its rows in the order of its key, as far as the object can be asked.
 * The columns are named as the copy names them.
 */
export function stageQuestion(
  stage: Stage,
  table: ViewTable,
  where: Condition,
  can: SourceCapabilities,
  limit: number,
): SourceRead {
  const { object, place } = stage;
  const { alias } = must(table.places[place], 'a place of the view');
  const own = remembered((column: ColumnSchema): ObjectColumn => ({ ...(column as ObjectColumn), alias }));
  const part = conditionOfPlace(where, table, place);
  const asked = conditionOn(canTest(part, can) ? part : TRUE, (column) =>
    own((column as ViewColumn & { readonly of: { readonly column: ColumnSchema } }).of.column),
  );
  const ties =
    object.key.length > 0 ? object.key : object.columns.filter((column) => valueType(column).sortable !== false);
  return {
    from: { ...object, object, alias, columns: [], joins: [] },
    select: namedForStage(stage).map((column) => ({ ...column, alias })),
    where: asked,
    orderBy: ties.map((column) => ({ by: { kind: 'column', column: own(column) }, dir: 'asc' })),
    ...(object.key.length > 0 ? {} : { skip: 0 }),
    limit,
    count: 'none',
  };
}

/** What has to be copied of the object in a place. Of one without a key all: together they tell its rows apart. */
export function stageOf(table: ViewTable, needed: Iterable<ColumnSchema>, place: number): Stage {
  const object = objectAt(table, place);
  const wanted = stagedColumns(table, needed, place);
  const columns = object.columns.filter(
    (column) => object.key.length === 0 || wanted.has(column) || object.key.includes(column),
  );
  return { place, object, columns };
}
