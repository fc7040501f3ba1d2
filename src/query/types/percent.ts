import type { ColumnType } from './column-type.js';
import { DECIMAL_NUMBER, parseScale } from './number.js';
import { knownOptions } from './options.js';

export const percent: ColumnType = {
  ...DECIMAL_NUMBER,
  name: 'percent',
  summary: 'An exact share: 0.25 is a quarter, 25 %. A JSON string on output, a string or a number on input.',
  parseOptions: (input) => knownOptions(input, ['scale']) ?? parseScale(input.scale),
};
