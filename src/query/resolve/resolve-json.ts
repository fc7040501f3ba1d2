import { kindOf, valueType } from '../kind.js';
import { columnByKey, type TableSchema } from '../schema.js';
import type { Condition, JsonScalar, JsonTest } from '../plan.js';
import { columnType, type Operator } from '../types/index.js';
import { filterInvalid, MAX_LIST, type FilterInput } from '../filter/filter-input.js';
import { noField } from './no-field.js';

type JsonLeaf = Extract<FilterInput, { kind: 'leaf' }> & { readonly path: readonly string[] };

/** What may be asked of a value inside a JSON cell. */
export const PATH_OPERATORS = [
  'eq', 'neq', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'between', 'nbetween',
  'contains', 'ncontains', 'startsWith', 'endsWith', 'isNull', 'isNotNull',
] as const satisfies readonly Operator[]; // prettier-ignore

/**
 * A condition on the value at a path inside a JSON cell. It has the type that it was written with, and nothing but a value of
 * that type passes; negative operators take everything else.
 * @throws Problem `filter_invalid`
 */
export function resolveJsonLeaf(leaf: JsonLeaf, table: TableSchema): Condition {
  const { field, path, op } = leaf;
  const column = columnByKey(table, field);
  if (!column) throw refuse(leaf, ...noField(table, field), 'field');
  if (valueType(column).family !== 'json' || kindOf(column).list)
    throw refuse(leaf, 'path_not_allowed', `A path leads into cells of JSON only; ${column.key} has none.`, 'path');
  for (const part of path) checkText(leaf, part, 'path');
  const known = PATH_OPERATORS.find((each) => each === op);
  if (!known)
    throw refuse(
      leaf,
      'unknown_operator',
      `${JSON.stringify(op.slice(0, 60))} is not an operator of values in JSON; they take ${PATH_OPERATORS.join(', ')}.`,
      'op',
    );
  const is = (test: JsonTest): Condition => ({ kind: 'json', column, path, test });
  const not = (item: Condition): Condition => ({ kind: 'not', item });
  switch (known) {
    case 'isNull':
      return is(nullary(leaf));
    case 'isNotNull':
      return not(is(nullary(leaf)));
    case 'neq':
      return not(is({ kind: 'compare', op: 'eq', value: scalar(leaf) }));
    case 'in':
      return is({ kind: 'oneOf', values: list(leaf) });
    case 'nin':
      return not(is({ kind: 'oneOf', values: list(leaf) }));
    case 'between':
      return between(leaf, is);
    case 'nbetween':
      return not(between(leaf, is));
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return is({ kind: 'match', mode: known, text: text(leaf) });
    case 'ncontains':
      return not(is({ kind: 'match', mode: 'contains', text: text(leaf) }));
    default:
      return is({ kind: 'compare', op: known, value: scalar(leaf) });
  }
}

function nullary(leaf: JsonLeaf): JsonTest {
  if (leaf.operand.kind !== 'none') throw refuse(leaf, 'value_not_expected', `${leaf.op} takes no value.`);
  return { kind: 'isNull' };
}

function between(leaf: JsonLeaf, is: (test: JsonTest) => Condition): Condition {
  const [low, high, ...more] = list(leaf);
  if (low === undefined || high === undefined || more.length > 0 || typeof low !== typeof high)
    throw refuse(leaf, 'two_values_expected', `${leaf.op} takes two values of one type, the lower and the upper.`);
  return {
    kind: 'and',
    items: [is({ kind: 'compare', op: 'gte', value: low }), is({ kind: 'compare', op: 'lte', value: high })],
  };
}

function text(leaf: JsonLeaf): string {
  const value = scalar(leaf);
  if (typeof value !== 'string') throw refuse(leaf, 'not_text', 'A text is expected.', 'value');
  return value;
}

function list(leaf: JsonLeaf): JsonScalar[] {
  const given = valueOf(leaf);
  if (!Array.isArray(given)) throw refuse(leaf, 'list_expected', `${leaf.op} takes a list of values.`);
  if (given.length === 0 || given.length > MAX_LIST)
    throw refuse(leaf, 'list_size', `${leaf.op} takes 1 to ${MAX_LIST} values.`);
  return given.map((item) => checkScalar(leaf, item));
}

function scalar(leaf: JsonLeaf): JsonScalar {
  const given = valueOf(leaf);
  if (Array.isArray(given)) throw refuse(leaf, 'one_value_expected', `${leaf.op} takes one value.`);
  return checkScalar(leaf, given);
}

function valueOf(leaf: JsonLeaf): unknown {
  const { operand, op } = leaf;
  if (operand.kind === 'none') throw refuse(leaf, 'value_missing', `${op} needs a value.`);
  if (operand.kind === 'column')
    throw refuse(leaf, 'operator_needs_value', 'Values in JSON are not compared with columns.');
  return operand.kind === 'texts' ? operand.values : operand.value;
}

function checkScalar(leaf: JsonLeaf, input: unknown): JsonScalar {
  if (input === null)
    throw refuse(leaf, 'null_not_allowed', 'null is not a value to compare with; use isNull or isNotNull.');
  if (typeof input === 'string') return checkText(leaf, input, 'value');
  if (typeof input === 'boolean') return input;
  if (typeof input !== 'number')
    throw refuse(leaf, 'not_a_scalar', 'A text, a number or a boolean is expected.', 'value');
  const parsed = columnType('json').parse(input, { options: {} });
  if (!parsed.ok) throw refuse(leaf, parsed.code, parsed.detail, 'value');
  return input === 0 ? 0 : input;
}

/** JSON has no NUL in PostgreSQL, and no half characters; unlike texts of columns it is not normalized. */
function checkText(leaf: JsonLeaf, input: string, part: 'path' | 'value'): string {
  const parsed = columnType('json').parse(input, { options: {} });
  if (!parsed.ok) throw refuse(leaf, parsed.code, parsed.detail, part);
  return input;
}

function refuse(leaf: JsonLeaf, code: string, detail: string, part?: string): Error {
  const { pointer, syntax, field } = leaf;
  return filterInvalid({
    pointer: part === undefined || syntax === 'text' ? pointer : `${pointer}/${part}`,
    code,
    detail,
    field: field.slice(0, 60),
  });
}
