import { cleanName, pointer, type Id } from '../../common/index.js';
import { parseJsonFilter } from '../filter/json-filter.js';
import { bodyOf, listOf, refuse } from '../request/body.js';
import { aggregateEntry, groupEntry } from '../request/group-request.js';
import { sortEntry } from '../request/paged-by.js';
import type { AggregateInput, GroupInput } from '../resolve/resolve-groups.js';
import type { SortInput } from '../resolve/resolve-read.js';
import { MAX_JOINS, MAX_TIES } from '../resolve/resolve-source.js';
import type { ComputedColumn } from './computed.js';
import type { ColumnPins } from './pins.js';

/** A table of ours, or an object of a connection (`schema.name`). */
export type DefinedSource = { readonly table: Id } | { readonly connection: Id; readonly object: string };

export interface DefinedJoin {
  readonly type: 'left' | 'inner';
  readonly as?: string;
  readonly source: DefinedSource;
  readonly on: readonly { readonly left: string; readonly right: string }[];
}

/** A stored question: what a view is, in the words of those who made it. */
export interface ViewDefinition {
  readonly source: DefinedSource;
  readonly as?: string;
  readonly joins: readonly DefinedJoin[];
  readonly computed: readonly ComputedColumn[];
  /** As JSON; read when it is resolved. */
  readonly filter?: unknown;
  readonly sort: readonly SortInput[];
  readonly columns?: readonly { readonly field: string; readonly as?: string }[];
  readonly groupBy: readonly GroupInput[];
  readonly aggregates: readonly AggregateInput[];
  /** As JSON. */
  readonly having?: unknown;
  /** Of a definition that was stored. */
  readonly pins?: ColumnPins;
  /** Whether columns that are not pinned, since they came later, are none of its tables'. */
  readonly isFrozen?: boolean;
}

export const MAX_COMPUTED = 50;
export const MAX_VIEW_COLUMNS = 250;
const KEY = /^[a-z][a-z0-9_]{0,62}$/;

const MEMBERS = ['source', 'as', 'joins', 'computed', 'filter', 'sort', 'columns', 'groupBy', 'aggregates', 'having'];

/**
 * Reads a definition as it is sent and stored. What its names mean is not looked at.
 * @throws Problem `validation_failed`, `filter_invalid` with pointers that begin with `at`
 */
export function parseViewDefinition(input: unknown, at: string): ViewDefinition {
  const body = bodyOf(input, at, MEMBERS);
  const { filter, having, columns } = body;
  const list = <T>(name: string, most: number, item: (value: unknown, at: string) => T): readonly T[] =>
    body[name] === undefined ? [] : bounded(listOf(body[name], `${at}/${name}`, item), most, `${at}/${name}`);
  const definition: ViewDefinition = {
    source: source(body.source, `${at}/source`),
    ...named(body.as, `${at}/as`),
    joins: list('joins', MAX_JOINS, joinEntry),
    computed: unique(list('computed', MAX_COMPUTED, computedEntry), `${at}/computed`),
    ...(isAbsent(filter) ? {} : { filter: checked(filter, `${at}/filter`) }),
    sort: list('sort', 5, sortEntry),
    ...(columns === undefined ? {} : { columns: list('columns', MAX_VIEW_COLUMNS, columnEntry) }),
    groupBy: list('groupBy', 5, groupEntry),
    aggregates: list('aggregates', 20, aggregateEntry),
    ...(isAbsent(having) ? {} : { having: checked(having, `${at}/having`) }),
  };
  const groups = definition.groupBy.length + definition.aggregates.length > 0;
  if (groups && columns !== undefined)
    throw refuse(`${at}/columns`, 'not_with_groups', 'columns does not go together with groups.');
  if (!groups && !isAbsent(having))
    throw refuse(`${at}/having`, 'only_with_groups', 'having goes together with groups only.');
  if (definition.columns?.length === 0) throw refuse(`${at}/columns`, 'list_size', 'A view shows at least one column.');
  return definition;
}

const isAbsent = (input: unknown): boolean => input === undefined || input === null;

function checked(filter: unknown, at: string): unknown {
  parseJsonFilter(filter, at);
  return filter;
}

function bounded<T>(items: readonly T[], most: number, at: string): readonly T[] {
  if (items.length > most) throw refuse(at, 'too_many', `At most ${most} are allowed.`);
  return items;
}

function unique(computed: readonly ComputedColumn[], at: string): readonly ComputedColumn[] {
  for (const [i, { key }] of computed.entries())
    if (computed.findIndex((other) => other.key === key) < i)
      throw refuse(`${at}${pointer(i)}/key`, 'duplicate_key', `${key} occurs twice.`);
  return computed;
}

function source(input: unknown, at: string): DefinedSource {
  const { table, connection, object } = bodyOf(input, at, ['table', 'connection', 'object']);
  if (table !== undefined && connection === undefined && object === undefined)
    return { table: text(table, `${at}/table`) };
  if (table !== undefined || (connection === undefined && object === undefined))
    throw refuse(at, 'invalid_source', 'A source is {"table"} or {"connection","object"}.');
  return { connection: text(connection, `${at}/connection`), object: text(object, `${at}/object`) };
}

function joinEntry(input: unknown, at: string): DefinedJoin {
  const { type = 'left', as, source: joined, on } = bodyOf(input, at, ['type', 'as', 'source', 'on']);
  if (type !== 'left' && type !== 'inner') throw refuse(`${at}/type`, 'is_in', 'type is left or inner.');
  const ties = on === undefined ? [] : listOf(on, `${at}/on`, tie);
  if (ties.length === 0 || ties.length > MAX_TIES)
    throw refuse(`${at}/on`, 'list_size', `on takes 1 to ${MAX_TIES} pairs of fields.`);
  return { type, ...named(as, `${at}/as`), source: source(joined, `${at}/source`), on: ties };
}

function tie(input: unknown, at: string): { readonly left: string; readonly right: string } {
  const { left, right } = bodyOf(input, at, ['left', 'right']);
  return { left: text(left, `${at}/left`), right: text(right, `${at}/right`) };
}

function computedEntry(input: unknown, at: string): ComputedColumn {
  const { key, name, formula } = bodyOf(input, at, ['key', 'name', 'formula']);
  const known = text(key, `${at}/key`);
  if (!KEY.test(known))
    throw refuse(
      `${at}/key`,
      'invalid_key',
      'A key has lower-case letters, digits and underscores, at most 63, and a letter in front.',
    );
  const called = name === undefined ? known : cleanName(text(name, `${at}/name`));
  if (called === undefined)
    throw refuse(`${at}/name`, 'is_name', 'A name has 1 to 255 characters, and no control characters or broken ones.');
  return { key: known, name: called, formula: text(formula, `${at}/formula`) };
}

function columnEntry(input: unknown, at: string): { readonly field: string; readonly as?: string } {
  if (typeof input === 'string') return { field: input };
  const { field, as } = bodyOf(input, at, ['field', 'as']);
  return { field: text(field, `${at}/field`), ...named(as, `${at}/as`) };
}

const named = (as: unknown, at: string): { readonly as?: string } => (as === undefined ? {} : { as: text(as, at) });

function text(input: unknown, at: string): string {
  if (typeof input !== 'string') throw refuse(at, 'is_string', 'A text is expected.');
  return input;
}
