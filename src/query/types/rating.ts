import { integer as integerSql, sql } from '../sql.js';
import type { ColumnOptions } from '../schema.js';
import { accepted, refused, type ColumnType, type Parsed } from './column-type.js';
import { integer, parseInteger, takingNumbers, wholeNumber } from './number.js';
import { knownOptions } from './options.js';

const DEFAULT_MAX = 5;
const HIGHEST_MAX = 100;

const inRange = (parsed: Parsed, { max = DEFAULT_MAX }: ColumnOptions): Parsed =>
  parsed.ok && (Number(parsed.value) < 1 || Number(parsed.value) > max)
    ? refused('out_of_range', `A rating goes from 1 to ${max}.`)
    : parsed;

export const rating: ColumnType = {
  ...integer,
  name: 'rating',
  summary: 'A whole number from 1 to `max` (5 unless given).',
  parseOptions(input) {
    const unknown = knownOptions(input, ['max']);
    if (unknown) return unknown;
    const max = input.max ?? DEFAULT_MAX;
    if (typeof max !== 'number' || !Number.isInteger(max) || max < 1 || max > HIGHEST_MAX)
      return refused('invalid_option', `max is a whole number from 1 to ${HIGHEST_MAX}.`);
    return accepted({ max });
  },
  parse: (input, { options }) => inRange(parseInteger(input), options),
  parseText: (input, column) => inRange(integer.parseText(input, column), column.options),
  check: (column, { max = DEFAULT_MAX }) => sql`${column} between 1 and ${integerSql(max)}`,
  ...takingNumbers((n, { max = DEFAULT_MAX }) => wholeNumber(n, sql`${n} between 1 and ${integerSql(max)}`)),
  jsonSchema: { type: 'integer', minimum: 1 },
};
