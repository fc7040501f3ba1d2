import { isRecord } from '../types/index.js';
import { filterInvalid, type FilterInput } from './filter-input.js';

/** What is known of a member by name, for filters that are made for many members. */
export type Attributes = Readonly<Record<string, AttributeValue>>;
export type AttributeValue = string | number | boolean | readonly (string | number | boolean)[];

/** The name in `{"$attr":"region"}`. */
function attributeOf(value: unknown): string | undefined {
  if (!isRecord(value) || Object.keys(value).length !== 1) return undefined;
  return typeof value.$attr === 'string' ? value.$attr : undefined;
}

/** The conditions of a filter, with those on linked rows. */
function leavesOf(input: FilterInput): readonly Extract<FilterInput, { kind: 'leaf' }>[] {
  switch (input.kind) {
    case 'and':
    case 'or':
      return input.items.flatMap(leavesOf);
    case 'not':
      return leavesOf(input.item);
    case 'leaf':
      return [input];
    case 'link':
      return leavesOf(input.where);
  }
}

const valuesOf = (operand: Extract<FilterInput, { kind: 'leaf' }>['operand']): readonly unknown[] =>
  operand.kind !== 'json' ? [] : Array.isArray(operand.value) ? operand.value : [operand.value];

/** The names of the attributes that a filter depends on. */
export const attributesIn = (input: FilterInput): ReadonlySet<string> =>
  new Set(leavesOf(input).flatMap(({ operand }) => valuesOf(operand).flatMap((value) => attributeOf(value) ?? [])));

/**
 * The filter with the values of a member in place of `{"$attr":…}`. A list in a list becomes part of it.
 * @throws Problem `filter_invalid` the member has no such attribute: whatever stood around it, nothing could be said for certain
 */
export function bindAttributes(input: FilterInput, attributes: Attributes): FilterInput {
  switch (input.kind) {
    case 'and':
    case 'or':
      return { ...input, items: input.items.map((item) => bindAttributes(item, attributes)) };
    case 'not':
      return { ...input, item: bindAttributes(input.item, attributes) };
    case 'link':
      return { ...input, where: bindAttributes(input.where, attributes) };
    case 'leaf': {
      const { operand } = input;
      if (operand.kind !== 'json') return input;
      const bind = (value: unknown): unknown => bound(value, attributes, input.pointer);
      const value = Array.isArray(operand.value) ? operand.value.flatMap(bind) : bind(operand.value);
      return { ...input, operand: { kind: 'json', value } };
    }
  }
}

function bound(value: unknown, attributes: Attributes, pointer: string): unknown {
  const name = attributeOf(value);
  if (name === undefined) return value;
  if (Object.hasOwn(attributes, name)) return attributes[name];
  throw filterInvalid({
    pointer: `${pointer}/value`,
    code: 'unknown_attribute',
    detail: `The member has no attribute ${JSON.stringify(name.slice(0, 60))}.`,
  });
}
