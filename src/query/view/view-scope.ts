import { Problem } from '../../common/index.js';
import { filterInvalid, type FilterInput } from '../filter/filter-input.js';
import type { ReadRequest } from '../resolve/resolve-read.js';
import type { ColumnSchema } from '../schema.js';

/** What a caller has of a view at all, whatever he asks for. */
export interface ViewScope {
  /** Keys of what he sees of a view of rows; all that it shows without it. */
  readonly columns?: readonly string[];
  /** Which rows, in the words of what the view shows; joined to what he asks for by *and*. */
  readonly filter?: FilterInput;
  /** Keys that his own filters may speak of. */
  readonly filterable: readonly string[];
  /** Keys that he may order by. */
  readonly sortable: readonly string[];
}

/**
 * Refuses what speaks of anything but what the scope allows. What is hidden, what is not declared and what does not exist are refused in the same
 * words, so that a refusal tells nothing.
 * @throws Problem `filter_invalid`, `sort_invalid`
 */
export function mustStayWithin(
  { filterable, sortable }: ViewScope,
  { filter, sort }: Pick<ReadRequest, 'filter' | 'sort'>,
): void {
  for (const { field, pointer } of filter ? fieldsOf(filter) : [])
    if (!filterable.includes(field))
      throw filterInvalid({ pointer, code: 'not_filterable', detail: refusal('filtered', field, filterable) });
  for (const [i, { field }] of sort.entries()) {
    if (sortable.includes(field)) continue;
    const detail = refusal('sorted', field, sortable);
    throw new Problem('sort_invalid', { detail, errors: [{ pointer: `/sort/${i}`, code: 'not_sortable', detail }] });
  }
}

const refusal = (verb: string, field: string, allowed: readonly string[]): string =>
  `Rows cannot be ${verb} by ${JSON.stringify(field.slice(0, 60))} here; ${allowed.length === 0 ? 'nothing is declared for that' : `they can by ${allowed.join(', ')}`}.`;

/** The columns without those that the scope hides. */
export const withinScope = <T extends ColumnSchema>(
  columns: readonly T[],
  scope: ViewScope | undefined,
): readonly T[] => (scope?.columns === undefined ? columns : columns.filter(({ key }) => scope.columns?.includes(key)));

interface Named {
  readonly field: string;
  readonly pointer: string;
}

/** Every field that a filter speaks of, on either side. What lies behind a link is not looked at: the link itself is one of them. */
function* fieldsOf(filter: FilterInput): Generator<Named, void> {
  switch (filter.kind) {
    case 'and':
    case 'or':
      for (const item of filter.items) yield* fieldsOf(item);
      return;
    case 'not':
      yield* fieldsOf(filter.item);
      return;
    case 'leaf':
      yield filter;
      if (filter.operand.kind === 'column') yield { field: filter.operand.field, pointer: filter.pointer };
      return;
    case 'link':
      yield filter;
  }
}

/** Whether what a filter finds may change while no row does: it speaks of now, today or spans around them. Rather yes than no. */
export function isTimeBound(filter: FilterInput): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.items.some(isTimeBound);
    case 'not':
      return isTimeBound(filter.item);
    case 'link':
      return isTimeBound(filter.where);
    case 'leaf':
      return filter.op === 'within' || valuesOf(filter.operand).some(isRelative);
  }
}

type Operand = Extract<FilterInput, { kind: 'leaf' }>['operand'];

function valuesOf(operand: Operand): readonly unknown[] {
  switch (operand.kind) {
    case 'texts':
      return operand.values;
    case 'json':
      return Array.isArray(operand.value) ? operand.value : [operand.value];
    case 'text':
      return [operand.value];
    case 'none':
    case 'column':
      return [];
  }
}

const isRelative = (value: unknown): boolean =>
  typeof value === 'string' ? value.startsWith('@') : typeof value === 'object' && value !== null;
