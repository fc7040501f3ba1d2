import { invalid, pointer, type Problem } from '../../common/index.js';
import { digest } from '../keyset.js';
import type { ObjectColumn, ObjectJoin, ObjectSchema, ObjectSource } from '../object-schema.js';
import type { ColumnSchema } from '../schema.js';
import { valueType } from '../kind.js';
import { remembered } from '../remember.js';
import { noField } from './no-field.js';

/** What a question to an external database is from. */
export interface SourceInput {
  /** `schema.name`, or the name alone where there is one of it only. */
  readonly from: string;
  readonly as?: string;
  readonly joins: readonly JoinInput[];
}

export interface JoinInput {
  readonly type: string;
  readonly object: string;
  readonly as?: string;
  readonly on: readonly { readonly left: string; readonly right: string }[];
}

export const MAX_JOINS = 8;
export const MAX_TIES = 5;
const ALIAS = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

const refuse = (at: string, code: string, detail: string): Problem => invalid([{ pointer: at, code, detail }]);
const quoted = (name: string): string => JSON.stringify(name.slice(0, 60));

/**
 * Objects by name → what is read, with a name for each column: its key, or `alias_key` where several objects have one of this key;
 * `alias.key` names it always.
 * @throws Problem `validation_failed`
 */
export function resolveSource({ from, as, joins }: SourceInput, objects: Objects): ObjectSource {
  const object = objects.find(from, '/from');
  if (joins.length === 0 && as === undefined) return alone(object);
  const main = place(object, as, '/as', new Set());
  if (joins.length === 0) return sourceOf(main);
  if (joins.length > MAX_JOINS) throw refuse('/joins', 'too_many', `At most ${MAX_JOINS} joins are allowed.`);
  const places: Place[] = [main];
  const resolved = joins.map((join, i) => {
    const { joined, place: own } = resolveJoin(join, `/joins${pointer(i)}`, places, objects);
    places.push(own);
    return joined;
  });
  return assembled(main, places, resolved);
}

/** An object by itself: the same each time, so that what follows from its columns is found out once. */
const alone = remembered((object: ObjectSchema): ObjectSource => sourceOf(place(object, undefined, '/as', new Set())));

const sourceOf = ({ object, alias, columns, names }: Place): ObjectSource => ({
  ...object,
  object,
  joins: [],
  alias,
  columns,
  names,
});

/** The objects of a connection. */
export class Objects {
  private readonly byName = new Map<string, ObjectSchema | 'several'>();

  constructor(objects: readonly ObjectSchema[]) {
    for (const object of objects) {
      const { schema, table } = object.physical;
      this.byName.set(`${schema}.${table}`, object);
    }
    // A full name goes before a bare one that looks like it.
    const bare = new Map<string, ObjectSchema | 'several'>();
    for (const object of objects) bare.set(object.physical.table, bare.has(object.physical.table) ? 'several' : object);
    for (const [name, object] of bare) if (!this.byName.has(name)) this.byName.set(name, object);
  }

  /** @throws Problem `validation_failed` */
  find(name: string, at: string): ObjectSchema {
    const object = this.byName.get(name);
    if (object === undefined) throw refuse(at, 'unknown_object', `There is no object ${quoted(name)}.`);
    if (object === 'several')
      throw refuse(at, 'ambiguous_object', `There are several objects ${quoted(name)}; name the schema, too.`);
    return object;
  }
}

/** An object under its alias. */
interface Place {
  readonly object: ObjectSchema;
  readonly alias: string;
  readonly columns: readonly ObjectColumn[];
  /** By `alias.key`. */
  readonly names: ReadonlyMap<string, ObjectColumn>;
}

/** The alias that was given, or one made of the name. @throws Problem `validation_failed` */
export function aliasOf(as: string | undefined, name: string, at: string, taken: ReadonlySet<string>): string {
  if (as !== undefined && !ALIAS.test(as))
    throw refuse(at, 'invalid_name', 'An alias has 1 to 63 letters, digits and underscores, and no digit in front.');
  const alias =
    as ??
    name
      .replaceAll(/[^A-Za-z0-9_]/g, '_')
      .replace(/^(?=\d)/, '_')
      .slice(0, 63);
  if (taken.has(alias)) throw refuse(at, 'duplicate_key', `${alias} occurs twice; "as" gives another name.`);
  return alias;
}

function place(
  object: ObjectSchema,
  as: string | undefined,
  at: string,
  taken: ReadonlySet<string>,
  optional = false,
): Place {
  const alias = aliasOf(as, object.physical.table, at, taken);
  const columns = object.columns.map((column): ObjectColumn => ({
    ...column,
    id: `${alias}.${column.key}`,
    alias,
    required: column.required && !optional,
  }));
  return { object, alias, columns, names: new Map(columns.map((column) => [`${alias}.${column.key}`, column])) };
}

const isType = (type: string): type is ObjectJoin['type'] => type === 'left' || type === 'inner';

function resolveJoin(
  { type, object: name, as, on }: JoinInput,
  at: string,
  places: readonly Place[],
  objects: Objects,
): { readonly joined: ObjectJoin; readonly place: Place } {
  if (!isType(type)) throw refuse(`${at}/type`, 'is_in', 'type is left or inner.');
  const object = objects.find(name, `${at}/object`);
  const own = place(object, as, `${at}/as`, new Set(places.map(({ alias }) => alias)), type === 'left');
  if (on.length === 0 || on.length > MAX_TIES)
    throw refuse(`${at}/on`, 'list_size', `on takes 1 to ${MAX_TIES} pairs of columns.`);
  const ties = on.map(({ left, right }, i) => {
    const tie = `${at}/on${pointer(i)}`;
    const pair = { left: named(left, places, `${tie}/left`), right: named(right, [own], `${tie}/right`) };
    if (!areComparable(pair.left, pair.right))
      throw refuse(tie, 'not_comparable', `${left.slice(0, 60)} and ${right.slice(0, 60)} cannot be compared.`);
    return pair;
  });
  return { joined: { type, alias: own.alias, object, on: ties }, place: own };
}

function areComparable(a: ColumnSchema, b: ColumnSchema): boolean {
  const [{ family, sortable }, other] = [valueType(a), valueType(b)];
  return family === other.family && sortable !== false && other.sortable !== false;
}

/** By `alias.key`, or by the key alone where one of the objects has it. */
function named(name: string, places: readonly Place[], at: string): ObjectColumn {
  const exact = places.flatMap(({ names }) => names.get(name) ?? []);
  const found =
    exact.length > 0 ? exact : places.flatMap(({ columns }) => columns.find(({ key }) => key === name) ?? []);
  const [column, ...more] = found;
  if (!column || more.length > 0) throw refuse(at, ...noField({ shared: new Set(more.map(({ key }) => key)) }, name));
  return column;
}

/** The objects side by side, as one table. */
function assembled(main: Place, places: readonly Place[], joins: readonly ObjectJoin[]): ObjectSource {
  const counts = new Map<string, number>();
  for (const { key } of places.flatMap(({ columns }) => columns)) counts.set(key, (counts.get(key) ?? 0) + 1);
  const taken = new Set([...counts].flatMap(([key, times]) => (times === 1 ? [key] : [])));
  const names = new Map<string, ColumnSchema>();
  const columns = places.flatMap(({ alias, columns: own }) =>
    own.map((column) => {
      const key = counts.get(column.key) === 1 ? column.key : free(`${alias}_${column.key}`, taken);
      taken.add(key);
      const output: ObjectColumn = { ...column, key };
      names.set(`${alias}.${column.key}`, output);
      return output;
    }),
  );
  return {
    ...main.object,
    id: digest([
      main.object.id,
      main.alias,
      joins.map(({ type, alias, object, on }) => [
        type,
        alias,
        object.id,
        on.map(({ left, right }) => [left.id, right.id]),
      ]),
    ]),
    object: main.object,
    alias: main.alias,
    joins,
    columns,
    names,
    shared: sharedKeys(places.flatMap(({ columns: own }) => own)),
  };
}

/** A name that no other column has. */
export function free(name: string, taken: ReadonlySet<string>): string {
  let candidate = name;
  for (let n = 2; taken.has(candidate); n++) candidate = `${name}_${n}`;
  return candidate;
}

/** The keys that several of the columns have. */
export function sharedKeys(columns: readonly ColumnSchema[]): ReadonlySet<string> {
  const seen = new Set<string>();
  return new Set(columns.flatMap(({ key }) => (seen.has(key) ? [key] : (seen.add(key), []))));
}
