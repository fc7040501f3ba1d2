import { invalid, type Id } from '../../../common/index.js';
import { canRollUp, kindOf, type ColumnSchema } from '../../../query/index.js';
import type { ColumnEntity } from './column.entity.js';
import { circleOf, depthOf, withDependents } from './dependents.js';
import { resolveFormula, type FormulaBase } from './formula-columns.js';

/** A base in which columns can be found; a draft of it. */
export interface ColumnsOfBase extends FormulaBase {
  table(tableId: Id): { readonly columns: readonly ColumnEntity[] };
}

export const isComputed = ({ type }: Pick<ColumnEntity, 'type'>): boolean =>
  type === 'lookup' || type === 'rollup' || type === 'count' || type === 'formula';

/** Lookups that lead through each other; each is a subquery inside the one before. */
const MAX_CHAIN = 6;

/**
 * Gives a lookup, rollup, count or formula the ids of the columns that it leads to, which may be named by key; leaves other columns as
 * they are.
 * @throws Problem `validation_failed`: no such column, not a link, a function that does not fit, a circle (told with its path)
 * @throws Problem `formula_invalid`
 */
export function resolveReferences(column: ColumnEntity, base: ColumnsOfBase, at: string): ColumnEntity {
  const { type, options } = column;
  if (!isComputed(column)) return column;
  if (type === 'formula') {
    const resolved = resolveFormula(column, base, at);
    mustBeShallow(resolved, base, `${at}/options/formula`);
    return resolved;
  }
  const refuse = (member: string, code: string, detail: string): Error =>
    invalid([{ pointer: `${at}/options/${member}`, code, detail }]);
  const link = byIdOrKey(base.table(column.tableId).columns, options.linkColumnId);
  if (link?.type !== 'link')
    throw refuse(
      'linkColumnId',
      link ? 'not_a_link' : 'unknown_column',
      'linkColumnId is the id of a link column of this table.',
    );
  if (type === 'count') return { ...column, options: { linkColumnId: link.id } };
  const target = byIdOrKey(base.table(link.options.tableId ?? '').columns, options.columnId);
  if (!target) throw refuse('columnId', 'unknown_column', 'columnId is the id of a column of the linked table.');
  const resolved: ColumnEntity = { ...column, options: { ...options, linkColumnId: link.id, columnId: target.id } };
  const circle = circleOf(resolved, base.columns);
  if (circle)
    throw refuse(
      'columnId',
      'lookup_cycle',
      `The column would look itself up: ${circle.map(({ key }) => key).join(' → ')}.`,
    );
  mustBeShallow(resolved, base, `${at}/options/columnId`);
  return resolved;
}

/** Whether it leads through too many lookups. */
export const isTooDeep = (column: ColumnEntity, columns: readonly ColumnEntity[]): boolean =>
  depthOf(columns)(column) > MAX_CHAIN;

/** Neither the column nor what reads it leads through too many lookups. */
function mustBeShallow(column: ColumnEntity, { columns }: ColumnsOfBase, at: string): void {
  const changed = [...columns.filter(({ id }) => id !== column.id), column];
  const concerned = withDependents([column], changed);
  if (concerned.some((each) => isTooDeep(each, changed)))
    throw invalid([
      { pointer: at, code: 'lookup_too_deep', detail: `Lookups lead through at most ${MAX_CHAIN} columns.` },
    ]);
}

const byIdOrKey = (columns: readonly ColumnEntity[], wanted: string | undefined): ColumnEntity | undefined =>
  columns.find(({ id }) => id === wanted) ?? columns.find(({ key }) => key === wanted);

/** @throws Problem `validation_failed` a rollup whose function does not fit what it rolls up */
export function judgeRollup(rollup: ColumnSchema, at: string): void {
  const misfit = misfitOf(rollup);
  if (misfit) throw invalid([{ pointer: `${at}/options/fn`, code: 'invalid_option', detail: `${misfit}.` }]);
}

/** Why a rollup cannot be taken of what it rolls up; undefined when it can. */
export function misfitOf({ derived }: ColumnSchema): string | undefined {
  if (derived?.kind !== 'rollup' || canRollUp(kindOf(derived.column), derived.fn)) return undefined;
  return `${derived.fn} cannot be taken of ${derived.column.key} (${derived.column.type})`;
}
