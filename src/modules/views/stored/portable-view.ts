import { invalid, Problem, type Id } from '../../../common/index.js';
import type { ColumnPins, DefinedSource } from '../../../query/index.js';
import type { StoredJson } from './view.entity.js';

/** Ids of people and rows. */
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** A definition as it is kept, in which the members that are looked at here are as its parser lets them be. */
interface KeptDefinition {
  readonly source: DefinedSource;
  readonly joins?: readonly { readonly source: DefinedSource }[];
}

/** Whether all that the definition reads are these tables. */
export function readsOnly(definition: StoredJson, tables: ReadonlyMap<Id, unknown>): boolean {
  const { source, joins = [] } = definition as KeptDefinition;
  return [source, ...joins.map((join) => join.source)].every((each) => 'table' in each && tables.has(each.table));
}

/** The same definition over other tables; everything else in it is names. */
export function overTables(definition: StoredJson, table: (id: Id) => string): StoredJson {
  const { source, joins } = definition as KeptDefinition;
  const moved = (from: DefinedSource): DefinedSource => ('table' in from ? { table: table(from.table) } : from);
  return {
    ...definition,
    source: moved(source),
    ...(joins === undefined ? {} : { joins: joins.map((join) => ({ ...join, source: moved(join.source) })) }),
  };
}

/** What the columns of the definition were when it was made, of the copies of its tables. */
export const repinned = (pins: ColumnPins, table: (id: Id) => Id, column: (id: Id) => Id): ColumnPins =>
  Object.fromEntries(
    Object.entries(pins).map(([tableId, columns]) => [
      table(tableId),
      Object.fromEntries(Object.entries(columns).map(([key, id]) => [key, column(id)])),
    ]),
  );

/** Whether a definition or settings, whose tables are named by key, speak of people or rows. */
export const namesIds = (json: unknown): boolean => ID.test(JSON.stringify(json));

/** What is thrown by work on a part of a document, with pointers into the document. */
export function within<T>(at: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { code, detail, extra, errors = [] } = error;
    throw new Problem(code, {
      detail,
      extra,
      errors: errors.map((item) => ({ ...item, pointer: at + item.pointer })),
    });
  }
}

/** @throws Problem `validation_failed` */
export function mustBePortable(json: unknown, at: string): void {
  if (!namesIds(json)) return;
  const detail = 'A template names no people and no rows by their ids.';
  throw invalid([{ pointer: at, code: 'not_portable', detail }]);
}
