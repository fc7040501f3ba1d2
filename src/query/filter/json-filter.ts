import { pointer as at } from '../../common/index.js';
import { QUANTIFIERS } from '../plan.js';
import { isRecord } from '../types/index.js';
import {
  FilterBudget,
  filterInvalid,
  MAX_PATH,
  MAX_PATH_PART,
  type FilterInput,
  type OperandInput,
} from './filter-input.js';

/**
 * Reads the JSON syntax: `{"field","op","value"}`, `{"field","op","valueField"}`, `{"field","path","op","value"}`, `{"and":[…]}`, `{"or":[…]}`, `{"not":…}`,
 * `{"link","quantifier","where"}`.
 * @throws Problem `filter_invalid` with a pointer to the part that cannot be read
 */
export function parseJsonFilter(input: unknown, pointer: string): FilterInput {
  return node(input, pointer, 0, new FilterBudget());
}

function node(input: unknown, pointer: string, depth: number, budget: FilterBudget): FilterInput {
  if (!isRecord(input)) throw filterInvalid({ pointer, code: 'not_a_filter', detail: 'A filter is an object.' });
  const keys = Object.keys(input);
  const only = keys.length === 1 ? keys[0] : undefined;
  if (only === 'and' || only === 'or') return group(only, input[only], pointer, depth + 1, budget);
  if (only === 'not') {
    budget.enter(depth + 1, pointer);
    return { kind: 'not', item: node(input.not, pointer + '/not', depth + 1, budget), pointer };
  }
  if (keys.includes('link')) return link(input, keys, pointer, depth + 1, budget);
  return leaf(input, keys, pointer, budget);
}

function link(
  input: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  pointer: string,
  depth: number,
  budget: FilterBudget,
): FilterInput {
  budget.enter(depth, pointer);
  const unknown = keys.find((key) => !['link', 'quantifier', 'where'].includes(key));
  if (unknown !== undefined)
    throw filterInvalid({
      pointer: pointer + at(unknown),
      code: 'unknown_property',
      detail: 'A condition on a link is {link, quantifier, where}.',
    });
  const { link: field, quantifier: given = 'some' } = input;
  if (typeof field !== 'string')
    throw filterInvalid({
      pointer: `${pointer}/link`,
      code: 'field_missing',
      detail: '"link" is the key of a link column.',
    });
  const quantifier = QUANTIFIERS.find((known) => known === given);
  if (!quantifier)
    throw filterInvalid({
      pointer: `${pointer}/quantifier`,
      code: 'unknown_quantifier',
      detail: `quantifier is one of ${QUANTIFIERS.join(', ')}.`,
    });
  return { kind: 'link', field, quantifier, where: node(input.where, `${pointer}/where`, depth, budget), pointer };
}

function group(kind: 'and' | 'or', items: unknown, pointer: string, depth: number, budget: FilterBudget): FilterInput {
  budget.enter(depth, pointer);
  if (!Array.isArray(items) || items.length === 0) {
    throw filterInvalid({
      pointer: pointer + at(kind),
      code: 'empty_group',
      detail: `"${kind}" takes a list of at least one condition.`,
    });
  }
  return { kind, items: items.map((item, i) => node(item, pointer + at(kind, i), depth, budget)), pointer };
}

function leaf(
  input: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  pointer: string,
  budget: FilterBudget,
): FilterInput {
  budget.leaf(pointer);
  const unknown = keys.find((key) => !['field', 'path', 'op', 'value', 'valueField'].includes(key));
  if (unknown !== undefined)
    throw filterInvalid({
      pointer: pointer + at(unknown),
      code: 'unknown_property',
      detail: 'A condition is {field, op, value}, or and, or, not alone.',
    });
  const { field, op } = input;
  if (typeof field !== 'string')
    throw filterInvalid({ pointer, code: 'field_missing', detail: 'A condition needs "field", the key of a column.' });
  if (typeof op !== 'string')
    throw filterInvalid({ pointer, code: 'op_missing', detail: 'A condition needs "op", an operator.' });
  if (Array.isArray(input.value)) budget.list(input.value.length, pointer);
  const path = Object.hasOwn(input, 'path') ? { path: pathOf(input.path, `${pointer}/path`) } : {};
  return { kind: 'leaf', field, ...path, op, operand: operand(input, pointer), pointer, syntax: 'json' };
}

function pathOf(input: unknown, pointer: string): readonly string[] {
  const isPath = (parts: readonly unknown[]): parts is readonly string[] =>
    parts.every((part) => typeof part === 'string' && part.length <= MAX_PATH_PART);
  const parts: readonly unknown[] = Array.isArray(input) ? input : [];
  if (parts.length === 0 || parts.length > MAX_PATH || !isPath(parts))
    throw filterInvalid({
      pointer,
      code: 'invalid_path',
      detail: `"path" is a list of 1 to ${MAX_PATH} texts of at most ${MAX_PATH_PART} characters; a place in a list is written "0".`,
    });
  return parts;
}

function operand(input: Readonly<Record<string, unknown>>, pointer: string): OperandInput {
  const [hasValue, hasField] = [Object.hasOwn(input, 'value'), Object.hasOwn(input, 'valueField')];
  if (hasValue && hasField)
    throw filterInvalid({ pointer, code: 'two_values', detail: 'Give either "value" or "valueField".' });
  if (hasField) {
    if (typeof input.valueField !== 'string')
      throw filterInvalid({
        pointer: pointer + '/valueField',
        code: 'field_missing',
        detail: '"valueField" is the key of a column.',
      });
    return { kind: 'column', field: input.valueField };
  }
  return hasValue ? { kind: 'json', value: input.value } : { kind: 'none' };
}
