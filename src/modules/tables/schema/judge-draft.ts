import { invalid, must, type Id, type ProblemItem } from '../../../common/index.js';
import {
  areTooLarge,
  expressionOf,
  hasGrown,
  isTooLarge,
  NEW_FORMULAS,
  sizeOfAll,
  type ColumnSchema,
  type Expression,
} from '../../../query/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { needs } from '../columns/dependents.js';
import { flawedFormulas, storedFormula, type FlawedFormula } from '../columns/formula-columns.js';
import { isTooDeep, misfitOf } from '../columns/resolve-references.js';
import type { DraftTables } from './draft-tables.js';

/** A finding about a column of the base, whichever was asked for. */
export type ColumnFinding = ProblemItem & { readonly columnId: Id };

/** Columns that are there and could not be computed any more: what they are made of may have become something else. */
export function cannotBeComputed(tables: DraftTables, pointer: string): readonly ColumnFinding[] {
  const flawed = flawedFormulas(tables);
  const unfit = (flawed.length > 0 ? flawed : heavyFormulas(tables)).map(({ column: { id, key, tableId }, flaw }) => ({
    ...{ pointer, code: 'formula_in_the_way', columnId: id, tableId },
    detail: `The formula ${key} of the table ${tables.get(tableId).table.key} could not be computed: ${flaw.detail}`,
  }));
  // What a rollup is taken of is not known where that cannot be computed.
  return unfit.length > 0 ? unfit : misfits(tables, pointer);
}

/** Those that the draft makes too large. What was too large before it may stay so: another version of the product may have made it. */
const heavyFormulas = (tables: DraftTables): readonly FlawedFormula[] =>
  flawedFormulas(tables, (column) => {
    const now = formulaIn(tables.columnSchema(column));
    if (!now || !isTooLarge(now, NEW_FORMULAS)) return 'sound';
    const before = formulaIn(tables.columnBefore(column));
    if (before && !hasGrown(now, before)) return 'sound';
    const checked = storedFormula(column, tables.schemaOf(column.tableId), NEW_FORMULAS);
    return checked.ok ? 'sound' : must(checked.flaws[0], 'what is too large has a flaw');
  });

const formulaIn = (column: ColumnSchema | undefined): Expression | undefined =>
  column?.derived?.kind === 'formula' ? expressionOf(column.derived.expression) : undefined;

const misfits = (tables: DraftTables, pointer: string): readonly ColumnFinding[] =>
  tables.columns
    .filter(({ type }) => type === 'rollup')
    .flatMap((rollup) => {
      const misfit = misfitOf(tables.columnSchema(rollup));
      if (misfit === undefined) return [];
      const { id, key, tableId } = rollup;
      const detail = `${misfit}, which the rollup ${key} of the table ${tables.get(tableId).table.key} does.`;
      return [{ pointer, code: 'rollup_in_the_way', detail, columnId: id, tableId }];
    });

/** Columns that would have nothing to follow if a link were no link any more. */
export const needTheLink = (tables: DraftTables, link: ColumnEntity, inverse: ColumnEntity): readonly ColumnFinding[] =>
  tables.columns
    .filter((column) => needs(column).includes(inverse.id) || column.options.linkColumnId === link.id)
    .map(({ id, key, type, tableId }) => ({
      ...{ pointer: '/to/type', code: 'link_in_the_way', columnId: id, tableId },
      detail: `The ${type} ${key} of the table ${tables.get(tableId).table.key} needs the link. Convert or delete it first.`,
    }));

/** Columns that lead through too many lookups. */
export const leadTooDeep = ({ columns }: DraftTables): readonly ColumnFinding[] =>
  columns
    .filter((column) => isTooDeep(column, columns))
    .map(({ id, key }) => ({
      ...{ pointer: '', code: 'lookup_too_deep', columnId: id },
      detail: `${key} would lead through too many lookups.`,
    }));

/** One statement reads all columns of a row; a table for which that is too much may become less. @throws Problem `validation_failed` */
export function mustBeRunnable(tables: DraftTables, pointer: string): void {
  const heavy = tables.all.find(({ table }) => {
    const { columns } = tables.schemaOf(table.id);
    if (!areTooLarge(columns, NEW_FORMULAS)) return false;
    const before = tables.schemaBefore(table.id);
    return !before || sizeOfAll(columns) > sizeOfAll(before.columns);
  });
  if (!heavy) return;
  const detail = `The columns of the table ${heavy.table.key} are too complex together: let fewer formulas read others, and fewer lookups lead to formulas.`;
  throw invalid([{ pointer, code: 'too_complex', detail }]);
}
