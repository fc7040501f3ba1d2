import { newId } from '../../src/common/index.js';
import {
  parseCell,
  type CellValue,
  type ColumnSchema,
  type ColumnTypeName,
  type TableSchema,
  type WriteContext,
} from '../../src/query/index.js';

/** A column with this key; nullable and plain unless said otherwise. */
export const column = (
  key: string,
  type: ColumnTypeName,
  over: Partial<Omit<ColumnSchema, 'key' | 'type'>> = {},
): ColumnSchema => ({
  id: newId(),
  key,
  name: key,
  type,
  options: type === 'single_select' || type === 'multi_select' ? { choices: CHOICES } : {},
  required: false,
  unique: false,
  default: null,
  physical: key,
  ...over,
});

/** Not in the order of the alphabet, so that an order by key shows. */
export const CHOICES = [
  { key: 'open', label: 'Open' },
  { key: 'won', label: 'Won' },
  { key: 'lost', label: 'Lost for good' },
] as const;

export const table = (columns: readonly ColumnSchema[], over: Partial<TableSchema> = {}): TableSchema => ({
  id: newId(),
  schemaVersion: 1,
  physical: { schema: 'crm_k3f9a2', table: 'deals' },
  columns,
  ...over,
});

/** A table with a column of every type; two of some, to compare them with each other. */
export const everyType = (over: Partial<TableSchema> = {}): TableSchema =>
  table(
    [
      column('name', 'text'),
      column('title', 'text', { required: true }),
      column('notes', 'long_text'),
      column('qty', 'integer'),
      column('amount', 'decimal'),
      column('unit_price', 'decimal', { options: { scale: 2 } }),
      column('active', 'boolean'),
      column('due', 'date'),
      column('ends', 'date'),
      column('seen', 'datetime'),
      column('status', 'single_select'),
      column('fee', 'currency', { options: { code: 'EUR', scale: 2 } }),
      column('share', 'percent'),
      column('stars', 'rating', { options: { max: 5 } }),
      column('spent', 'duration', { options: { format: 'h:mm' } }),
      column('site', 'url'),
      column('mail', 'email'),
      column('phone', 'phone'),
      column('extra', 'json'),
      column('tags', 'multi_select'),
      column('who', 'user', { options: { multiple: false } }),
      column('team', 'user', { options: { multiple: true } }),
    ],
    over,
  );

export const NOW = new Date('2026-11-22T15:04:05.678Z');

export const writeContext = (over: Partial<WriteContext> = {}): WriteContext => ({
  actorId: newId(),
  actorName: 'Ada',
  requestId: 'r',
  source: 'api',
  changeSet: newId(),
  ...over,
});

/** The canonical form of a JSON cell. Throws when the column's type refuses it. */
export function canonical(of: ColumnSchema, input: unknown): CellValue {
  if (input === null) return null;
  const parsed = parseCell(input, { ...of, unique: false });
  if (!parsed.ok) throw new Error(`${of.key}: ${parsed.code}`);
  return parsed.value;
}
