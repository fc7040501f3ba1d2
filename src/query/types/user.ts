import { accepted, refused, type ColumnType } from './column-type.js';
import { ID_VALUE } from './id.js';
import { knownOptions } from './options.js';

export const user: ColumnType = {
  ...ID_VALUE,
  name: 'user',
  summary: 'A member of the workspace by id; with `multiple`, a list of them. `$me` in filters is whoever asks.',
  cells: ({ multiple = false }) => ({ type: 'user', list: multiple }),
  operators: ['eq', 'neq', 'in', 'nin', 'isNull', 'isNotNull'],
  dynamicDefault: 'me',
  parseOptions(input) {
    const unknown = knownOptions(input, ['multiple']);
    if (unknown) return unknown;
    const { multiple = false } = input;
    if (typeof multiple !== 'boolean') return refused('invalid_option', 'multiple is true or false.');
    return accepted({ multiple });
  },
};
