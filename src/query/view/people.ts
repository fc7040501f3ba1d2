import { columnsOf, expressionOf } from '../formula/index.js';
import { kindOf } from '../kind.js';
import type { ColumnSchema, ColumnTypeName } from '../schema.js';
import { isViewColumn } from './view-table.js';

const PEOPLE: ReadonlySet<ColumnTypeName> = new Set(['user', 'created_by', 'updated_by']);
/** Types whose values have no room for an id. */
const WITHOUT_ROOM: ReadonlySet<ColumnTypeName> = new Set([
  ...(['integer', 'decimal', 'currency', 'percent', 'rating', 'duration', 'boolean', 'count', 'autonumber'] as const),
  ...(['date', 'datetime'] as const),
]);

/** Whether cells of the column may show ids of people, as they are or within a text that was made of them. Rather yes than no. */
export function showsPeople(column: ColumnSchema): boolean {
  return !WITHOUT_ROOM.has(kindOf(column).type) && isMadeOfPeople(column);
}

function isMadeOfPeople(column: ColumnSchema): boolean {
  if (PEOPLE.has(kindOf(column).type)) return true;
  const { derived } = column;
  if (derived?.kind === 'lookup' || derived?.kind === 'rollup') return isMadeOfPeople(derived.column);
  if (derived?.kind === 'formula') return columnsOf(expressionOf(derived.expression)).some(isMadeOfPeople);
  if (!isViewColumn(column)) return false;
  const { of } = column;
  if (of.kind === 'cell') return isMadeOfPeople(of.column);
  return of.kind === 'formula' && columnsOf(of.expression).some(isMadeOfPeople);
}
