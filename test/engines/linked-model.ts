import { must, type Id } from '../../src/common/index.js';
import {
  kindOf,
  valueType,
  type CellValue,
  type ColumnSchema,
  type EvaluatedRow,
  type LinkRef,
  type RowOp,
  type Scalar,
  type TableSchema,
} from '../../src/query/index.js';

interface ModelRow {
  version: number;
  readonly stored: Map<string, CellValue>;
}

type Linking = ColumnSchema & { readonly derived: { readonly kind: 'link'; readonly link: LinkRef } };

export const linksOf = ({ columns }: TableSchema): readonly Linking[] =>
  columns.filter((column): column is Linking => column.derived?.kind === 'link');

/** What a base with links means, in memory and said as plainly as can be: rows, and a list of rows at each end of each link. */
export class LinkedModel {
  private readonly rows: ReadonlyMap<Id, Map<Id, ModelRow>>;
  private readonly lists = new Map<string, Id[]>();

  constructor(private readonly tables: readonly TableSchema[]) {
    this.rows = new Map(tables.map(({ id }) => [id, new Map<Id, ModelRow>()]));
  }

  ids(table: TableSchema): Id[] {
    return [...this.of(table).keys()];
  }

  version(table: TableSchema, id: Id): number | undefined {
    return this.of(table).get(id)?.version;
  }

  /** Makes the changes of one write; every row that is another afterwards has one version more. */
  apply(table: TableSchema, ops: readonly RowOp[]): void {
    const before = this.snapshot();
    for (const op of ops) if (op.kind === 'create') this.of(table).set(op.id, { version: 0, stored: new Map() });
    for (const op of ops) {
      if (op.kind === 'delete') continue;
      const row = must(this.of(table).get(op.id), 'a row of the model');
      for (const [{ key, derived }, value] of op.values) if (!derived) row.stored.set(key, value);
    }
    for (const { key, derived } of linksOf(table)) this.link(derived.link, wanted(key, ops));
    for (const op of ops) if (op.kind === 'delete') this.of(table).delete(op.id);
    const after = this.snapshot();
    for (const rows of this.rows.values())
      for (const [id, row] of rows) if (before.get(id) !== after.get(id)) row.version++;
  }

  private link(link: LinkRef, lists: ReadonlyMap<Id, readonly Id[]>): void {
    const inverse = inverseOf(link);
    for (const [mine, list] of lists)
      for (const theirs of [...this.list(link, mine)]) if (!list.includes(theirs)) this.unlink(link, mine, theirs);
    for (const [mine, list] of lists)
      for (const theirs of list) {
        if (this.list(link, mine).includes(theirs)) continue;
        if (link.inverseSingle) for (const holder of [...this.list(inverse, theirs)]) this.unlink(link, holder, theirs);
        this.list(link, mine).push(theirs);
        this.list(inverse, theirs).push(mine);
      }
    for (const [mine, list] of lists) this.lists.set(place(link, mine), [...list]);
  }

  private unlink(link: LinkRef, mine: Id, theirs: Id): void {
    const drop = (list: Id[], id: Id): void => void list.splice(list.indexOf(id), 1);
    drop(this.list(link, mine), theirs);
    drop(this.list(inverseOf(link), theirs), mine);
  }

  private list(link: Pick<LinkRef, 'through' | 'end'>, id: Id): Id[] {
    const at = place(link, id);
    const list = this.lists.get(at) ?? [];
    this.lists.set(at, list);
    return list;
  }

  private of({ id }: TableSchema): Map<Id, ModelRow> {
    return must(this.rows.get(id), 'a table of the model');
  }

  private snapshot(): ReadonlyMap<Id, string> {
    return new Map(
      this.tables.flatMap((table) =>
        [...this.of(table)].map(([id, { stored }]): [Id, string] => [
          id,
          JSON.stringify([
            table.columns.map(({ key }) => stored.get(key) ?? null),
            linksOf(table).map(({ derived }) => this.list(derived.link, id)),
          ]),
        ]),
      ),
    );
  }

  /** The canonical value of a cell. */
  cell(table: TableSchema, id: Id, column: ColumnSchema): CellValue {
    const { derived } = column;
    switch (derived?.kind) {
      case 'link':
        return orNull(this.list(derived.link, id));
      case 'count':
        return this.list(derived.link, id).length;
      case 'lookup': {
        const values = this.values(derived.link, derived.column, id);
        return kindOf(column).list ? orNull(values) : (values[0] ?? null);
      }
      case 'rollup':
        return rolledUp(derived.fn, derived.column, this.values(derived.link, derived.column, id));
      default:
        return this.of(table).get(id)?.stored.get(column.key) ?? null;
    }
  }

  /** Of the linked rows, lists taken apart, without nulls. */
  private values(link: LinkRef, column: ColumnSchema, id: Id): Scalar[] {
    return this.list(link, id).flatMap((theirs): Scalar[] => {
      const value = this.cell(link.target, theirs, column);
      return value === null ? [] : Array.isArray(value) ? [...(value as readonly Scalar[])] : [value as Scalar];
    });
  }

  /** The rows as the oracle sees them, with those that they lead to. */
  evaluated(table: TableSchema): EvaluatedRow[] {
    return this.ids(table).map((id) => this.row(table, id));
  }

  private row(table: TableSchema, id: Id): EvaluatedRow {
    const linked = (): EvaluatedRow['linked'] =>
      Object.fromEntries(
        linksOf(table).map(({ key, derived: { link } }) => [
          key,
          this.list(link, id).map((theirs) => this.row(link.target, theirs)),
        ]),
      );
    return {
      id,
      fields: Object.fromEntries(table.columns.map((column) => [column.key, this.cell(table, id, column)])),
      // When it is asked for: rows lead to each other in circles.
      get linked() {
        return linked();
      },
    };
  }
}

const place = ({ through, end }: Pick<LinkRef, 'through' | 'end'>, id: Id): string => `${through} ${end} ${id}`;
const inverseOf = ({ through, end }: LinkRef) =>
  ({ through, end: end === 'source' ? 'target' : 'source' }) as Pick<LinkRef, 'through' | 'end'>;
const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : [...list]);

function wanted(key: string, ops: readonly RowOp[]): Map<Id, readonly Id[]> {
  const lists = new Map<Id, readonly Id[]>();
  for (const op of ops) {
    if (op.kind === 'delete') lists.set(op.id, []);
    else for (const [column, value] of op.values) if (column.key === key) lists.set(op.id, (value ?? []) as Id[]);
  }
  return lists;
}

function rolledUp(fn: string, column: ColumnSchema, values: readonly Scalar[]): CellValue {
  const { options } = kindOf(column);
  const sorted = [...values].sort((a, b) => valueType(column).compare(a, b, options));
  switch (fn) {
    case 'count':
      return values.length;
    case 'countDistinct':
      return new Set(values).size;
    case 'concat':
      return values.length === 0 ? null : values.join(', ');
    case 'min':
      return sorted[0] ?? null;
    case 'max':
      return sorted.at(-1) ?? null;
    case 'sum': {
      const total = decimal(values.map(hundredths).reduce((a, b) => a + b, 0n) * 10n ** 8n);
      return kindOf(column).type === 'duration' ? Number(total) : total;
    }
    case 'avg': {
      if (values.length === 0) return null;
      const total = values.map(hundredths).reduce((a, b) => a + b, 0n) * 10n ** 8n;
      const [doubled, n] = [2n * total, BigInt(values.length)];
      return decimal((doubled + (total < 0n ? -n : n)) / (2n * n));
    }
    default:
      throw new Error(fn);
  }
}

/** The model's numbers have two digits behind the point at most. */
function hundredths(value: Scalar): bigint {
  const [, sign, whole = '0', fraction = ''] = must(
    /^(-?)(\d+)(?:\.(\d*))?$/.exec(String(value)) ?? undefined,
    'a number',
  );
  return BigInt(`${sign ?? ''}${whole}${fraction.padEnd(2, '0').slice(0, 2)}`);
}

/** Plain decimal text of a number of ten digits behind the point. */
function decimal(scaled: bigint): string {
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(11, '0');
  const text = `${digits.slice(0, -10)}.${digits.slice(-10)}`.replace(/\.?0+$/, '');
  return scaled < 0n ? `-${text}` : text;
}
