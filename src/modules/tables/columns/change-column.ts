import { foldName, invalid, notFound, type Id, type ProblemItem } from '../../../common/index.js';
import type { RowCheck } from '../../../engines/index.js';
import {
  allowNull,
  allowRepeats,
  columnType,
  commentColumn,
  demandUnique,
  demandValue,
  lockTable,
  renewCheck,
  setDefault,
  type Choice,
  type ColumnOptions,
  type Sql,
} from '../../../query/index.js';
import type { SchemaChange } from '../schema/schema-saga.js';
import type { Structure } from '../schema/structure.js';
import { toColumnSchema } from '../tables/table-schema.js';
import type { UpdateColumnDto } from './column.dto.js';
import type { ColumnEntity } from './column.entity.js';
import { judgeDemands, nameTaken, readDefault, SYSTEM } from './make-columns.js';
import { isComputed } from './resolve-references.js';
import { toldDefault } from './told-default.js';
import { viewColumn } from './view-column.js';
import { choicesAreUnused, everyRowHasValue, everyValueIsUnique } from './row-conditions.js';

/** What becomes of one column, and of others that make room for it. */
export interface ColumnChange extends Pick<SchemaChange<unknown>, 'statements' | 'conditions'> {
  readonly column: ColumnEntity;
  /** Further columns that change with it. */
  readonly moved?: readonly ColumnEntity[];
  readonly position: number;
  readonly action: string;
  readonly before?: object;
  readonly after?: object;
}

/** @throws Problem `not_found` */
export function findColumn(columns: readonly ColumnEntity[], columnId: Id): ColumnEntity {
  const column = columns.find(({ id }) => id === columnId);
  if (!column) throw notFound('column');
  return column;
}

/**
 * What a PATCH makes of a column. What it demands of rows is not judged here but in the mini-DB, behind a lock, by the conditions.
 * @throws Problem `not_found`, `name_taken`, `validation_failed`
 */
export function changeColumn({ columns, schema }: Structure, columnId: Id, input: UpdateColumnDto): ColumnChange {
  const before = findColumn(columns, columnId);
  const given = merged(before, input);
  if (columns.some(({ id, nameFolded }) => id !== columnId && nameFolded === given.nameFolded))
    throw nameTaken('/name', given.name);
  const order = columns.filter(({ id }) => id !== columnId);
  const position = Math.min(input.position ?? columns.indexOf(before), order.length);
  order.splice(position, 0, given);
  const [column, ...moved] = placed(order, given);

  const physical = toColumnSchema(column);
  const steps: Sql[] = [];
  const checks: RowCheck[] = [];
  if (column.required && !before.required) {
    checks.push(everyRowHasValue(schema, physical));
    steps.push(...demandValue(schema, physical));
  }
  if (column.unique && !before.unique) {
    checks.push(...everyValueIsUnique(schema, physical));
    steps.push(...demandUnique(schema, physical));
  }
  const gone = withoutChoices(before.options.choices, column.options.choices);
  if (gone.length > 0) checks.push(choicesAreUnused(schema, physical, gone));
  if (before.required && !column.required) steps.push(...allowNull(schema, physical));
  if (before.unique && !column.unique) steps.push(...allowRepeats(schema, physical));
  if (column.default !== before.default) steps.push(...setDefault(schema, physical));
  if (column.options.max !== before.options.max) steps.push(...renewCheck(schema, physical));
  if (column.name !== before.name && !isUnstored(before)) steps.push(commentColumn(schema, physical));

  const alters =
    column.required !== before.required || column.default !== before.default || (before.unique && !column.unique);
  return {
    statements: steps,
    ...(checks.length > 0
      ? { conditions: { lock: lockTable(schema, alters ? 'access exclusive' : 'share'), checks } }
      : {}),
    column,
    moved,
    position,
    action: 'column.updated',
    before: viewColumn(before),
    after: viewColumn(column),
  };
}

/** The column as it is now first, then those whose place is another than the one that is kept. */
export function placed(order: readonly ColumnEntity[], column: ColumnEntity): [ColumnEntity, ...ColumnEntity[]] {
  const numbered = order.map((each, position) => ({ ...each, position }));
  const moved = numbered.filter(({ id }, i) => id !== column.id && order[i]?.position !== i);
  return [{ ...column, position: order.indexOf(column) }, ...moved];
}

function merged(before: ColumnEntity, input: UpdateColumnDto): ColumnEntity {
  const errors: ProblemItem[] = [];
  const options = input.options === undefined ? before.options : nextOptions(before, input.options, errors);
  const unique = input.unique ?? before.unique;
  judgeDemands({ ...input, type: before.type }, options, '', errors);
  const initial = input.default === undefined ? toldDefault(before) : input.default;
  const parsed = readDefault(initial, { type: before.type, options, unique });
  if (!parsed.ok) errors.push({ pointer: '/default', code: parsed.code, detail: parsed.detail });
  if (errors.length > 0) throw invalid(errors);
  return {
    ...before,
    ...(input.name === undefined ? {} : { name: input.name, nameFolded: foldName(input.name) }),
    ...(input.description === undefined ? {} : { description: input.description }),
    options,
    unique,
    required: input.required ?? before.required,
    default: parsed.ok ? parsed.value : null,
  };
}

/** Options that change no value that is there. A choice may be missing, if no row holds it. */
function nextOptions(column: ColumnEntity, input: Record<string, unknown>, errors: ProblemItem[]): ColumnOptions {
  const refuse = (code: string, detail: string): ColumnOptions => {
    errors.push({ pointer: '/options', code, detail });
    return column.options;
  };
  if (column.type === 'link')
    return refuse('option_fixed', 'Where a link leads, and to how many rows, cannot be changed.');
  // Read where it was found out what they lead to.
  if (isComputed(column)) return input;
  const parsed = columnType(column.type).parseOptions(input);
  if (!parsed.ok) return refuse(parsed.code, parsed.detail);
  const next = parsed.value;
  if (next.multiple !== column.options.multiple)
    return refuse('option_fixed', 'Whether cells hold one or several cannot be changed here.');
  if (next.max !== undefined && next.max < (column.options.max ?? 0))
    return refuse('option_fixed', 'max can only be raised here.');
  if (next.scale !== column.options.scale)
    return refuse('option_fixed', 'The scale of a decimal cannot be changed here.');
  if (next.maxLength !== undefined && next.maxLength < (column.options.maxLength ?? Infinity))
    return refuse('option_fixed', 'maxLength can only be raised here.');
  return next;
}

/** Nothing in the mini-DB has its name. */
const isUnstored = (column: ColumnEntity): boolean =>
  column.type === 'link' || isComputed(column) || SYSTEM[column.type] !== undefined;

const withoutChoices = (before: readonly Choice[] = [], after: readonly Choice[] = []): string[] =>
  before.map(({ key }) => key).filter((key) => !after.some((choice) => choice.key === key));
