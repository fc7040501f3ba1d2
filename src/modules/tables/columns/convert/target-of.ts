import { cleanName, deriveKey, foldName, invalid } from '../../../../common/index.js';
import {
  canBecome,
  columnType,
  type Choice,
  type ColumnOptions,
  type ColumnTypeName,
} from '../../../../query/index.js';
import type { ColumnEntity } from '../column.entity.js';
import { judgeDemands } from '../make-columns.js';
import { convertedDefault } from './converted-default.js';

export const MAX_CHOICES = 500;

const refuse = (pointer: string, code: string, detail: string): Error => invalid([{ pointer, code, detail }]);

/** Whether choices have to be made of the values that are there. */
export const lacksChoices = (type: ColumnTypeName, options: Readonly<Record<string, unknown>>): boolean =>
  (type === 'single_select' || type === 'multi_select') && options.choices === undefined;

/** Choices of the texts that cells hold. @throws Problem `validation_failed` too many, or one that is no label */
export function choicesOf(texts: readonly string[]): readonly Choice[] {
  if (texts.length > MAX_CHOICES)
    throw refuse('/to/options/choices', 'too_many_choices', `There are more than ${MAX_CHOICES} different values.`);
  const keys = new Set<string>();
  const labels = new Map<string, Choice>();
  // What is no label stays without a choice, and is counted as failing.
  const cleaned = texts.map(cleanName).filter((label) => label !== undefined);
  for (const label of cleaned) {
    if (labels.has(foldName(label))) continue;
    // A text is a key before it is a label: a key that is the label of another choice would take its values away.
    const key = deriveKey(label, new Set([...keys, ...cleaned.filter((other) => other !== label)]));
    keys.add(key);
    labels.set(foldName(label), { key, label });
  }
  if (labels.size === 0)
    throw refuse('/to/options/choices', 'invalid_option', 'There is no value to make a choice of.');
  return [...labels.values()];
}

/** @throws Problem `validation_failed` */
export function optionsOf(type: ColumnTypeName, input: Readonly<Record<string, unknown>>): ColumnOptions {
  const parsed = columnType(type).parseOptions(input);
  if (parsed.ok) return parsed.value;
  throw refuse('/to/options', parsed.code, parsed.detail);
}

/**
 * The column as it will be: same id, key and name. A default that the new type does not take is given up.
 * @throws Problem `validation_failed` it cannot become that, or is required or unique where the new type cannot be
 */
export function targetOf(column: ColumnEntity, type: ColumnTypeName, options: ColumnOptions): ColumnEntity {
  const physicalName = UNSTORED.has(column.type) ? column.key : column.physicalName;
  const target: ColumnEntity = { ...column, type, options, default: null, physicalName };
  if (!canBecome({ type, ...(UNSTORED.has(type) ? { derived: { kind: 'system' } } : {}) }))
    throw refuse('/to/type', 'not_convertible', `A column cannot become ${type}; make a new one.`);
  const errors: Parameters<typeof judgeDemands>[3] = [];
  judgeDemands({ type, required: column.required, unique: column.unique }, options, '', errors);
  if (errors.length > 0) throw invalid(errors);
  return { ...target, default: convertedDefault(column, target) };
}

/** Their cells are somewhere else. */
const UNSTORED: ReadonlySet<ColumnTypeName> = new Set([
  'link', 'lookup', 'rollup', 'count', 'formula', 'created_at', 'updated_at', 'created_by', 'updated_by',
]); // prettier-ignore
