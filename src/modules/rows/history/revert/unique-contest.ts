import { must, type Id } from '../../../../common/index.js';
import {
  identityOf,
  uniqueIdentityOf,
  type CellValue,
  type ColumnSchema,
  type Comparing,
  type Scalar,
} from '../../../../query/index.js';

/*
 * Which of the values that rows are to get back at once there can be, where no two rows may have the same. What a row holds and keeps it has; what a
 * row gives up is free for another. Whoever cannot have a value keeps the one that it has, which may be what yet another row was to get; and so on,
 * until nothing changes any more.
 */

/** Columns in all of which no two live rows have the same values, and how the index compares them. */
export interface UniqueKey {
  readonly columns: readonly ColumnSchema[];
  readonly comparing: Comparing;
}

/** A row that is to get values, or that comes back. */
export interface Contestant {
  readonly id: Id;
  /** Out of the trash. */
  readonly comes: boolean;
  /** What it holds, or held when it went. */
  readonly held: (column: ColumnSchema) => CellValue;
  /** What it is to get. */
  readonly values: ReadonlyMap<ColumnSchema, CellValue>;
}

/** What a row comes to. */
export interface Settled {
  readonly id: Id;
  readonly comes: boolean;
  /** Of what it was to get, what it gets. */
  readonly values: ReadonlyMap<ColumnSchema, CellValue>;
  /** What a row that comes back must have from the start: it could not be there with what it held. */
  readonly withIt: ReadonlyMap<ColumnSchema, CellValue>;
  /** What it cannot have: there it stays as it is, or is empty where it comes back. */
  readonly lost: readonly ColumnSchema[];
  /** The columns that are unique together, of each that was lost for it. */
  readonly lostFor: ReadonlyMap<ColumnSchema, readonly ColumnSchema[]>;
  /** The columns for which it cannot come back at all. */
  readonly staysFor?: {
    readonly code: 'row_value_taken' | 'row_value_missing';
    readonly columns: readonly ColumnSchema[];
  };
  /** Holds what another one of these rows gets. */
  readonly gives: boolean;
}

/** For each of the tuples of values, whether a row has it that is none of the contestants. */
export type Ask = (key: UniqueKey, tuples: readonly (readonly Scalar[])[]) => Promise<readonly boolean[]>;

/** What is demanded of the rows of a table. */
export interface Demands {
  readonly keys: readonly UniqueKey[];
  /** What a row that comes back has to have. */
  readonly required: readonly ColumnSchema[];
  /** Whether a row may come back without a value that it cannot have. */
  readonly canBeEmpty: (column: ColumnSchema) => boolean;
}

/** The first in order gets what several ask for. */
export async function contest(
  { keys, required, canBeEmpty }: Demands,
  contestants: readonly Contestant[],
  ask: Ask,
): Promise<readonly Settled[]> {
  const claims = contestants.map((each) => new Claim(each, canBeEmpty));
  const taken = new Map(keys.map((key) => [key, new Map<string, boolean>()]));
  for (;;) {
    for (const [key, known] of taken) await learn(key, known, claims, ask);
    if (!round(claims, taken)) break;
    // Where one after the other gives in, there are as many rounds as rows: everybody else has a turn between them.
    await new Promise(setImmediate);
  }
  for (const claim of claims) claim.mustHave(required);
  const given = new Set(keys.flatMap((key) => givers(key, claims)));
  return claims.map((claim) => claim.settled(keys, required, given.has(claim)));
}

class Claim {
  private readonly values: Map<ColumnSchema, CellValue>;
  private readonly empty = new Set<ColumnSchema>();
  private readonly lost = new Map<ColumnSchema, readonly ColumnSchema[]>();
  private readonly fallen = new Set<UniqueKey>();
  private staysFor: Settled['staysFor'];
  private readonly held = new Map<UniqueKey, Tuple | undefined>();
  /** Good until it gives in. */
  private readonly wanted = new Map<UniqueKey, Tuple | undefined>();

  constructor(
    private readonly row: Contestant,
    private readonly canBeEmpty: Demands['canBeEmpty'],
  ) {
    this.values = new Map(row.values);
  }

  /** What it comes to hold under a key; undefined where a value is empty, which is never the same as another. */
  wants(key: UniqueKey): Tuple | undefined {
    if (this.staysFor) return undefined;
    if (!this.wanted.has(key))
      this.wanted.set(
        key,
        tupleOf(key, (column) => this.final(column)),
      );
    return this.wanted.get(key);
  }

  /** What it holds now. */
  holds(key: UniqueKey): Tuple | undefined {
    if (this.row.comes) return undefined;
    if (!this.held.has(key)) this.held.set(key, tupleOf(key, this.row.held));
    return this.held.get(key);
  }

  /** Whether it asks for what it held when it went, since it cannot have what it was to get. */
  fell(key: UniqueKey): boolean {
    return this.fallen.has(key);
  }

  /** It cannot have what it {@link wants}. */
  giveIn(key: UniqueKey): void {
    this.wanted.clear();
    const asked = key.columns.filter((column) => this.values.delete(column));
    for (const column of asked) this.lost.set(column, key.columns);
    if (!this.row.comes) return;
    const [first, ...others] = key.columns;
    if (asked.length > 0) this.fallen.add(key);
    // With one of several emptied it would be another row than it was.
    else if (first && others.length === 0 && this.canBeEmpty(first)) this.lose(first);
    else this.staysFor = { code: 'row_value_taken', columns: key.columns };
  }

  mustHave(required: readonly ColumnSchema[]): void {
    if (!this.row.comes || this.staysFor) return;
    const missing = required.filter((column) => this.final(column) === null);
    if (missing.length > 0) this.staysFor = { code: 'row_value_missing', columns: missing };
  }

  settled(keys: readonly UniqueKey[], required: readonly ColumnSchema[], gives: boolean): Settled {
    const withIt = new Map<ColumnSchema, CellValue>();
    if (this.row.comes) {
      const moved = keys.filter((key) => tupleOf(key, this.row.held)?.name !== this.wants(key)?.name);
      const missing = required.filter((column) => this.row.held(column) === null);
      for (const column of [...moved.flatMap(({ columns }) => columns), ...missing])
        if (this.values.has(column) || this.empty.has(column)) withIt.set(column, this.final(column));
    }
    return {
      ...{ id: this.row.id, comes: this.row.comes, withIt, lost: [...this.lost.keys()], lostFor: this.lost, gives },
      values: new Map([...this.values].filter(([column]) => !withIt.has(column))),
      ...(this.staysFor ? { staysFor: this.staysFor } : {}),
    };
  }

  private lose(column: ColumnSchema): void {
    this.empty.add(column);
    this.lost.set(column, [column]);
  }

  private final(column: ColumnSchema): CellValue {
    if (this.empty.has(column)) return null;
    const value = this.values.get(column);
    return value === undefined ? this.row.held(column) : value;
  }
}

/** Values under a key, and a text that they share with equal ones. */
interface Tuple {
  readonly name: string;
  readonly values: readonly Scalar[];
}

function tupleOf({ columns, comparing }: UniqueKey, cell: (column: ColumnSchema) => CellValue): Tuple | undefined {
  const values: Scalar[] = [];
  for (const column of columns) {
    const value = cell(column);
    if (value === null || typeof value === 'object') return undefined;
    values.push(value);
  }
  const name = comparing === 'as they are' ? identityOf : uniqueIdentityOf;
  return { name: JSON.stringify(columns.map((column, i) => name(column, must(values[i], 'each has one')))), values };
}

/** Those that come to hold something else than they do, with what that is, in order; those that fall back to what they held come last. */
function moving(key: UniqueKey, claims: readonly Claim[]): readonly { readonly claim: Claim; readonly to: Tuple }[] {
  const found = claims.flatMap((claim) => {
    const to = claim.wants(key);
    return to === undefined || to.name === claim.holds(key)?.name ? [] : [{ claim, to }];
  });
  return [...found.filter(({ claim }) => !claim.fell(key)), ...found.filter(({ claim }) => claim.fell(key))];
}

async function learn(key: UniqueKey, known: Map<string, boolean>, claims: readonly Claim[], ask: Ask): Promise<void> {
  const open = new Map(moving(key, claims).flatMap(({ to }) => (known.has(to.name) ? [] : [[to.name, to.values]])));
  if (open.size === 0) return;
  const answers = await ask(key, [...open.values()]);
  for (const [i, name] of [...open.keys()].entries()) known.set(name, answers[i] ?? false);
}

/** Whether some row had to give in. Those that ask for what others keep come first: who is left then may ask for the same. */
function round(claims: readonly Claim[], taken: ReadonlyMap<UniqueKey, ReadonlyMap<string, boolean>>): boolean {
  const found = (contested: boolean): boolean =>
    [...taken].map(([key, known]) => giveIn(key, known, claims, contested)).includes(true);
  return found(false) || found(true);
}

function giveIn(
  key: UniqueKey,
  known: ReadonlyMap<string, boolean>,
  claims: readonly Claim[],
  contested: boolean,
): boolean {
  const asking = new Map<string, Claim[]>();
  for (const { claim, to } of moving(key, claims)) {
    const own = asking.get(to.name);
    if (own) own.push(claim);
    else asking.set(to.name, [claim]);
  }
  const kept = claims.flatMap((claim) => {
    const held = claim.holds(key);
    return held && held.name === claim.wants(key)?.name ? [held.name] : [];
  });
  const losers = contested
    ? [...asking.values()].flatMap(([, ...others]) => others)
    : [...[...known].flatMap(([name, isTaken]) => (isTaken ? [name] : [])), ...kept].flatMap(
        (name) => asking.get(name) ?? [],
      );
  const lost = new Set<Claim>();
  for (let claim = losers.pop(); claim; claim = losers.pop()) {
    if (lost.has(claim)) continue;
    lost.add(claim);
    claim.giveIn(key);
    // It keeps what it holds, which another one may have asked for.
    const keeps = claim.holds(key);
    if (keeps) losers.push(...(asking.get(keeps.name) ?? []));
  }
  return lost.size > 0;
}

/** Those that hold what others get, whether they get something else or nothing. */
function givers(key: UniqueKey, claims: readonly Claim[]): readonly Claim[] {
  const got = new Set(moving(key, claims).map(({ to }) => to.name));
  return claims.filter((claim) => {
    const held = claim.holds(key);
    return held !== undefined && got.has(held.name) && claim.wants(key)?.name !== held.name;
  });
}
