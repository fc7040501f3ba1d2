import fc from 'fast-check';
import {
  AGGREGATE_FUNCTIONS,
  BUCKETS,
  canRollUp,
  CursorCodec,
  kindOf,
  resolveGroups,
  valueType,
  type AggregateInput,
  type ColumnSchema,
  type GroupInput,
  type GroupRequest,
  type TableSchema,
} from '../../src/query/index.js';
import { filter, sort } from './arbitraries.js';
import { NOW, table } from './schema.js';

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia'];

/** What is asked of groups but for their filter, page and count; `having` is in the JSON syntax. */
export interface GroupQuery extends Pick<GroupRequest, 'groupBy' | 'aggregates' | 'sort' | 'timeZone'> {
  readonly havingJson?: unknown;
}

const bucketsOf = (column: ColumnSchema): readonly string[] => {
  const { type, list } = kindOf(column);
  if (list || (type !== 'date' && type !== 'datetime')) return [];
  return BUCKETS.filter((unit) => type === 'datetime' || unit !== 'hour');
};

const groupOf = (column: ColumnSchema): fc.Arbitrary<GroupInput> => {
  const buckets = bucketsOf(column);
  const plain = fc.constant({ field: column.key });
  if (buckets.length === 0) return plain;
  return fc.oneof(
    plain,
    fc.constantFrom(...buckets).map((bucket) => ({ field: column.key, bucket })),
  );
};

/** By up to three columns, the same one twice among them; names that are taken get a number. */
function groupBy({ columns }: TableSchema): fc.Arbitrary<GroupInput[]> {
  const groupable = columns.filter((column) => valueType(column).sortable !== false);
  return fc
    .array(fc.constantFrom(...groupable).chain(groupOf), { maxLength: 3 })
    .map((groups) =>
      groups.map((group, i) => (i === 0 ? group : { ...group, as: `${group.field.slice(0, 50)}_${i}` })),
    );
}

type Fits = (column: ColumnSchema, fn: string) => boolean;

function aggregates({ columns }: TableSchema, fits: Fits): fc.Arbitrary<AggregateInput[]> {
  const possible: Omit<AggregateInput, 'as'>[] = columns.flatMap((column) =>
    AGGREGATE_FUNCTIONS.filter((fn) => canRollUp(kindOf(column), fn) && fits(column, fn)).map((fn) => ({
      fn,
      field: column.key,
    })),
  );
  return fc
    .array(
      fc.oneof(
        { weight: 1, arbitrary: fc.constant({ fn: 'count' }) },
        { weight: 8, arbitrary: fc.constantFrom(...possible) },
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((list) => list.map((each, i) => ({ as: `x${i}`, ...each })));
}

/** The columns of the answer, whose kinds follow from what is asked. */
function outputsOf(of: TableSchema, query: GroupQuery): TableSchema {
  const request = { ...query, sort: [], limit: 1, count: 'none' } as const;
  const { plan } = resolveGroups(request, of, { where: { kind: 'true' } }, new CursorCodec(Buffer.alloc(32)), {
    now: NOW,
  });
  return table([...plan.groups, ...plan.aggregates].map(({ output }) => output));
}

/** A question for groups of the table. `fits` leaves out what the oracle cannot know to the last digit. */
export function groupQuery(of: TableSchema, fits: Fits = () => true): fc.Arbitrary<GroupQuery> {
  return fc
    .record({ groupBy: groupBy(of), aggregates: aggregates(of, fits), timeZone: fc.constantFrom(...ZONES) })
    .chain((asked) => {
      const outputs = outputsOf(of, { ...asked, sort: [] });
      // Ids of rows cannot be made up.
      const known = table(outputs.columns.filter((column) => kindOf(column).type !== 'link'));
      const having = known.columns.length === 0 ? fc.constant(undefined) : fc.option(filter(known), { nil: undefined });
      return fc.record({ ...constants(asked), sort: sort(outputs), havingJson: having });
    });
}

const constants = <T extends object>(of: T): { readonly [K in keyof T]: fc.Arbitrary<T[K]> } =>
  Object.fromEntries(Object.entries(of).map(([key, value]) => [key, fc.constant(value)])) as {
    readonly [K in keyof T]: fc.Arbitrary<T[K]>;
  };
