import { columnType, kindOf, type CellValue } from '../../../../query/index.js';
import type { ColumnEntity } from '../column.entity.js';
import { readDefault } from '../make-columns.js';
import { toldDefault } from '../told-default.js';

/** Types whose values are, as text, what JSON writes. */
const PLAIN: ReadonlySet<string> = new Set(['integer', 'decimal', 'boolean']);

/** Families whose values become others by their text: a label, or what is written of JSON. */
const AS_TEXT: ReadonlySet<string> = new Set(['choice', 'json']);

/**
 * The default that a column has under its new type: what values like it become. Null where the new type does not take it, or where it is a
 * word (`now`, `me`) that means something under one of the types only.
 */
export function convertedDefault(column: ColumnEntity, target: ColumnEntity): CellValue {
  const given = column.default;
  const [source, taking] = [columnType(column.type), columnType(target.type)];
  if (given === null) return null;
  if (given === source.dynamicDefault || given === taking.dynamicDefault)
    return source.dynamicDefault === taking.dynamicDefault ? given : null;
  const text = textOf(given, column);
  const isRead = taking.family === 'json' || text === undefined || !AS_TEXT.has(source.family);
  const asItIs = isRead ? readDefault(toldDefault(column), target) : undefined;
  if (asItIs?.ok) return asItIs.value;
  if (text === undefined) return null;
  const parsed = taking.parseText(text, target);
  if (!parsed.ok) return null;
  return kindOf(target).list ? readList(parsed.value, target) : parsed.value;
}

function textOf(given: CellValue, { type, options }: ColumnEntity): string | undefined {
  const { family } = columnType(type);
  if (typeof given === 'string' && family === 'choice')
    return options.choices?.find(({ key }) => key === given)?.label ?? given;
  return family === 'text' || family === 'json' || PLAIN.has(type) ? String(given) : undefined;
}

function readList(value: unknown, target: ColumnEntity): CellValue {
  const read = readDefault([value], target);
  return read.ok ? read.value : null;
}
