import type { ColumnType } from './column-type.js';
import { parseChoiceOptions, singleSelect } from './single-select.js';

export const multiSelect: ColumnType = {
  ...singleSelect,
  name: 'multi_select',
  summary: 'Any number of the listed choices, in the order given, kept as their keys.',
  cells: () => ({ type: 'single_select', list: true }),
  uniquable: false,
  parseOptions: parseChoiceOptions,
};
