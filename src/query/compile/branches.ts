import type { CellValue } from '../schema.js';
import { comma, empty, join, sql, type Sql } from '../sql.js';

/** What rows are ordered by, one key of several. */
export interface OrderKey {
  readonly sql: Sql;
  /** The same of a value that a cursor brought back. */
  readonly bind: (cell: CellValue) => Sql;
  readonly nullable: boolean;
  readonly dir: 'asc' | 'desc';
}

/** Some of the rows behind a position, and the keys (by index) that are not null in any of them. */
export interface Branch {
  readonly where: Sql;
  readonly notNull: ReadonlySet<number>;
}

/** How rows are compared with a position. */
interface Comparing {
  /** The row at the position is among them. */
  readonly inclusive?: boolean;
  /** Whether `(a, b) > (x, y)` holds as soon as `a > x` does, also where `b` is null. */
  readonly comparesRowsWithNulls?: boolean;
}

/**
 * The rows behind a position, as branches that exclude each other, each of which one index range can answer; the caller
 * unites them. One `OR` over the same conditions makes PostgreSQL scan the table. An empty list: nothing is behind.
 * Null is the smallest value.
 *
 * With `inclusive` the row at the position is among them. Where all keys from some point on have one direction and no null in the position, a row comparison covers them at once.
 */
export function branchesBehind(
  keys: readonly OrderKey[],
  position: readonly CellValue[],
  { inclusive = false, comparesRowsWithNulls = true }: Comparing = {},
): readonly Branch[] {
  const all = keys.map((key, i) => ({ ...key, at: position[i] ?? null, i }));
  const branches: Branch[] = [];
  let tied = TIED;
  for (const [i, key] of all.entries()) {
    const rest = all.slice(i);
    const comparable = comparesRowsWithNulls || rest.every(({ nullable }) => !nullable);
    if (comparable && rest.every(({ dir, at }) => dir === key.dir && at !== null)) {
      branches.push(and(tied, rowComparison(rest, inclusive), key));
      if (key.dir === 'desc') branches.push(...nullTails(rest, tied));
      return branches;
    }
    branches.push(...behind(key, tied));
    tied = tiedBy(tied, key);
  }
  return branches;
}

interface PositionedKey extends OrderKey {
  readonly at: CellValue;
  readonly i: number;
}

/** Rows whose keys in front have the values of the position. */
const TIED: Branch = { where: empty, notNull: new Set() };

/** A branch with one more condition; `key` is not null where it holds. */
const and = (branch: Branch, condition: Sql, key?: PositionedKey): Branch => ({
  where: branch === TIED ? condition : sql`${branch.where} and ${condition}`,
  notNull: key ? new Set([...branch.notNull, key.i]) : branch.notNull,
});

const tiedBy = (branch: Branch, key: PositionedKey): Branch =>
  key.at === null ? and(branch, sql`${key.sql} is null`) : and(branch, sql`${key.sql} = ${key.bind(key.at)}`, key);

function rowComparison(rest: readonly PositionedKey[], inclusive: boolean): Sql {
  const left = join(
    rest.map((key) => key.sql),
    comma,
  );
  const right = join(
    rest.map((key) => key.bind(key.at)),
    comma,
  );
  const op = rest[0]?.dir === 'desc' ? sql`<` : sql`>`;
  return sql`(${left}) ${op}${inclusive ? sql`=` : empty} (${right})`;
}

/** Descending, nulls come last: behind any value, but a row comparison with a null is not true, so they need branches of their own. */
function nullTails(rest: readonly PositionedKey[], tied: Branch): Branch[] {
  let equal = tied;
  return rest.flatMap((key) => {
    const branch = key.nullable ? [and(equal, sql`${key.sql} is null`)] : [];
    equal = tiedBy(equal, key);
    return branch;
  });
}

function behind(key: PositionedKey, tied: Branch): Branch[] {
  if (key.at === null) return key.dir === 'asc' ? [and(tied, sql`${key.sql} is not null`, key)] : [];
  if (key.dir === 'asc') return [and(tied, sql`${key.sql} > ${key.bind(key.at)}`, key)];
  const smaller = and(tied, sql`${key.sql} < ${key.bind(key.at)}`, key);
  return key.nullable ? [smaller, and(tied, sql`${key.sql} is null`)] : [smaller];
}
