import type { ProblemItem } from '../../../common/index.js';
import type { RowCheck } from '../../../engines/index.js';
import {
  choiceUses,
  MAX_UNIQUE_BYTES,
  rowsWithLongValue,
  rowsWithoutValue,
  sharedTuples,
  sharedValues,
  type Cell,
  type ColumnSchema,
  type Sql,
  type TableSchema,
} from '../../../query/index.js';

/** A text as an example: whole texts could make an answer of a megabyte. */
const MAX_SHOWN = 200;

interface Shared {
  readonly value: unknown;
  readonly rows: number;
  readonly rowIds: readonly string[];
}

/** What rows must be like before a column can be required. */
export const everyRowHasValue = (table: TableSchema, column: ColumnSchema): RowCheck => ({
  look: rowsWithoutValue(table, column),
  judge: ([row]) =>
    finding(row, '/required', 'rows_without_value', (n) => `${n} rows have no value in ${column.key}.`, 'rowIds'),
});

/** What rows must be like before a column can be unique; `cell` is the value of a row `t`, where it is not yet in the column. */
export const everyValueIsUnique = (table: TableSchema, column: ColumnSchema, cell?: Sql): RowCheck[] => [
  {
    look: sharedValues(table, column, cell),
    judge: ([row]) => {
      const detail = (n: number): string => `${n} values of ${column.key} are in more than one row.`;
      const found = finding(row, '/unique', 'values_repeat', detail, 'values');
      return found.map((item) => ({ ...item, values: (item.values as Shared[]).map(shown) }));
    },
  },
  {
    look: rowsWithLongValue(table, column, MAX_UNIQUE_BYTES, cell),
    judge: ([row]) => {
      const detail = (n: number): string =>
        `${n} rows have a value in ${column.key} of more than ${MAX_UNIQUE_BYTES} bytes, too long for a unique column.`;
      return finding(row, '/unique', 'values_too_long', detail, 'rowIds');
    },
  },
];

/** What rows must be like for a unique index of these columns. */
export const everyTupleIsUnique = (table: TableSchema, columns: readonly Cell[]): RowCheck => ({
  look: sharedTuples(table, columns),
  judge: ([row]) => {
    const names = columns.map(({ column }) => column.key).join(', ');
    const detail = (n: number): string =>
      `${n} values of ${names} are in more than one row, which a unique index forbids.`;
    return finding(row, '', 'values_repeat', detail, 'values');
  },
});

/** Nobody may hold a choice that is taken away, nor get it back from the trash. */
export const choicesAreUnused = (table: TableSchema, column: ColumnSchema, keys: readonly string[]): RowCheck => ({
  look: choiceUses(table, column, keys),
  judge: (rows) =>
    rows.map(([choice, count]) => ({
      pointer: '/options/choices',
      code: 'choice_in_use',
      detail: `${Number(count)} rows (deleted ones counted) hold the choice ${String(choice)}.`,
      choice: String(choice),
      count: Number(count),
    })),
});

function finding(
  row: readonly (string | null)[] | undefined,
  pointer: string,
  code: string,
  detail: (count: number) => string,
  examples: 'rowIds' | 'values',
): ProblemItem[] {
  const count = Number(row?.[0] ?? 0);
  if (count === 0) return [];
  return [{ pointer, code, detail: detail(count), count, [examples]: JSON.parse(row?.[1] ?? '[]') as unknown }];
}

const shown = (shared: Shared): Shared => ({
  ...shared,
  value:
    typeof shared.value === 'string' && shared.value.length > MAX_SHOWN
      ? `${shared.value.slice(0, MAX_SHOWN)}…`
      : shared.value,
});
