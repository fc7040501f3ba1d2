import { textArray } from './text-array.js';

/**
 * SQL as a type, not a string. A fragment is made by the `sql` template only, and the template accepts nothing but other
 * fragments: identifiers through {@link ident}, constants of ours through {@link literal}, everything from outside through
 * {@link value}. So no text from a request can ever become part of a statement.
 */
export class Sql {
  /** @internal use the `sql` template */
  constructor(readonly parts: readonly Part[]) {}
}

class Parameter {
  constructor(
    readonly value: SqlValue,
    readonly type: string,
  ) {}
}

/** Where a statement has the moment that it is asked at. */
const CLOCK = Symbol('clock');

type Part = string | Parameter | typeof CLOCK;

/** What a driver is handed: scalars as they are, lists as PostgreSQL arrays, bytes as a value in PostgreSQL's binary form. */
export type SqlValue = string | number | boolean | null | readonly (string | number | boolean | null)[] | Buffer;

/** A statement ready for a driver: text with `$1…`, values in that order. */
export interface Statement {
  readonly text: string;
  readonly values: SqlValue[];
}

/** Physical types that a value may be bound as. */
export type SqlType =
  | 'text'
  | 'bigint'
  | 'integer'
  | 'numeric'
  | 'real'
  | 'double precision'
  | 'boolean'
  | 'date'
  | 'timestamptz'
  | 'uuid'
  | 'json'
  | 'jsonb';

/** Collects parts. Neighbouring texts become one, so that a fragment without values is one part however deep it was built. */
class Parts {
  readonly list: Part[] = [];
  private text = '';

  addText(text: string): void {
    this.text += text;
  }

  add(fragment: Sql): void {
    for (const part of fragment.parts) {
      if (typeof part === 'string') this.text += part;
      else {
        this.flush();
        this.list.push(part);
      }
    }
  }

  toSql(): Sql {
    this.flush();
    return new Sql(this.list);
  }

  private flush(): void {
    if (this.text !== '') this.list.push(this.text);
    this.text = '';
  }
}

/** The SQL template. Interpolations must be fragments. */
export function sql(strings: TemplateStringsArray, ...fragments: readonly Sql[]): Sql {
  const parts = new Parts();
  for (const [i, text] of strings.entries()) {
    parts.addText(text);
    const fragment = fragments[i];
    if (fragment) parts.add(fragment);
  }
  return parts.toSql();
}

/** A bound value; `$n::type` in the text, so that its type never depends on what surrounds it. */
export const value = (v: SqlValue, type: SqlType | `${SqlType}[]`): Sql => new Sql([new Parameter(v, type)]);

/** The moment that is now, or that {@link withClock} or {@link toStatement} are given for it. */
export const clock: Sql = new Sql([CLOCK]);
const NOW = 'now()';
const MYSQL_NOW = 'utc_timestamp(3)';

/** The same with a moment for what is now, which is said in the words of the database. */
export const withClock = (fragment: Sql, moment: Sql): Sql =>
  new Sql(fragment.parts.flatMap((part) => (part === CLOCK ? moment.parts : [part])));

/** A bound list of many texts, one value for all; dearer than {@link value} to make for a few, and much cheaper for PostgreSQL to read. */
export const texts = (list: readonly (string | null)[]): Sql => new Sql([new Parameter(textArray(list), 'text[]')]);

/** A bound value that takes its type from what is around it, such as the column that it is stored in. */
export const untyped = (v: string | null): Sql => new Sql([new Parameter(v, '')]);

/** A quoted identifier, optionally qualified. PostgreSQL manual 4.1.1: a quote inside is doubled, NUL cannot occur. */
export function ident(...names: readonly string[]): Sql {
  return new Sql([names.map(quoteIdentifier).join('.')]);
}

function quoteIdentifier(name: string): string {
  if (name.includes('\0') || name.length === 0) throw new Error('identifier is empty or holds NUL');
  return '"' + name.replaceAll('"', '""') + '"';
}

/** A string constant from metadata (JSON keys, comments) that should not cost a parameter. Relies on standard_conforming_strings, which the pool sets. */
export function literal(text: string): Sql {
  if (text.includes('\0')) throw new Error('literal holds NUL');
  return new Sql(["'" + text.replaceAll("'", "''") + "'"]);
}

/** An integer constant of ours. */
export function integer(n: number): Sql {
  if (!Number.isSafeInteger(n)) throw new Error('not a safe integer');
  return new Sql([String(n)]);
}

/** Fragments with a separator between them. */
export function join(fragments: readonly Sql[], separator: Sql): Sql {
  const parts = new Parts();
  for (const [i, fragment] of fragments.entries()) {
    if (i > 0) parts.add(separator);
    parts.add(fragment);
  }
  return parts.toSql();
}

export const empty: Sql = new Sql([]);
export const comma: Sql = sql`, `;

/** The same for MySQL: parameters are `?`, and take their type from what is around them. */
export function toPositional(fragment: Sql): Statement {
  const values: SqlValue[] = [];
  let text = '';
  for (const part of fragment.parts) {
    if (part instanceof Parameter) {
      text += '?';
      values.push(part.value);
    } else text += typeof part === 'string' ? part : MYSQL_NOW;
  }
  return { text, values };
}

/**
 * The same with its values as constants, for what is kept and cannot have parameters: the text of a view. Values of statements stay
 * parameters. Relies on standard_conforming_strings, as {@link literal} does.
 */
export const inlined = (fragment: Sql): Sql =>
  join(
    fragment.parts.map((part) => (part instanceof Parameter ? constant(part) : new Sql([part]))),
    empty,
  );

function constant({ value: v, type }: Parameter): Sql {
  if (Buffer.isBuffer(v)) throw new Error('a value in binary form is no constant');
  const cast = type === '' ? empty : new Sql([`::${type}`]);
  const one = (each: Exclude<SqlValue, readonly unknown[]>): Sql => (each === null ? sql`null` : literal(String(each)));
  if (!Array.isArray(v)) return sql`${one(v as Exclude<SqlValue, readonly unknown[]>)}${cast}`;
  return sql`array[${join((v as Exclude<SqlValue, readonly unknown[]>[]).map(one), comma)}]${cast}`;
}

/**
 * Numbers the parameters and yields driver input.
 * @param at what it says that now is; the time of PostgreSQL's transaction without it
 */
export function toStatement(fragment: Sql, at?: Date): Statement {
  const values: SqlValue[] = [];
  let text = '';
  for (const part of fragment.parts) {
    if (typeof part === 'string') text += part;
    else if (part instanceof Parameter)
      text += `$${values.push(part.value)}${part.type === '' ? '' : `::${part.type}`}`;
    else text += at ? `$${values.push(at.toISOString())}::timestamptz` : NOW;
  }
  return { text, values };
}
