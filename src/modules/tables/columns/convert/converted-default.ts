import { columnType, kindOf, readJsonText, type CellValue } from '../../../../query/index.js';
import type { ColumnEntity } from '../column.entity.js';
import { readDefault } from '../make-columns.js';
import { toldDefault, type ToldDefault } from '../told-default.js';

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
  const told = toldDefault(column);
  if (taking.family === 'json') return readAsJson(told, column, target);
  const text = textOf(told, column);
  const asItIs = text === undefined || !AS_TEXT.has(source.family) ? read(told, target) : null;
  if (asItIs !== null || text === undefined) return asItIs;
  if (kindOf(target).list) return read(partsOf(told, text, source.family), target);
  const parsed = taking.parseText(text, target);
  return parsed.ok ? parsed.value : null;
}

function read(value: unknown, target: ColumnEntity): CellValue {
  const parsed = readDefault(value, target);
  return parsed.ok ? parsed.value : null;
}

/** A text that is an object or a list becomes that, where it may. */
const readAsJson = (told: ToldDefault, { type }: ColumnEntity, target: ColumnEntity): CellValue =>
  (typeof told === 'string' && columnType(type).family === 'text' ? read(readJsonText(told), target) : null) ??
  read(told, target);

/** What a person reads of it, from which other types are read. */
function textOf(told: ToldDefault, { type, options }: ColumnEntity): string | undefined {
  const { family } = columnType(type);
  if (typeof told === 'string' && family === 'choice')
    return options.choices?.find(({ key }) => key === told)?.label ?? told;
  return family === 'text' || family === 'json' || PLAIN.has(type) ? plain(told) : undefined;
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** As cells are taken apart that become lists. */
function partsOf(told: ToldDefault, text: string, family: string): string[] {
  if (Array.isArray(told)) return told.map(plain);
  const isOne = family === 'choice' || typeof told !== 'string';
  return isOne ? [text] : text.split(/[,\n\r]/).flatMap((part) => part.trim() || []);
}
