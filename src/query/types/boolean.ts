import { sql } from '../sql.js';
import { accepted, refused, type ColumnType } from './column-type.js';
import { knownOptions } from './options.js';

export const boolean: ColumnType = {
  name: 'boolean',
  summary: 'True or false.',
  operators: ['eq', 'neq', 'isNull', 'isNotNull'],
  bind: 'boolean',
  family: 'boolean',
  parseOptions: (input) => knownOptions(input, []) ?? accepted({}),
  parse: (input) =>
    typeof input === 'boolean' ? accepted(input) : refused('not_a_boolean', 'true or false is expected.'),
  parseText: (input) =>
    input === 'true' || input === 'false'
      ? accepted(input === 'true')
      : refused('not_a_boolean', 'true or false is expected.'),
  physical: () => sql`boolean`,
  wire: 'boolean',
  toJson: (cell) => sql`${cell}::text`,
  said: String,
  toText: (cell) => sql`${cell}::text`,
  fromText: (text) =>
    sql`case when lower(trim(${text})) in ('true', 'yes', '1') then true when lower(trim(${text})) in ('false', 'no', '0') then false end`,
  uniquable: false,
  indexBytes: () => 1,
  compare: (a, b) => Number(a) - Number(b),
  jsonSchema: { type: 'boolean' },
};
