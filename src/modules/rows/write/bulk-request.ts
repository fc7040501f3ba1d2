import { isId, newId, pointer, type Id, type ProblemItem } from '../../../common/index.js';
import {
  columnByKey,
  columnOfWhole,
  completeNewRow,
  resolveFieldValues,
  isMatchable,
  defaultOf,
  type CellChange,
  type ColumnSchema,
  type DefaultContext,
  type FieldChanges,
  type FieldValues,
  type RowOp,
  type TableSchema,
  bodyOf,
  refuse,
} from '../../../query/index.js';
import { settle } from './settle.js';

export const MAX_OPS = 1000;

/** An op that may turn out to be a create or an update once the table has been looked at. */
export interface UpsertOp {
  readonly kind: 'upsert';
  readonly matchOn: readonly ColumnSchema[];
  readonly values: FieldValues;
  readonly changes: FieldChanges;
  /** What it takes to be a new row: values with defaults, and why it could not be one. */
  readonly asNew: { readonly values: FieldValues; readonly errors: readonly ProblemItem[] };
}

/** An op whose values may depend on what the row holds. */
export type UnsettledOp = RowOp & { readonly changes?: FieldChanges };

/** One op of a bulk call as read, or what is wrong with it. */
export interface BulkEntry {
  readonly index: number;
  readonly ref?: string;
  readonly op?: UnsettledOp | UpsertOp;
  readonly errors: readonly ProblemItem[];
}

export interface BulkRequest {
  readonly mode: 'atomic' | 'partial';
  readonly entries: readonly BulkEntry[];
}

/** Reads a bulk body. Findings inside ops are kept with the op; only a body that is no bulk call at all is refused here. */
export function parseBulk(input: unknown, table: TableSchema, defaults: DefaultContext): BulkRequest {
  const { mode = 'atomic', ops } = bodyOf(input, '', ['mode', 'ops']);
  if (mode !== 'atomic' && mode !== 'partial') throw refuse('/mode', 'is_in', 'mode is atomic or partial.');
  if (!Array.isArray(ops) || ops.length === 0 || ops.length > MAX_OPS)
    throw refuse('/ops', 'array_size', `ops is a list of 1 to ${MAX_OPS} operations.`);
  return { mode, entries: withoutRepeats(ops.map((op: unknown, index) => entry(op, index, table, defaults))) };
}

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  create: ['op', 'ref', 'fields'],
  update: ['op', 'ref', 'id', 'version', 'fields'],
  upsert: ['op', 'ref', 'matchOn', 'fields'],
  delete: ['op', 'ref', 'id', 'version'],
};

function entry(input: unknown, index: number, table: TableSchema, defaults: DefaultContext): BulkEntry {
  const at = `/ops/${index}`;
  const errors: ProblemItem[] = [];
  const fail = (where: string, code: string, detail: string): void =>
    void errors.push({ pointer: at + where, code, detail });
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    fail('', 'is_object', 'An operation is an object.');
    return { index, errors };
  }
  const body = input as Readonly<Record<string, unknown>>;
  const kind = typeof body.op === 'string' ? body.op : '';
  const known = Object.hasOwn(MEMBERS, kind) ? MEMBERS[kind] : undefined;
  if (!known) {
    fail('/op', 'is_in', 'op is create, update, upsert or delete.');
    return { index, errors };
  }
  for (const member of Object.keys(body))
    if (!known.includes(member))
      fail(pointer(member.slice(0, 60)), 'unknown_property', `${kind} takes ${known.join(', ')}.`);
  const { ref } = body;
  if (ref !== undefined && (typeof ref !== 'string' || ref.length > 255))
    fail('/ref', 'is_string', 'ref is a text of at most 255 characters.');
  const op = readOp(kind, body, table, at, errors, defaults);
  return { index, ...(typeof ref === 'string' ? { ref } : {}), ...(op && errors.length === 0 ? { op } : {}), errors };
}

function readOp(
  kind: string,
  body: Readonly<Record<string, unknown>>,
  table: TableSchema,
  at: string,
  errors: ProblemItem[],
  defaults: DefaultContext,
): UnsettledOp | UpsertOp | undefined {
  switch (kind) {
    case 'create':
      return {
        kind: 'create',
        id: newId(),
        values: completeNewRow(
          resolveFieldValues(body.fields, table, `${at}/fields`, errors),
          table,
          `${at}/fields`,
          errors,
          defaults,
        ),
      };
    case 'update': {
      const changes = new Map<ColumnSchema, CellChange>();
      return {
        kind: 'update',
        id: readId(body.id, at, errors),
        ...readVersion(body.version, at, errors),
        values: resolveFieldValues(body.fields, table, `${at}/fields`, errors, changes),
        changes,
      };
    }
    case 'delete':
      return { kind: 'delete', id: readId(body.id, at, errors), ...readVersion(body.version, at, errors) };
    default:
      return readUpsert(body, table, at, errors, defaults);
  }
}

function readUpsert(
  body: Readonly<Record<string, unknown>>,
  table: TableSchema,
  at: string,
  errors: ProblemItem[],
  defaults: DefaultContext,
): UpsertOp {
  const changes = new Map<ColumnSchema, CellChange>();
  const values = resolveFieldValues(body.fields, table, `${at}/fields`, errors, changes);
  const matchOn = readMatchOn(body.matchOn, table, at, errors);
  for (const column of matchOn) {
    if ((values.get(column) ?? null) === null)
      errors.push({
        pointer: `${at}/fields/${column.key}`,
        code: 'match_missing',
        detail: `${column.key} is matched on and needs a value.`,
      });
  }
  const missing: ProblemItem[] = [];
  const begun = new Map([
    ...values,
    ...settle(changes, (column) => defaultOf(column, defaults), `${at}/fields`, missing),
  ]);
  const asNew = completeNewRow(begun, table, `${at}/fields`, missing, defaults);
  return { kind: 'upsert', matchOn, values, changes, asNew: { values: asNew, errors: missing } };
}

function readMatchOn(input: unknown, table: TableSchema, at: string, errors: ProblemItem[]): ColumnSchema[] {
  if (!Array.isArray(input) || input.length === 0 || input.length > 5) {
    errors.push({ pointer: `${at}/matchOn`, code: 'array_size', detail: 'matchOn is a list of 1 to 5 column keys.' });
    return [];
  }
  return input.flatMap((key: unknown, i) => {
    const column = typeof key === 'string' ? columnByKey(table, key) : undefined;
    if (!column)
      errors.push({
        pointer: `${at}/matchOn/${i}`,
        code: 'unknown_field',
        detail:
          typeof key === 'string'
            ? `There is no field ${JSON.stringify(key.slice(0, 60))}.`
            : 'A column key is expected.',
      });
    else if (!isMatchable(column))
      errors.push({
        pointer: `${at}/matchOn/${i}`,
        code: 'not_matchable',
        detail: `Rows cannot be told apart by ${column.key} (${column.type}).`,
      });
    return column && isMatchable(column) ? [columnOfWhole(table, column)] : [];
  });
}

function readId(input: unknown, at: string, errors: ProblemItem[]): Id {
  if (isId(input)) return input;
  errors.push({ pointer: `${at}/id`, code: 'is_id', detail: 'id is the id of a row.' });
  return '';
}

function readVersion(input: unknown, at: string, errors: ProblemItem[]): { readonly expectedVersion?: number } {
  if (input === undefined) return {};
  if (typeof input === 'number' && Number.isInteger(input) && input >= 1 && input <= 2 ** 31 - 1)
    return { expectedVersion: input };
  errors.push({ pointer: `${at}/version`, code: 'is_version', detail: 'version is a whole number from 1.' });
  return {};
}

/** A row may be named once in a call: two changes of one row under one number have no order. */
function withoutRepeats(entries: readonly BulkEntry[]): BulkEntry[] {
  const seen = new Set<Id>();
  return entries.map((candidate) => {
    const { op, index } = candidate;
    if (!op || op.kind === 'upsert' || op.kind === 'create') return candidate;
    if (!seen.has(op.id)) {
      seen.add(op.id);
      return candidate;
    }
    return {
      ...candidate,
      op: undefined,
      errors: [{ pointer: `/ops/${index}/id`, code: 'duplicate_row', detail: 'A row may occur once in a call.' }],
    };
  });
}
