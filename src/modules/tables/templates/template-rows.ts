import { invalid, must, newId, Problem, type Access, type Id, type ProblemItem } from '../../../common/index.js';
import {
  compileWrite,
  completeNewRow,
  placePairs,
  resolveFieldValues,
  uniqueIdentityOf,
  type CellValue,
  type ColumnSchema,
  type RowOp,
  type Sql,
  type TableSchema,
} from '../../../query/index.js';
import { contextOf } from '../schema/structure.js';
import type { TemplateRow, TemplateTable } from './template.js';

const MAX_FINDINGS = 100;

/** Rows of one table, read. */
interface ReadRows {
  readonly schema: TableSchema;
  readonly ops: readonly Extract<RowOp, { kind: 'create' }>[];
}

/**
 * The statements that write the sample rows of new tables: links first, as with every write (their keys are looked at when the
 * transaction ends), so that the log of a row tells its links.
 * @throws Problem `validation_failed`, `unique_violation`
 */
export function sampleRows(
  access: Access,
  tables: readonly { readonly table: TemplateTable; readonly schema: TableSchema }[],
  at: string,
): Sql[] {
  const errors: ProblemItem[] = [];
  const refs = new Map(tables.map(({ table, schema }, t) => [schema.id, refsOf(table, `${at}/tables/${t}`, errors)]));
  const read = tables.map(({ table, schema }, t) => readRows(access, table, schema, refs, `${at}/tables/${t}`, errors));
  if (errors.length > 0) throw invalid(errors.slice(0, MAX_FINDINGS));
  refuseRepeated(
    read.map((rows, t) => ({ ...rows, name: must(tables[t], 'each table was read').table.name })),
    at,
  );
  const context = contextOf(access);
  const filled = read.filter(({ ops }) => ops.length > 0);
  return [
    ...filled.flatMap(pairsOf),
    ...filled.map(({ schema, ops }) =>
      compileWrite(schema, [{ context, atomic: true, ops: ops.map((op) => ({ ...op, values: storedOf(op.values) })) }]),
    ),
  ];
}

/** Ids of the rows, in order, and by the ref that links call them. */
interface Refs {
  readonly ids: readonly Id[];
  readonly byRef: ReadonlyMap<string, Id>;
}

function refsOf({ rows }: TemplateTable, at: string, errors: ProblemItem[]): Refs {
  const byRef = new Map<string, Id>();
  const ids = rows.map(({ ref }, r) => {
    const id = newId();
    if (ref === undefined) return id;
    if (byRef.has(ref))
      errors.push({ pointer: `${at}/rows/${r}/ref`, code: 'duplicate_ref', detail: 'The ref occurs twice.' });
    byRef.set(ref, id);
    return id;
  });
  return { ids, byRef };
}

function readRows(
  access: Access,
  { rows }: TemplateTable,
  schema: TableSchema,
  refs: ReadonlyMap<Id, Refs>,
  at: string,
  errors: ProblemItem[],
): ReadRows {
  const defaults = { now: new Date(), me: access.principal.userId };
  const { ids } = must(refs.get(schema.id), 'each table has refs');
  const ops = rows.map((row, r) => {
    const here = `${at}/rows/${r}/fields`;
    const fields = withIds(row, schema, refs, here, errors);
    const values = completeNewRow(resolveFieldValues(fields, schema, here, errors), schema, here, errors, defaults);
    refuseUnportable(values, here, errors);
    return { kind: 'create' as const, id: must(ids[r], 'each row has an id'), values };
  });
  return { schema, ops };
}

/** The fields of a row, with ids in the place of refs. A link may be written at its own end only, so that no pair is there twice. */
function withIds(
  { fields }: TemplateRow,
  schema: TableSchema,
  refs: ReadonlyMap<Id, Refs>,
  at: string,
  errors: ProblemItem[],
): Record<string, unknown> {
  const links = new Map(
    schema.columns.flatMap(({ key, derived }) => (derived?.kind === 'link' ? [[key, derived.link] as const] : [])),
  );
  const refuse = (key: string, code: string, detail: string): void =>
    void errors.push({ pointer: `${at}/${key}`, code, detail });
  return Object.fromEntries(
    Object.entries(fields).map(([key, cell]) => {
      const link = links.get(key);
      if (!link || cell === null) return [key, cell];
      if (link.end === 'target') {
        refuse(key, 'read_only', 'Sample rows name a link in the column that the template describes.');
        return [key, null];
      }
      const known = must(refs.get(link.target.id), 'a link leads to a table of the template').byRef;
      const list: readonly unknown[] = Array.isArray(cell) ? cell : [cell];
      const found = list.map((ref) => (typeof ref === 'string' ? known.get(ref) : undefined));
      if (found.includes(undefined)) refuse(key, 'unknown_ref', 'There is no row of this ref in the linked table.');
      return [key, found.filter((id) => id !== undefined)];
    }),
  );
}

/** What leads out of the document, to people and files, has no meaning in another workspace. */
function refuseUnportable(values: ReadonlyMap<ColumnSchema, CellValue>, at: string, errors: ProblemItem[]): void {
  for (const [{ key, type, default: initial }, cell] of values)
    if (cell !== null && (type === 'attachment' || (type === 'user' && initial !== 'me')))
      errors.push({ pointer: `${at}/${key}`, code: 'not_portable', detail: `A template has no ${type} values.` });
}

/** The index of the database would name neither the table nor the row. */
function refuseRepeated(tables: readonly (ReadRows & { readonly name: string })[], at: string): void {
  const errors = tables.flatMap(({ name, schema, ops }, t) =>
    schema.columns
      .filter(({ unique }) => unique)
      .flatMap((column) => {
        const first = new Map<string, number>();
        return ops.flatMap(({ values }, r): ProblemItem[] => {
          const cell = values.get(column) ?? null;
          if (cell === null || typeof cell === 'object') return [];
          const identity = uniqueIdentityOf(column, cell);
          const other = first.get(identity);
          if (other === undefined) first.set(identity, r);
          if (other === undefined) return [];
          return [
            {
              pointer: `${at}/tables/${t}/rows/${r}/fields/${column.key}`,
              code: 'unique_violation',
              detail: `${name}: row ${other} has the same ${column.key} as row ${r}.`,
            },
          ];
        });
      }),
  );
  const [item] = errors;
  if (item) throw new Problem('unique_violation', { detail: item.detail, errors: errors.slice(0, MAX_FINDINGS) });
}

const storedOf = (values: ReadonlyMap<ColumnSchema, CellValue>): ReadonlyMap<ColumnSchema, CellValue> =>
  new Map([...values].filter(([{ derived }]) => derived === undefined));

function pairsOf({ schema, ops }: ReadRows): Sql[] {
  return schema.columns.flatMap((column) => {
    if (column.derived?.kind !== 'link' || column.derived.link.end !== 'source') return [];
    const pairs = ops.flatMap(({ id, values }) => {
      const cell = values.get(column) ?? null;
      return Array.isArray(cell) ? cell.map((theirs, i) => ({ mine: id, theirs: String(theirs), at: i })) : [];
    });
    return pairs.length > 0 ? [placePairs(column.derived.link, pairs)] : [];
  });
}
