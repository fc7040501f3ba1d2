import type { ObjectColumn, ObjectSchema } from '../../object-schema.js';
import { kindOf } from '../../kind.js';
import { columnType } from '../../types/index.js';
import { comma, ident, join, literal, sql, value, type Sql, type SqlType } from '../../sql.js';
import { STAGED_KEY, stagedColumn, stagedTable } from './relation.js';

/** A copy of some columns of an external object, for one statement. */
export interface Stage {
  /** The place of the view that the object stands in. */
  readonly place: number;
  readonly object: ObjectSchema;
  /** What is copied: the columns that are needed; of an object without a key all, for they are what tells its rows apart. */
  readonly columns: readonly ObjectColumn[];
}

/** The columns under the names that {@link compileStageRows} knows them by. */
export const namedForStage = ({ object, columns }: Stage): readonly ObjectColumn[] =>
  columns.map((column) => ({ ...column, key: nameIn(object, column) }));

const nameIn = ({ columns }: ObjectSchema, { key }: ObjectColumn): string =>
  stagedColumn(columns.findIndex((each) => each.key === key));

const TYPES: Readonly<Partial<Record<SqlType, Sql>>> = {
  bigint: sql`bigint`,
  numeric: sql`numeric`,
  boolean: sql`boolean`,
  date: sql`date`,
  timestamptz: sql`timestamptz`,
  jsonb: sql`jsonb`,
};

/** Canonical values, as columns of ours hold them. */
function typeOf(column: ObjectColumn): Sql {
  const { bind, collation } = columnType(kindOf(column).type);
  const type = TYPES[bind] ?? sql`text`;
  return collation ? sql`${type} ${collation}` : type;
}

/** Instants to the millisecond, as all of ours are: what is shown of a row at the edge of a page must say where the next one begins. */
const stagedCell = (column: ObjectColumn, cell: Sql): Sql =>
  columnType(kindOf(column).type).bind === 'timestamptz' ? sql`date_trunc('milliseconds', ${cell})` : cell;

/** Gone with the end of the transaction. */
export function compileStage({ place, object, columns }: Stage): Sql {
  const all = columns.map((column) => sql`${ident(nameIn(object, column))} ${typeOf(column)}`);
  return sql`create temporary table ${stagedTable(place)} (${join([...all, sql`${ident(STAGED_KEY)} text collate "C"`], comma)}) on commit drop`;
}

/** Adds rows `{"fields":{…}}` of {@link namedForStage} columns, given with commas between. */
export function compileStageRows({ place, object, columns }: Stage, rows: string): Sql {
  const names = columns.map((column) => ident(nameIn(object, column)));
  const cells = columns.map((column) => stagedCell(column, sql`x.${ident(nameIn(object, column))}`));
  const typed = columns.map((column) => sql`${ident(nameIn(object, column))} ${typeOf(column)}`);
  const key = object.key.length > 0 ? object.key : undefined;
  const identity = key
    ? join(
        key.map((column) => sql`(e.value -> 'fields' -> ${literal(nameIn(object, column))})::text`),
        sql` || ',' || `,
      )
    : sql`md5((e.value -> 'fields')::text)`;
  return sql`insert into ${stagedTable(place)} (${join([...names, ident(STAGED_KEY)], comma)})
select ${join([...cells, identity], comma)}
from json_array_elements(${value(`[${rows}]`, 'json')}) e cross join lateral json_to_record(e.value -> 'fields') as x(${join(typed, comma)})`;
}

/** Numbers rows that are alike, where the object has no key. */
export const compileStageKeys = ({ place, object }: Stage): Sql | undefined =>
  object.key.length > 0
    ? undefined
    : sql`update ${stagedTable(place)} s set ${ident(STAGED_KEY)} = n.key
from (select ctid as at, ${ident(STAGED_KEY)} || '#' || row_number() over (partition by ${ident(STAGED_KEY)}) as key from ${stagedTable(place)}) n
where s.ctid = n.at`;

/** Tells the planner how much there is. */
export const compileStageAnalysis = ({ place }: Stage): Sql => sql`analyze ${stagedTable(place)}`;
