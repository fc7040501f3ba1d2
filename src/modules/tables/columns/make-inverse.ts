import { cleanName, deriveKey, foldName, invalid, newId } from '../../../common/index.js';
import { linkTableName } from '../../../query/index.js';
import type { TableEntity } from '../tables/table.entity.js';
import type { ColumnEntity } from './column.entity.js';
import { freeName, isTaken } from './free-name.js';
import { nameTaken } from './make-columns.js';

/** The other table of a link, with all columns that it has and will have. */
interface Target {
  readonly table: TableEntity;
  readonly columns: readonly ColumnEntity[];
}

/** What the other column is called: as somebody asks, and under the key that a template gives it. */
export interface InverseNames {
  readonly inverseName?: unknown;
  readonly inverseKey?: string;
}

/**
 * Completes a link column, and makes the one that shows the link from the other table. Unless a name is given, that is called
 * like the table which it leads to.
 * @throws Problem `validation_failed`, `name_taken`
 */
export function makeInverse(
  column: ColumnEntity,
  owner: TableEntity,
  target: Target,
  { inverseName, inverseKey }: InverseNames,
  at: string,
): { readonly own: ColumnEntity; readonly inverse: ColumnEntity } {
  const siblings = target.columns;
  const name = inverseName === undefined ? freeName(owner.name, siblings) : givenName(inverseName, siblings, at);
  const key = inverseKey ?? deriveKey(name, new Set(siblings.map((sibling) => sibling.key)));
  const inverseId = newId();
  const through = linkTableName(owner, column);
  const own: ColumnEntity = {
    ...column,
    options: { ...column.options, inverseColumnId: inverseId, through, end: 'source' },
  };
  const inverse: ColumnEntity = {
    ...column,
    id: inverseId,
    tableId: target.table.id,
    key,
    name,
    nameFolded: foldName(name),
    options: { tableId: owner.id, multiple: true, inverseColumnId: column.id, through, end: 'target' },
    position: Math.max(-1, ...siblings.map(({ position }) => position)) + 1,
    physicalName: key,
  };
  return { own, inverse };
}

function givenName(input: unknown, siblings: readonly ColumnEntity[], at: string): string {
  const name = cleanName(input);
  if (name === undefined)
    throw invalid([
      {
        pointer: `${at}/options/inverseName`,
        code: 'is_name',
        detail: 'inverseName is a name of 1 to 255 characters, one of them visible, without control characters.',
      },
    ]);
  if (isTaken(name, siblings)) throw nameTaken(`${at}/options/inverseName`, name);
  return name;
}
