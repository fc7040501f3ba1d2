import { invalid, pointer, type Problem } from '../../common/index.js';
import { digest } from '../keyset.js';
import { sizeOfCell } from '../compile/formula/size.js';
import { isObjectColumn } from '../compile/source/dialect.js';
import { kindOf } from '../kind.js';
import { noField } from '../resolve/no-field.js';
import { aliasOf, free, sharedKeys } from '../resolve/resolve-source.js';
import { columnByKey, type ColumnSchema, type ValueKind } from '../schema.js';
import { columnType } from '../types/index.js';
import type { Origin, ViewColumn, ViewPlace, ViewSource, ViewTable } from './view-table.js';

/** A source with what was asked for it. */
export interface PlacedSource {
  readonly source: ViewSource;
  readonly as?: string;
  readonly join?: {
    readonly type: 'left' | 'inner';
    readonly on: readonly { readonly left: string; readonly right: string }[];
  };
}

/** The row's own id, as a field of a table of ours; no column can have this key. */
export const ROW_ID = '_id';

const refuse = (at: string, code: string, detail: string): Problem => invalid([{ pointer: at, code, detail }]);

/**
 * Tables and objects side by side as one table. A column is called by its key, or `alias_key` where several have one of this key (or a
 * computed column has, whose keys are `reserved`), and by `alias.key` always.
 * @throws Problem `validation_failed` with pointers into the definition
 */
export function placeSources(sources: readonly PlacedSource[], reserved: readonly string[], at: string): ViewTable {
  const builder = new Sources();
  for (const [i, source] of sources.entries()) builder.place(source, i === 0 ? at : `${at}/joins${pointer(i - 1)}`);
  return builder.table(reserved);
}

class Sources {
  private readonly places: ViewPlace[] = [];
  private readonly columns: ViewColumn[][] = [];
  private readonly keys: ViewColumn[] = [];
  private made = 0;

  place({ source, as, join }: PlacedSource, at: string): void {
    const index = this.places.length;
    const alias = aliasOf(as, nameOf(source), `${at}/as`, new Set(this.places.map((place) => place.alias)));
    const optional = join?.type === 'left';
    const own = columnsOf(source).map((column) =>
      this.column(
        column,
        `${alias}.${column.id}`,
        { kind: 'cell', place: index, column },
        column.required && !optional,
      ),
    );
    const key = this.column(rowKey(source), `${alias}.${ROW_ID}`, { kind: 'key', place: index }, !optional);
    this.columns.push(own);
    this.keys.push(key);
    this.places.push({ alias, source });
    if (!join) return;
    const on = join.on.map((tie, i) => this.tie(tie, index, `${at}/on${pointer(i)}`));
    this.places[index] = { alias, source, join: { type: join.type, on } };
  }

  table(reserved: readonly string[]): ViewTable {
    const counts = new Map(reserved.map((key) => [key, 1]));
    for (const { key } of this.columns.flat()) counts.set(key, (counts.get(key) ?? 0) + 1);
    const taken = new Set(counts.keys());
    const names = new Map<string, ViewColumn>();
    const columns = this.columns.flatMap((own, place) =>
      own.map((column) => {
        const alias = this.places[place]?.alias ?? '';
        const key = counts.get(column.key) === 1 ? column.key : free(`${alias}_${column.key}`, taken);
        taken.add(key);
        const shown = { ...column, key };
        names.set(`${alias}.${column.key}`, shown);
        return shown;
      }),
    );
    for (const [place, { alias, source }] of this.places.entries())
      if (source.kind === 'table' && this.keys[place]) names.set(`${alias}.${ROW_ID}`, this.keys[place]);
    return {
      id: digest(
        this.places.map(({ alias, source, join }) => [
          alias,
          idOf(source),
          join?.type ?? '',
          join?.on.map(({ left, right }) => [left.id, right.id]) ?? [],
        ]),
      ),
      schemaVersion: 0,
      physical: { schema: schemaOf(this.places), table: '' },
      places: this.places,
      columns,
      keys: this.keys,
      names,
      shared: sharedKeys(this.columns.flat()),
    };
  }

  private column(column: ColumnSchema, id: string, of: Origin, required: boolean): ViewColumn {
    const { key, name, type, options } = column;
    return {
      id, key, name, type, options, required, of,
      unique: false,
      default: null,
      physical: `c${this.made++}`,
      holds: kindOf(column),
      size: sizeOfCell(column),
      ...(isObjectColumn(column) ? { form: column.form } : {}),
    }; // prettier-ignore
  }

  /** `left` is of a place in front, `right` of the one that is joined. */
  private tie(
    { left, right }: { readonly left: string; readonly right: string },
    index: number,
    at: string,
  ): { readonly left: ViewColumn; readonly right: ViewColumn } {
    const pair = {
      left: this.named(left, [...this.places.keys()].slice(0, index), `${at}/left`),
      right: this.named(right, [index], `${at}/right`),
    };
    if (!areJoinable(kindOf(pair.left), kindOf(pair.right)))
      throw refuse(at, 'not_comparable', `${left.slice(0, 60)} and ${right.slice(0, 60)} cannot be compared.`);
    return pair;
  }

  /** By `alias.key`, or by the key alone where one of the places has it. */
  private named(name: string, places: readonly number[], at: string): ViewColumn {
    const all = places.flatMap((place) => {
      const alias = this.places[place]?.alias;
      const key = this.keys[place];
      const own = (this.columns[place] ?? []).map((column) => ({
        full: `${alias}.${column.key}`,
        bare: column.key,
        column,
      }));
      const id =
        key && this.places[place]?.source.kind === 'table'
          ? [{ full: `${alias}.${ROW_ID}`, bare: '', column: key }]
          : [];
      return [...own, ...id];
    });
    const exact = all.filter(({ full }) => full === name);
    const [found, ...more] = exact.length > 0 ? exact : all.filter(({ bare }) => bare === name);
    if (!found || more.length > 0)
      throw refuse(at, ...noField({ shared: new Set(more.map(({ bare }) => bare)) }, name));
    return found.column;
  }
}

const columnsOf = (source: ViewSource): readonly ColumnSchema[] =>
  source.kind === 'table' ? source.table.columns : source.object.columns;
const nameOf = (source: ViewSource): string =>
  source.kind === 'table' ? source.table.physical.table : source.object.physical.table;
const idOf = (source: ViewSource): string => (source.kind === 'table' ? source.table.id : source.object.id);

/** Where values that lead to something else are read: of the first table of ours. */
const schemaOf = (places: readonly ViewPlace[]): string =>
  places.flatMap(({ source }) => (source.kind === 'table' ? source.table.physical.schema : []))[0] ?? '';

/** The id of a row of ours; of a copied row a text. */
const rowKey = ({ kind }: ViewSource): ColumnSchema => ({
  id: ROW_ID,
  key: ROW_ID,
  name: ROW_ID,
  type: kind === 'table' ? 'link' : 'text',
  options: {},
  holds: { type: kind === 'table' ? 'link' : 'text', options: {}, list: false },
  required: true,
  unique: true,
  default: null,
  physical: ROW_ID,
});

const TEXTS: ReadonlySet<string> = new Set(['text', 'choice', 'id']);

/** Values of one family; texts with choices and ids, too. A list on the left holds the value on the right. */
function areJoinable(left: ValueKind, right: ValueKind): boolean {
  if (right.list) return false;
  const [a, b] = [columnType(left.type), columnType(right.type)];
  if (a.family === 'json' || b.family === 'json') return false;
  return a.family === b.family || (TEXTS.has(a.family) && TEXTS.has(b.family));
}

export const viewColumn = (table: ViewTable, name: string): ViewColumn | undefined =>
  columnByKey(table, name) as ViewColumn | undefined;
