import type { PhysicalBase, PhysicalCheck, PhysicalColumn, PhysicalRelation } from '../../../engines/index.js';
import type { ExpectedColumn } from './column-rules.js';
import type { ExpectedBase, ExpectedTable } from './expected-base.js';

/** One thing in which PostgreSQL and the metadata differ. */
export interface Finding {
  readonly code: string;
  /** Where, as one would write it in SQL, without quotes. */
  readonly place: string;
  readonly detail: string;
}

/** Everything in which a base differs from what its metadata says; empty when they agree. */
export function compareBase(expected: ExpectedBase, physical: PhysicalBase | undefined): Finding[] {
  const { schema } = expected;
  if (!physical) return [finding('schema_missing', schema, 'the metadata knows a base here')];
  const tables = physical.relations.filter(({ kind }) => kind === 'table');
  return [
    ...comments(schema, expected.comment, physical.comment),
    ...pairs(expected.tables, tables).flatMap(([name, wanted, found]) =>
      compareTable(`${schema}.${name}`, wanted, found),
    ),
    ...compareViews(expected, physical),
    ...physical.relations
      .filter(({ kind }) => kind === 'other')
      .map(({ name }) => finding('object_unknown', `${schema}.${name}`, 'is nothing that this product makes')),
    ...compareStreams(expected, physical),
  ];
}

const finding = (code: string, place: string, detail: string): Finding => ({ code, place, detail });

type Named = { readonly name: string };

/** Both sides by name; one of them may be missing. */
function pairs<A extends Named, B extends Named>(
  wanted: readonly A[],
  found: readonly B[],
): (readonly [string, A | undefined, B | undefined])[] {
  const [a, b] = [byName(wanted), byName(found)];
  return [...new Set([...a.keys(), ...b.keys()])].map((name) => [name, a.get(name), b.get(name)]);
}

const byName = <T extends Named>(items: readonly T[]): Map<string, T> =>
  new Map(items.map((item) => [item.name, item]));

function comments(place: string, wanted: string | undefined, found: string | null): Finding[] {
  if (wanted === undefined || wanted === found) return [];
  return [
    finding('comment_differs', place, `is ${JSON.stringify(found)}, the metadata says ${JSON.stringify(wanted)}`),
  ];
}

function compareTable(
  place: string,
  wanted: ExpectedTable | undefined,
  found: PhysicalRelation | undefined,
): Finding[] {
  if (!found) return [finding('table_missing', place, 'the metadata knows a table here')];
  if (!wanted) return [finding('table_unknown', place, 'the metadata knows no such table')];
  return [
    ...comments(place, wanted.comment, found.comment),
    ...(wanted.columns
      ? pairs(wanted.columns, found.columns).flatMap(([name, column, physical]) =>
          compareColumn(`${place}.${name}`, column, physical, found.checks),
        )
      : []),
    ...(wanted.indexes ? compareIndexes(place, wanted.indexes, wanted.passing, found) : []),
  ];
}

function compareColumn(
  place: string,
  wanted: ExpectedColumn | undefined,
  found: PhysicalColumn | undefined,
  checks: readonly PhysicalCheck[],
): Finding[] {
  if (!found) return [finding('column_missing', place, 'the metadata knows a column here')];
  if (!wanted) return [finding('column_unknown', place, 'the metadata knows no such column')];
  const own = checks.filter(({ columns }) => columns.includes(found.name));
  const held = own.filter((check) => !isNotNull(check));
  const required = found.notNull || own.some(isNotNull);
  const is = ({ type, collation }: Pick<ExpectedColumn, 'type' | 'collation'>) =>
    collation === null || collation === 'default' ? type : `${type} collate ${collation}`;
  return [
    ...(is(wanted) === is(found)
      ? []
      : [finding('type_differs', place, `is ${is(found)}, the metadata says ${is(wanted)}`)]),
    ...(wanted.required === undefined || wanted.required === required
      ? []
      : [
          finding(
            'required_differs',
            place,
            wanted.required ? 'takes nulls, the metadata says required' : 'takes no nulls, the metadata says it does',
          ),
        ]),
    ...(wanted.checked && held.length === 0
      ? [finding('check_missing', place, 'has lost the condition of its type')]
      : []),
    ...comments(place, wanted.comment, found.comment),
  ];
}

/** A condition that only says that a value is there, of all rows or of the live ones. */
const isNotNull = ({ definition }: PhysicalCheck): boolean => definition.includes(' IS NOT NULL)');

function compareIndexes(
  place: string,
  wanted: ReadonlyMap<string, boolean>,
  passing: ReadonlySet<string> = new Set(),
  { indexes }: PhysicalRelation,
): Finding[] {
  const at = (name: string) => `${place} (index ${name})`;
  const found = byName(indexes);
  return [
    ...[...wanted].flatMap(([name, unique]) => {
      const index = found.get(name);
      if (!index) return [finding('index_missing', at(name), 'is not there')];
      if (!index.valid) return [finding('index_invalid', at(name), 'was not built to its end')];
      return index.unique === unique ? [] : [finding('index_differs', at(name), 'does not hold values unique')];
    }),
    ...indexes
      .filter(({ name }) => !wanted.has(name) && !passing.has(name))
      .map(({ name }) => finding('index_unknown', at(name), 'the metadata knows no such index')),
  ];
}

function compareViews({ schema, views }: ExpectedBase, { relations }: PhysicalBase): Finding[] {
  const found = relations.filter(({ kind }) => kind === 'view');
  return pairs(views, found).flatMap(([name, view, physical]) => {
    const place = `${schema}.${name}`;
    if (!physical) return [finding('view_missing', place, 'the next change of the structure of its table makes it')];
    if (!view) return [finding('view_unknown', place, 'is no view of a table that is there')];
    const columns = physical.columns.map((column) => column.name);
    return [
      ...comments(place, view.comment, physical.comment),
      ...(JSON.stringify(columns) === JSON.stringify(view.columns)
        ? []
        : [finding('view_differs', place, 'has other columns than its table')]),
    ];
  });
}

function compareStreams({ schema, streams }: ExpectedBase, physical: PhysicalBase): Finding[] {
  const found = new Map(physical.streams.map(({ tableId, schemaVersion }) => [tableId, schemaVersion]));
  const at = (tableId: string) => `${schema}._stream (table ${tableId})`;
  return [
    ...[...streams].flatMap(([id, version]) => {
      const is = found.get(id);
      if (is === undefined) return [finding('stream_missing', at(id), 'is not there')];
      const detail = `is at schema version ${is}, the metadata at ${version}`;
      return is === version ? [] : [finding('version_differs', at(id), detail)];
    }),
    ...[...found.keys()]
      .filter((id) => !streams.has(id))
      .map((id) => finding('stream_unknown', at(id), 'the metadata knows no such table')),
  ];
}
