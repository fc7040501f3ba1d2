import {
  cleanName,
  COLOR_RULE,
  deriveKey,
  foldName,
  invalid,
  isColor,
  pointer,
  Problem,
  type ProblemItem,
} from '../../../common/index.js';
import { COLUMN_TYPES, type ColumnTypeName } from '../../../query/index.js';
import { MAX_ICON } from '../appearance.dto.js';
import { MAX_VIEWS_OF_DOCUMENT } from '../views-of-bases.js';
import { MAX_DESCRIPTION } from '../tables/table.dto.js';

export const TEMPLATE_FORMAT = 'live-tables/template@1';

/** A base as a document. Tables, columns and rows are named by keys of the document; ids are made when it is used. */
export interface Template extends Look {
  readonly name?: string;
  readonly tables: readonly TemplateTable[];
  /** Not looked at yet: what they may speak of is known when the tables are. */
  readonly views: readonly unknown[];
}

export interface TemplateTable extends Look {
  readonly key: string;
  readonly name: string;
  /** Keys of its columns, also of those that links of other tables bring; what is not named comes last. */
  readonly order?: readonly string[];
  readonly columns: readonly TemplateColumn[];
  readonly rows: readonly TemplateRow[];
}

export interface TemplateColumn {
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly type: ColumnTypeName;
  readonly required: boolean;
  readonly unique: boolean;
  readonly default?: unknown;
  /** As for a new column; but links name a `table`, computed columns a `linkColumn` and a `column`, by key. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface TemplateRow {
  /** What links to the row call it. */
  readonly ref?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Checking a column takes longer the more there are, so a document may have fewer than a base. */
const LIMITS = { tables: 200, columns: 2_000, rows: 5_000, views: MAX_VIEWS_OF_DOCUMENT, findings: 100 } as const;

/** What people are shown of a base or table beside its name. */
interface Look {
  readonly description: string | null;
  readonly color: string | null;
  readonly icon: string | null;
}
const LOOK = ['description', 'color', 'icon'] as const;
const COLUMN = ['key', 'name', 'description', 'type', 'required', 'unique', 'default', 'options'] as const;

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads a document, by hand: its members are named by people, and all findings are reported at once, each with its place below `at`.
 * @throws Problem `validation_failed`, `limit_reached`
 */
export function readTemplate(input: unknown, at: string): Template {
  return new TemplateReader().read(input, at);
}

class TemplateReader {
  private readonly errors: ProblemItem[] = [];
  private columns = 0;
  private rows = 0;

  read(input: unknown, at: string): Template {
    const body = this.members(input, at, [
      'format',
      'name',
      ...LOOK,
      'tables',
      'views',
      'rowsCappedAt',
      'viewsLeftOut',
    ]);
    if (body.format !== TEMPLATE_FORMAT)
      this.refuse(`${at}/format`, 'unknown_format', `format is ${JSON.stringify(TEMPLATE_FORMAT)}.`);
    if (body.rowsCappedAt !== undefined && !Number.isSafeInteger(body.rowsCappedAt))
      this.refuse(`${at}/rowsCappedAt`, 'is_int', 'A number of rows is expected.');
    const entries = this.list(body.tables, `${at}/tables`, LIMITS.tables);
    const keys = this.keysOf(entries, `${at}/tables`);
    const template: Template = {
      ...(body.name === undefined ? {} : { name: this.name(body.name, `${at}/name`) }),
      ...this.look(body, at),
      tables: entries.map((entry, i) => this.table(entry, `${at}/tables/${i}`, keys[i] ?? '')),
      views: this.views(body.views ?? [], `${at}/views`),
    };
    if (body.viewsLeftOut !== undefined) this.list(body.viewsLeftOut, `${at}/viewsLeftOut`, Number.MAX_SAFE_INTEGER);
    if (this.errors.length > 0) throw invalid(this.errors.slice(0, LIMITS.findings));
    return template;
  }

  private table(input: unknown, at: string, key: string): TemplateTable {
    const body = this.members(input, at, ['key', 'name', ...LOOK, 'order', 'columns', 'rows']);
    const columns = this.list(body.columns ?? [], `${at}/columns`, LIMITS.columns);
    const rows = this.list(body.rows ?? [], `${at}/rows`, LIMITS.rows);
    this.count(columns.length, rows.length);
    const keys = this.keysOf(columns, `${at}/columns`);
    return {
      key,
      name: this.name(body.name, `${at}/name`),
      ...this.look(body, at),
      ...(body.order === undefined ? {} : { order: this.order(body.order, `${at}/order`) }),
      columns: columns.map((column, i) => this.column(column, `${at}/columns/${i}`, keys[i] ?? '')),
      rows: rows.map((row, i) => this.row(row, `${at}/rows/${i}`)),
    };
  }

  private column(input: unknown, at: string, key: string): TemplateColumn {
    const body = this.members(input, at, COLUMN);
    const type = COLUMN_TYPES.find((known) => known === body.type);
    if (!type) this.refuse(`${at}/type`, 'is_in', `type is one of ${COLUMN_TYPES.join(', ')}.`);
    return {
      key,
      name: this.name(body.name, `${at}/name`),
      description: this.text(body.description, `${at}/description`),
      type: type ?? 'text',
      required: this.flag(body.required, `${at}/required`),
      unique: this.flag(body.unique, `${at}/unique`),
      ...(body.default === undefined ? {} : { default: body.default }),
      options: body.options === undefined ? {} : this.members(body.options, `${at}/options`),
    };
  }

  private row(input: unknown, at: string): TemplateRow {
    const { ref, fields } = this.members(input, at, ['ref', 'fields']);
    if (ref !== undefined && (typeof ref !== 'string' || ref.length === 0 || ref.length > 64))
      this.refuse(`${at}/ref`, 'is_ref', 'ref is a word of 1 to 64 characters.');
    return { ...(typeof ref === 'string' ? { ref } : {}), fields: this.members(fields, `${at}/fields`) };
  }

  private views(input: unknown, at: string): readonly unknown[] {
    const views = this.list(input, at, LIMITS.views);
    for (const [i, view] of views.entries())
      this.members(view, `${at}/${i}`, ['name', 'description', 'definition', 'settings']);
    this.mustDiffer(views, at);
    return views;
  }

  /** Keys that are given come first, so that none that is derived takes one of them. */
  private keysOf(entries: readonly unknown[], at: string): string[] {
    const taken = new Set<string>();
    const given = entries.map((entry, i) => {
      const key = isObject(entry) ? entry.key : undefined;
      if (key === undefined) return undefined;
      // A key that would be derived from itself is one that we could have made.
      if (typeof key === 'string' && key.length <= 48 && deriveKey(key) === key && !taken.has(key)) {
        taken.add(key);
        return key;
      }
      this.refuse(
        `${at}/${i}/key`,
        'is_key',
        'A key has lower-case letters, digits and underscores, at most 48, is no reserved word, and occurs once.',
      );
      return undefined;
    });
    this.mustDiffer(entries, at);
    return entries.map((entry, i) => {
      const key = given[i] ?? deriveKey(nameIn(entry) ?? '', taken);
      taken.add(key);
      return key;
    });
  }

  /** In their names. */
  private mustDiffer(entries: readonly unknown[], at: string): void {
    const names = new Set<string>();
    for (const [i, entry] of entries.entries()) {
      const name = nameIn(entry);
      if (name === undefined) continue;
      if (names.has(foldName(name)))
        this.refuse(`${at}/${i}/name`, 'name_taken', 'The name occurs twice; letter case does not matter.');
      names.add(foldName(name));
    }
  }

  private count(columns: number, rows: number): void {
    this.columns += columns;
    this.rows += rows;
    if (this.columns > LIMITS.columns || this.rows > LIMITS.rows)
      throw new Problem('limit_reached', {
        detail: `A template has at most ${LIMITS.columns} columns and ${LIMITS.rows} rows in all.`,
      });
  }

  private members(input: unknown, at: string, known?: readonly string[]): Members {
    if (!isObject(input)) {
      this.refuse(at, 'is_object', 'An object is expected.');
      return {};
    }
    const unknown = known && Object.keys(input).find((key) => !known.includes(key));
    if (unknown !== undefined)
      this.refuse(at + pointer(unknown.slice(0, 60)), 'unknown_property', 'There is no such property here.');
    return input;
  }

  private list(input: unknown, at: string, most: number): readonly unknown[] {
    if (!Array.isArray(input)) {
      this.refuse(at, 'is_array', 'A list is expected.');
      return [];
    }
    if (input.length > most) throw new Problem('limit_reached', { detail: `${at} has at most ${most} entries.` });
    return input as readonly unknown[];
  }

  private name(input: unknown, at: string): string {
    const name = cleanName(input);
    if (name === undefined)
      this.refuse(
        at,
        'is_name',
        'A name of 1 to 255 characters, one of them visible, without control characters is expected.',
      );
    return name ?? '';
  }

  private look({ description, color, icon }: Members, at: string): Look {
    const found = {
      description: this.text(description, `${at}/description`),
      color: this.text(color, `${at}/color`),
      icon: this.text(icon, `${at}/icon`, MAX_ICON),
    };
    if (found.color !== null && !isColor(found.color))
      this.refuse(`${at}/color`, 'is_color', `color is ${COLOR_RULE}.`);
    return found;
  }

  private order(input: unknown, at: string): readonly string[] {
    return this.list(input, at, LIMITS.columns).flatMap((key, i) => {
      if (typeof key === 'string') return [key];
      this.refuse(`${at}/${i}`, 'is_key', 'The key of a column is expected.');
      return [];
    });
  }

  private text(input: unknown, at: string, most: number = MAX_DESCRIPTION): string | null {
    if (input === undefined || input === null) return null;
    if (typeof input === 'string' && input.length <= most && input.isWellFormed() && !input.includes('\0'))
      return input;
    this.refuse(at, 'is_text', `A text of at most ${most} characters is expected.`);
    return null;
  }

  private flag(input: unknown, at: string): boolean {
    if (input !== undefined && typeof input !== 'boolean') this.refuse(at, 'is_boolean', 'true or false is expected.');
    return input === true;
  }

  private refuse(at: string, code: string, detail: string): void {
    this.errors.push({ pointer: at, code, detail });
  }
}

const nameIn = (entry: unknown): string | undefined => cleanName(isObject(entry) ? entry.name : undefined);

const isObject = (input: unknown): input is Members =>
  typeof input === 'object' && input !== null && !Array.isArray(input);
