import { ROLLUP_FUNCTIONS, type ColumnOptions } from '../schema.js';
import { accepted, refused, type ColumnType, type Parsed } from './column-type.js';
import { knownOptions } from './options.js';
import { longText } from './text.js';
import { integer } from './number.js';

/** Columns may be named by id or, in the call that makes them, by key. */
const isReference = (input: unknown): input is string =>
  typeof input === 'string' && input.length > 0 && input.length <= 64;

function references(
  input: Readonly<Record<string, unknown>>,
  names: readonly ('linkColumnId' | 'columnId')[],
): Parsed<ColumnOptions> {
  const missing = names.find((name) => !isReference(input[name]));
  if (missing) return refused('invalid_option', `${missing} is the id of a column.`);
  return accepted(Object.fromEntries(names.map((name) => [name, input[name]])));
}

/*
 * What their cells hold follows from the columns that they lead to (see kindOf), so nothing of a value is decided here but
 * for `count`.
 */

export const lookup: ColumnType = {
  ...longText,
  name: 'lookup',
  summary: 'The values of a column of the linked rows, in the order of the link; cannot be written.',
  uniquable: false,
  parseOptions: (input) =>
    knownOptions(input, ['linkColumnId', 'columnId']) ?? references(input, ['linkColumnId', 'columnId']),
};

export const rollup: ColumnType = {
  ...longText,
  name: 'rollup',
  summary: `A column of the linked rows in one value: ${ROLLUP_FUNCTIONS.join(', ')}; cannot be written. Empty cells do not count; of nothing, sum, count and countDistinct are 0 (a sum with the digits of its column: "0.00"), the others null.`,
  uniquable: false,
  parseOptions(input) {
    const unknown = knownOptions(input, ['linkColumnId', 'columnId', 'fn']);
    if (unknown) return unknown;
    const fn = ROLLUP_FUNCTIONS.find((known) => known === input.fn);
    if (!fn) return refused('invalid_option', `fn is one of ${ROLLUP_FUNCTIONS.join(', ')}.`);
    const found = references(input, ['linkColumnId', 'columnId']);
    return found.ok ? accepted({ ...found.value, fn }) : found;
  },
};

export const count: ColumnType = {
  ...integer,
  name: 'count',
  summary: 'How many rows are linked; cannot be written.',
  uniquable: false,
  parseOptions: (input) => knownOptions(input, ['linkColumnId']) ?? references(input, ['linkColumnId']),
};

export const formula: ColumnType = {
  ...longText,
  name: 'formula',
  summary:
    'A value made of other columns of the row by a formula, `{unit_price} * {quantity}`; cannot be written. What the cells hold follows from the formula; one that cannot be computed, as of a division by zero, is null.',
  uniquable: false,
  parseOptions(input) {
    const unknown = knownOptions(input, ['formula']);
    if (unknown) return unknown;
    if (typeof input.formula !== 'string') return refused('invalid_option', 'formula is the text of a formula.');
    return accepted({ formula: input.formula });
  },
};
