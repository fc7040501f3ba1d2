import { Problem, unreachable, type Id } from '../../common/index.js';
import { columnsOf, expressionOf } from '../formula/expression.js';
import type { Condition, ReadPlan } from '../plan.js';
import type { ColumnSchema, TableSchema } from '../schema.js';

/** A moment that a table is asked for: behind a number of its log, or at a time (RFC 3339). */
export type AsOf = { readonly seq: number } | { readonly at: string };

/**
 * The table with the columns that can be told of then. Left out are those that are younger, have come back or got another type since (`changed`), whose
 * cells the log says nothing of, what is computed from links, which are pairs beside the rows, and links to rows that the caller does not see all of.
 */
export function tableThen(table: TableSchema, changed: ReadonlySet<Id>): TableSchema {
  const isTold = ({ id, derived }: ColumnSchema): boolean => {
    if (changed.has(id)) return false;
    if (derived?.kind === 'formula') return columnsOf(expressionOf(derived.expression)).every(isTold);
    if (derived?.kind === 'link') return derived.link.target.seen?.rows === undefined;
    return derived === undefined || derived.kind === 'system';
  };
  const then = { ...table, columns: table.columns.filter(isTold).map(columnThen) };
  return table.seen ? { ...then, seen: { ...table.seen, whole: tableThen(table.seen.whole, changed) } } : then;
}

/** Of a link the lists of then, which can be shown, and are nothing that leads anywhere. */
function columnThen(column: ColumnSchema): ColumnSchema {
  const { derived, ...stored } = column;
  if (derived?.kind !== 'link') return column;
  return { ...stored, physical: `_then_${column.id}`, linkThen: derived.link };
}

/** What is asked of a table: which rows, in which order, and columns that the answer names or is made of. */
export type AskedOfTable = Pick<ReadPlan, 'where' | 'orderBy' | 'trashed' | 'expand'> & {
  readonly named: readonly ColumnSchema[];
};

/**
 * What is asked of the table of now must be there in the table of then, or it is refused; only a choice of columns that was left to us is not.
 * @throws Problem `validation_failed`
 */
export function refuseUntold(plan: AskedOfTable, then: TableSchema): void {
  if (plan.trashed === true) throw refuse('trashed', 'The trash is not told of another time; leave out trashed.');
  if (plan.expand !== undefined) throw refuse('expand', 'Links are not told of another time; leave out expand.');
  const told = new Map(then.columns.map((column) => [column.id, column]));
  const asked = [
    ...columnsIn(plan.where),
    ...plan.orderBy.flatMap(({ by }) => (by.kind === 'column' ? [by.column] : [])),
  ];
  const missing =
    plan.named.find(({ id }) => !told.has(id)) ??
    // Nothing is found by links.
    asked.find(({ id }) => told.get(id)?.linkThen !== undefined || !told.has(id));
  if (missing)
    throw refuse(
      'not_told',
      `${missing.key} cannot be told of then: it is made of links, of which only the lists themselves are, or the column is younger, has come back or got another type since.`,
    );
}

const refuse = (code: string, detail: string): Problem =>
  new Problem('validation_failed', { detail, errors: [{ pointer: '/asOf', code, detail }] });

function columnsIn(condition: Condition): readonly ColumnSchema[] {
  switch (condition.kind) {
    case 'true':
      return [];
    case 'and':
    case 'or':
      return condition.items.flatMap(columnsIn);
    case 'not':
      return columnsIn(condition.item);
    case 'compareColumns':
      return [condition.column, condition.other];
    case 'compare':
    case 'oneOf':
    case 'between':
    case 'match':
    case 'isNull':
    case 'isEmpty':
    case 'list':
    case 'json':
    case 'linked':
      return [condition.column];
    default:
      return unreachable(condition);
  }
}
