import type { FilterInput } from '../filter/filter-input.js';
import { changesByTime } from './changes-by-time.js';
import { isTimeBound } from './view-scope.js';
import type { ViewTable } from './view-table.js';

interface Timed {
  readonly table: ViewTable;
  readonly filter?: FilterInput;
  readonly having?: FilterInput;
}

/** Whether answers of the view change while nothing is written. Rather yes than no. */
export const viewChangesByTime = ({ table, filter, having }: Timed): boolean =>
  table.columns.some(changesByTime) ||
  table.linked?.isTimeBound === true ||
  [filter, having].some((each) => each !== undefined && isTimeBound(each));
