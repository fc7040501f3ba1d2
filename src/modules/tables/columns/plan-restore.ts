import { deriveKey, foldName, invalid, type Id } from '../../../common/index.js';
import type { ColumnEntity } from './column.entity.js';
import { withAllTheyNeed } from './dependents.js';
import { withKeys } from './formula-columns.js';
import { freeName } from './free-name.js';
import { nameTaken, SYSTEM } from './make-columns.js';

/** A base to which columns come back. */
interface Home {
  readonly columns: readonly ColumnEntity[];
  has(tableId: Id): boolean;
}

/** Hidden columns as they will be, and their physical names until then. */
export interface Restoration {
  readonly set: readonly ColumnEntity[];
  readonly retired: ReadonlyMap<Id, string>;
}

/**
 * What comes back with a hidden column: itself, and of the others those that have all that they lead to. A key or a name that is
 * taken meanwhile is replaced, but the name of the column that was asked for.
 * @throws Problem `name_taken`, `validation_failed`
 */
export function planRestore(
  home: Home,
  hidden: ColumnEntity,
  others: readonly ColumnEntity[],
  relax: boolean,
): Restoration {
  const all = [hidden, ...others.filter(({ id }) => id !== hidden.id)];
  const { set, retired } = planRestoreAll(home, all);
  const back = set.find(({ id }) => id === hidden.id);
  if (!back)
    throw invalid([
      {
        pointer: '',
        code: 'columns_missing',
        detail: 'The columns that it leads to are in the trash; restore them first.',
      },
    ]);
  if (back.name !== hidden.name) throw nameTaken('/name', hidden.name);
  const demands = relax ? { required: false, unique: false } : {};
  return { set: set.map((column) => (column.id === hidden.id ? { ...column, ...demands } : column)), retired };
}

/** Of these, all that can come back. */
export function planRestoreAll(home: Home, hidden: readonly ColumnEntity[]): Restoration {
  const there = new Set(home.columns.map(({ id }) => id));
  const possible = withAllTheyNeed(
    hidden.filter(({ tableId }) => home.has(tableId)),
    there,
  );
  const taken = [...home.columns];
  const set = possible.flatMap((column) => {
    const siblings = taken.filter(({ tableId }) => tableId === column.tableId);
    const physical = SYSTEM[column.type];
    if (physical !== undefined && siblings.some(({ physicalName }) => physicalName === physical)) return [];
    const keys = new Set(siblings.map(({ key }) => key));
    const key = keys.has(column.key) ? deriveKey(column.name, keys) : column.key;
    const name = freeName(column.name, siblings);
    const back: ColumnEntity = {
      ...column,
      key,
      name,
      nameFolded: foldName(name),
      physicalName: physical ?? key,
      deletedAt: null,
      deletedWith: null,
    };
    taken.push(back);
    return [back];
  });
  // What a formula reads may have come back before it, under another key.
  const keys = new Map([...home.columns, ...set].map(({ id, key }) => [id, key]));
  return {
    set: set.map((column) => withKeys(column, keys)),
    retired: new Map(hidden.map(({ id, physicalName }) => [id, physicalName])),
  };
}
