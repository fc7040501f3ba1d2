import { invalid, newId, type ProblemItem } from '../../../../common/index.js';
import { columnType, convertedCell, type Conversion, type Sql } from '../../../../query/index.js';
import type { BaseDraft } from '../../schema/base-draft.js';
import { randomSuffix } from '../../schema/structure.js';
import { toColumnSchema } from '../../tables/table-schema.js';
import type { ColumnEntity } from '../column.entity.js';
import type { ConversionSampleDto } from './convert.dto.js';

export const SAMPLES = 20;

/**
 * What becomes of a column, and the new cell in SQL.
 * @throws Problem `validation_failed` these types do not convert
 */
export function conversionOf(
  draft: BaseDraft,
  column: ColumnEntity,
  target: ColumnEntity,
): { readonly conversion: Conversion; readonly converted: Sql } {
  const from = draft.columnSchema(column);
  const conversion: Conversion = { table: draft.schemaOf(column.tableId), from, to: toColumnSchema(target) };
  const converted = convertedCell(conversion, 't');
  if (!converted) throw notConvertible(column, target.type);
  return { conversion, converted };
}

const notConvertible = (column: ColumnEntity, type: string): Error =>
  invalid([
    {
      pointer: '/to/type',
      code: 'not_convertible',
      detail: `${column.key} (${column.type}) cannot be converted to ${type}.`,
    },
  ]);

/** The old column in the trash, for as long as everything there. */
export const keptColumn = (column: ColumnEntity): ColumnEntity => ({
  ...column,
  id: newId(),
  name: `${column.name.slice(0, 220)} (before conversion)`,
  nameFolded: `${column.nameFolded.slice(0, 220)} (before conversion)`,
  required: false,
  unique: false,
  physicalName: `_old_${column.key.slice(0, 48)}_${randomSuffix()}`,
  deletedAt: new Date(),
  deletedWith: null,
});

/** With what the type itself says of each text. */
export function samplesOf(json: string | null | undefined, target: ColumnEntity): ConversionSampleDto[] {
  const found = JSON.parse(json ?? '[]') as { readonly rowId: string; readonly text: string }[];
  return found.map(({ rowId, text }) => {
    const parsed = columnType(target.type).parseText(text, target);
    return { rowId, value: text, code: parsed.ok ? 'not_convertible' : parsed.code };
  });
}

/** Values that cannot be converted, where nothing may be lost, be it that the column is required. */
export const valuesInTheWay = (
  failing: number,
  samples: string | null | undefined,
  target: ColumnEntity,
): ProblemItem => ({
  pointer: '/onError',
  code: 'values_not_convertible',
  detail:
    `${failing} values cannot be converted to ${target.type}` +
    (target.required ? ', nor be left empty: the column is required.' : '.'),
  count: failing,
  samples: samplesOf(samples, target),
});
