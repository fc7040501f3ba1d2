import { isId } from '../../common/index.js';
import { accepted, refused, type ColumnType } from './column-type.js';
import { ID_VALUE } from './id.js';
import { knownOptions } from './options.js';

export const link: ColumnType = {
  ...ID_VALUE,
  name: 'link',
  summary:
    'Rows of another table of the base, or of the same one: a list of row ids, of at most one with `multiple: false`. The other table gets a column that shows the link from there.',
  cells: () => ({ type: 'link', list: true }),
  operators: ['eq', 'neq', 'in', 'nin', 'isNull', 'isNotNull'],
  uniquable: false,
  /** Which table it is, and whether it may be linked to, is the business of those who know the base. */
  parseOptions(input) {
    const unknown = knownOptions(input, ['tableId', 'multiple', 'inverseName']);
    if (unknown) return unknown;
    const { tableId, multiple = true } = input;
    if (!isId(tableId)) return refused('invalid_option', 'tableId is the id of a table of the same base.');
    if (typeof multiple !== 'boolean') return refused('invalid_option', 'multiple is true or false.');
    return accepted({ tableId, multiple });
  },
};
