import type { Id } from '../../common/index.js';
import { kindOf, operatorsOf, valueType } from '../kind.js';
import {
  columnByKey,
  type ColumnSchema,
  type LinkRef,
  type Scalar,
  type TableSchema,
  type ValueKind,
} from '../schema.js';
import { isViewColumn } from '../view/view-table.js';
import type { Comparison, Condition } from '../plan.js';
import { accepted, columnType, isRecord, OPERATORS, refused, type Operator, type Parsed } from '../types/index.js';
import { filterInvalid, MAX_LIST, type FilterInput, type OperandInput } from '../filter/filter-input.js';
import { noField } from './no-field.js';
import { resolveJsonLeaf } from './resolve-json.js';
import { localDate } from '../zoned-time.js';
import { parseRange, relativeValue, spanOfDay, type Clock, type Moment, type TimeSpan } from './relative-time.js';

/** What a filter may depend on besides the table. */
export interface FilterContext {
  readonly now: Date;
  /** Time zone (IANA) of days, weeks and so on; UTC where it is absent. */
  readonly zone?: string;
  /** Who asks; `$me` is refused where nobody does. */
  readonly me?: Id | null;
  /** Where a link leads that a column shows; the column's own link where it is absent. */
  readonly linkOf?: (column: ColumnSchema) => FollowedLink | undefined;
}

/** A link as a filter follows it. */
export interface FollowedLink {
  readonly link: LinkRef;
  /** The column with the ids of the rows that the link is of; the id of the row itself where it is absent. */
  readonly owner?: ColumnSchema;
}

/** The link that the cells of the column are; undefined of all other columns. */
export const linkOfColumn = ({ derived }: ColumnSchema): FollowedLink | undefined =>
  derived?.kind === 'link' ? { link: derived.link } : undefined;

/**
 * Gives every name its column and every value its type. The only place where a filter can be refused for its content.
 * @throws Problem `filter_invalid`
 */
export function resolveFilter(input: FilterInput, table: TableSchema, context: FilterContext): Condition {
  switch (input.kind) {
    case 'and':
    case 'or':
      return { kind: input.kind, items: input.items.map((item) => resolveFilter(item, table, context)) };
    case 'not':
      return { kind: 'not', item: resolveFilter(input.item, table, context) };
    case 'leaf':
      return input.path === undefined
        ? new LeafResolver(input, table, context).resolve()
        : resolveJsonLeaf({ ...input, path: input.path }, table);
    case 'link':
      return resolveLink(input, table, context);
  }
}

function resolveLink(
  { field, quantifier, where, pointer }: Extract<FilterInput, { kind: 'link' }>,
  table: TableSchema,
  context: FilterContext,
): Condition {
  const { linkOf = linkOfColumn } = context;
  const column = columnByKey(table, field);
  const followed = column && linkOf(column);
  if (!followed)
    throw filterInvalid({
      pointer: `${pointer}/link`,
      ...whyNot(column, field.slice(0, 60)),
      field: field.slice(0, 60),
    });
  return {
    ...{ kind: 'linked', column, ...followed, quantifier },
    where: resolveFilter(where, followed.link.target, context),
  };
}

function whyNot(column: ColumnSchema | undefined, name: string): { readonly code: string; readonly detail: string } {
  const of = column && isViewColumn(column) ? column.of : undefined;
  if (of?.kind === 'cell' && linkOfColumn(of.column))
    return {
      code: 'behind_a_link',
      detail: `What lies behind ${JSON.stringify(name)} is no part of what the view shows; the own filter of a view can ask for it.`,
    };
  return { code: column ? 'not_a_link' : 'unknown_field', detail: `There is no link ${JSON.stringify(name)}.` };
}

type Leaf = Extract<FilterInput, { kind: 'leaf' }>;

const COMPARISONS: ReadonlySet<string> = new Set<Comparison>(['eq', 'neq', 'gt', 'gte', 'lt', 'lte']);
const isComparison = (op: string): op is Comparison => COMPARISONS.has(op);
const not = (item: Condition): Condition => ({ kind: 'not', item });

class LeafResolver {
  private readonly column: ColumnSchema;
  private readonly kind: ValueKind;
  private readonly op: Operator;
  private readonly clock: Clock;

  constructor(
    private readonly leaf: Leaf,
    private readonly table: TableSchema,
    private readonly context: FilterContext,
  ) {
    this.clock = { now: context.now, zone: context.zone ?? 'UTC' };
    this.column = this.field(leaf.field, 'field');
    this.kind = kindOf(this.column);
    this.op = this.operator(leaf.op);
  }

  resolve(): Condition {
    const { column, op } = this;
    if (this.leaf.operand.kind === 'column') return this.toColumn(this.leaf.operand.field);
    switch (op) {
      case 'isNull':
        return this.nullary({ kind: 'isNull', column });
      case 'isNotNull':
        return this.nullary(not({ kind: 'isNull', column }));
      case 'isEmpty':
        return this.nullary(this.empty());
      case 'isNotEmpty':
        return this.nullary(not(this.empty()));
      case 'in':
        return { kind: 'oneOf', column, values: this.list() };
      case 'nin':
        return not({ kind: 'oneOf', column, values: this.list() });
      case 'between':
        return this.between();
      case 'nbetween':
        return not(this.between());
      case 'contains':
      case 'startsWith':
      case 'endsWith':
        return { kind: 'match', column, mode: op, text: String(this.scalar()) };
      case 'ncontains':
        return not({ kind: 'match', column, mode: 'contains', text: String(this.scalar()) });
      case 'hasAny':
        return { kind: 'list', column, op: 'any', values: this.list() };
      case 'hasAll':
        return { kind: 'list', column, op: 'all', values: this.list() };
      case 'hasNone':
        return not({ kind: 'list', column, op: 'any', values: this.list() });
      case 'isExactly':
        return { kind: 'list', column, op: 'exactly', values: this.list() };
      case 'on':
        return this.within(this.day());
      case 'before':
        return this.compare('lt', this.kind.type === 'datetime' ? this.day().from.at : this.scalar());
      case 'after':
        return this.kind.type === 'datetime' ? this.afterDay(this.day()) : this.compare('gt', this.scalar());
      case 'within':
        return this.within(this.range());
      case 'eq':
      case 'neq':
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        return this.compare(op, this.scalar());
    }
  }

  /** A text without characters is there and yet empty; a list without elements is not there. */
  private empty(): Condition {
    return { kind: this.kind.list ? 'isNull' : 'isEmpty', column: this.column };
  }

  private compare(op: Comparison, value: Scalar): Condition {
    return { kind: 'compare', column: this.column, op, value };
  }

  private toColumn(field: string): Condition {
    const other = this.field(field, 'valueField');
    if (!isComparison(this.op)) throw this.refuse('operator_needs_value', `${this.op} does not compare columns.`);
    const [{ family }, { family: otherFamily }] = [valueType(this.column), valueType(other)];
    if (family !== otherFamily || family === 'choice' || this.kind.list || kindOf(other).list)
      throw this.refuse('not_comparable', `${this.column.key} and ${other.key} cannot be compared.`);
    return { kind: 'compareColumns', column: this.column, op: this.op, other };
  }

  private nullary(condition: Condition): Condition {
    if (this.leaf.operand.kind !== 'none') throw this.refuse('value_not_expected', `${this.op} takes no value.`);
    return condition;
  }

  private between(): Condition {
    const [low, high, ...more] = this.list();
    if (low === undefined || high === undefined || more.length > 0)
      throw this.refuse('two_values_expected', `${this.op} takes two values, the lower and the upper.`);
    return { kind: 'between', column: this.column, low, high };
  }

  private within(span: TimeSpan): Condition {
    const bound = ({ date, at }: Moment): string => (this.kind.type === 'date' ? date : at);
    const start = this.compare('gte', bound(span.from));
    if (span.until === undefined) return start;
    return { kind: 'and', items: [start, this.compare('lt', bound(span.until))] };
  }

  private afterDay({ until }: TimeSpan): Condition {
    return until === undefined ? not({ kind: 'true' }) : this.compare('gte', until.at);
  }

  /** The day that a date, or the moment of a datetime, lies in. */
  private day(): TimeSpan {
    const { operand } = this.leaf;
    const { zone } = this.clock;
    const given = operand.kind === 'json' || operand.kind === 'text' ? operand.value : undefined;
    if (typeof given === 'string') {
      const date = columnType('date').parseText(given, { options: {} });
      if (date.ok) return spanOfDay(String(date.value), zone);
    }
    const value = String(this.scalar());
    return spanOfDay(this.kind.type === 'date' ? value : localDate(new Date(value), zone), zone);
  }

  private range(): TimeSpan {
    const { operand } = this.leaf;
    const span = parseRange(operand.kind === 'json' || operand.kind === 'text' ? operand.value : undefined, this.clock);
    if (!span.ok) throw this.refuse(span.code, span.detail);
    return span.value;
  }

  private scalar(): Scalar {
    const { operand } = this.leaf;
    switch (operand.kind) {
      case 'json':
        if (operand.value === null)
          throw this.refuse('null_not_allowed', 'null is not a value to compare with; use isNull or isNotNull.');
        return this.accept(this.dynamic(operand.value) ?? columnType(this.kind.type).parse(operand.value, this.kind));
      case 'text':
        return this.accept(this.fromText(operand.value));
      case 'texts':
      case 'column':
        throw this.refuse('one_value_expected', `${this.op} takes one value.`);
      case 'none':
        throw this.refuse('value_missing', `${this.op} needs a value.`);
    }
  }

  private fromText(text: string): Parsed {
    return this.dynamic(text) ?? columnType(this.kind.type).parseText(text, this.kind);
  }

  /** `$now`, `$today` and `$me`, in either syntax; undefined for an ordinary value. */
  private dynamic(input: unknown): Parsed | undefined {
    const { type } = this.kind;
    if (type !== 'user') return relativeValue(input, type, this.clock);
    const isMe = input === '@me' || (isRecord(input) && input.$me === true && Object.keys(input).length === 1);
    if (!isMe) return undefined;
    const { me } = this.context;
    return me ? accepted(me) : refused('nobody', 'Nobody is signed in whom $me could mean.');
  }

  private list(): Scalar[] {
    const parsed = this.listItems(this.leaf.operand);
    if (parsed.length === 0 || parsed.length > MAX_LIST)
      throw this.refuse('list_size', `${this.op} takes 1 to ${MAX_LIST} values.`);
    return parsed.map((item) => this.accept(item()));
  }

  private listItems(operand: OperandInput): (() => Parsed)[] {
    const type = columnType(this.kind.type);
    if (operand.kind === 'texts') return operand.values.map((text) => () => this.fromText(text));
    if (operand.kind === 'json' && Array.isArray(operand.value)) {
      return operand.value.map((item: unknown) => () => {
        if (item === null)
          throw this.refuse('null_not_allowed', 'null is not a value to compare with; use isNull or isNotNull.');
        return this.dynamic(item) ?? type.parse(item, this.kind);
      });
    }
    throw this.refuse('list_expected', `${this.op} takes a list of values.`);
  }

  private accept(parsed: Parsed): Scalar {
    if (!parsed.ok) throw this.refuse(parsed.code, parsed.detail, 'value');
    return parsed.value;
  }

  private field(key: string, part: string): ColumnSchema {
    const column = columnByKey(this.table, key);
    if (!column) throw this.refuse(...noField(this.table, key), part);
    return column;
  }

  private operator(op: string): Operator {
    const known = (OPERATORS as readonly string[]).includes(op) ? (op as Operator) : undefined;
    const operators = operatorsOf(this.column);
    if (known === undefined || !operators.includes(known)) {
      throw this.refuse(
        'unknown_operator',
        `${JSON.stringify(op.slice(0, 60))} is not an operator of ${this.column.key} (${this.column.type}); it takes ${operators.join(', ') || 'none'}.`,
        'op',
      );
    }
    return known;
  }

  /** `part` names the member of the JSON form; the text form has no parts to point at. */
  private refuse(code: string, detail: string, part?: string): Error {
    const { pointer, syntax } = this.leaf;
    return filterInvalid({
      pointer: part === undefined || syntax === 'text' ? pointer : `${pointer}/${part}`,
      code,
      detail,
      field: this.leaf.field.slice(0, 60),
    });
  }
}
