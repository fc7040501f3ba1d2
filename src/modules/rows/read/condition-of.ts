import type { Access } from '../../../common/index.js';
import { EVERY_ROW, resolveFilter, type Condition, type FilterInput, type TableSchema } from '../../../query/index.js';
import { filterContext } from './filter-context.js';

/** What rows have to be like to be meant: the filter, within what the caller may read. @throws Problem `filter_invalid` */
export const conditionOf = (filter: FilterInput | undefined, table: TableSchema, access: Access): Condition =>
  filter ? resolveFilter(filter, table, filterContext(access)) : EVERY_ROW.where;
