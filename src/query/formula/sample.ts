import type { CellValue, ColumnOptions, ColumnSchema, ColumnTypeName } from '../schema.js';
import type { FormulaScope } from './check.js';

/** A row that examples of formulas are computed for: column, type, options, cell. */
const ROW: readonly (readonly [string, ColumnTypeName, ColumnOptions, CellValue])[] = [
  ['qty', 'integer', {}, 3],
  ['price', 'currency', { code: 'EUR', scale: 2 }, '12.00'],
  ['cost', 'currency', { code: 'EUR', scale: 2 }, '7.50'],
  ['status', 'single_select', { choices: [{ key: 'open', label: 'Open' }, { key: 'won', label: 'Won' }] }, 'open'], // prettier-ignore
  ['tags', 'multi_select', { choices: [{ key: 'red', label: 'Red' }, { key: 'blue', label: 'Blue' }] }, ['red', 'blue']], // prettier-ignore
  ['due', 'date', {}, '2026-12-01'],
  ['seen', 'datetime', {}, '2026-11-22T15:04:05.678Z'],
];

const sampleColumn = (
  key: string,
  type: ColumnTypeName,
  options: ColumnOptions,
  over: Partial<ColumnSchema> = {},
): ColumnSchema => ({
  id: `00000000-0000-7000-8000-${Buffer.from(key.padEnd(6)).toString('hex')}`,
  key,
  name: key,
  type,
  options,
  required: false,
  unique: false,
  default: null,
  physical: key,
  ...over,
});

const CELLS: ReadonlyMap<ColumnSchema, CellValue> = new Map<ColumnSchema, CellValue>([
  ...ROW.map(([key, type, options, cell]) => [sampleColumn(key, type, options), cell] as const),
  [sampleColumn('marks', 'lookup', {}, { holds: { type: 'integer', options: {}, list: true } }), [1, 2, 3]],
]);

export const sampleColumns: readonly ColumnSchema[] = [...CELLS.keys()];
export const sampleCell = (column: ColumnSchema): CellValue => CELLS.get(column) ?? null;
export const sampleScope: FormulaScope = {
  find: (name) => sampleColumns.find(({ key }) => key === name),
  names: () => sampleColumns.map((column) => ({ name: column.key, column })),
};
