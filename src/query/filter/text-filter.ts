import { Problem } from '../../common/index.js';
import { QUANTIFIERS, type Quantifier } from '../plan.js';
import { compareDecimals, plainDecimal } from '../types/number.js';
import { FilterBudget, MAX_PATH, MAX_PATH_PART, type FilterInput, type OperandInput } from './filter-input.js';

/**
 * Reads the text syntax of URLs: `and(price.gte.100,status.in.(open,won),not(name.contains."a, b"))`.
 *
 *     filter  = group / leaf
 *     group   = ("and" / "or") "(" filter *("," filter) ")" / "not" "(" filter ")" / linked
 *     linked  = ("some" / "every" / "none") "(" link "," filter ")"
 *     leaf    = field *( "[" (quoted / 1*DIGIT) "]" ) "." op [ "." value ]
 *     value   = list / "{" field "}" / scalar ; list = "(" scalar *("," scalar) ")"
 *     scalar  = quoted / bare text up to "," or ")"
 *     quoted  = DQUOTE *(char / "\" (DQUOTE / "\")) DQUOTE
 *
 * The brackets lead into a JSON cell: `extra["size"]["tags"][0].eq.5`. There a bare `5` or `true` is a number or a boolean, and
 * `"5"` a text. The value is everything after the dot behind the operator. A quoted value is a literal, so a text such as `"{price}"` can be meant as text.
 * @throws Problem 400 `invalid_syntax` with the position where reading stopped
 */
export function parseTextFilter(input: string): FilterInput {
  return new TextFilterParser(input).parse();
}

const NAME = /[A-Za-z0-9_]/;
/** Operators that take nothing but a text, whatever it looks like. */
const OF_TEXTS: ReadonlySet<string> = new Set(['contains', 'ncontains', 'startsWith', 'endsWith']);
/** RFC 8259, a zero in front let be. */
const JSON_NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

class TextFilterParser {
  private at = 0;
  private readonly budget = new FilterBudget();

  constructor(private readonly input: string) {}

  parse(): FilterInput {
    if (this.input.trim() === '') throw this.fail('The filter is empty; leave the parameter out for no filter.');
    const filter = this.filter(0);
    if (this.at < this.input.length) throw this.fail('The filter should end here.');
    return filter;
  }

  private filter(depth: number): FilterInput {
    const start = this.at;
    const name = this.name();
    if ((name === 'and' || name === 'or') && this.peek() === '(') return this.group(name, depth + 1, start);
    if (name === 'not' && this.peek() === '(') {
      this.budget.enter(depth + 1, '/filter');
      this.at++;
      const item = this.filter(depth + 1);
      this.expect(')');
      return { kind: 'not', item, pointer: '/filter' };
    }
    const quantifier = QUANTIFIERS.find((known) => known === name);
    if (quantifier && this.peek() === '(') return this.link(quantifier, depth + 1);
    return this.leaf(name);
  }

  private group(kind: 'and' | 'or', depth: number, start: number): FilterInput {
    this.budget.enter(depth, '/filter');
    this.expect('(');
    if (this.peek() === ')') {
      this.at = start;
      throw this.fail(`${kind}() needs at least one condition.`);
    }
    const items = [this.filter(depth)];
    while (this.peek() === ',') {
      this.at++;
      items.push(this.filter(depth));
    }
    this.expect(')');
    return { kind, items, pointer: '/filter' };
  }

  private leaf(field: string): FilterInput {
    const path = this.path();
    this.expect('.');
    const op = this.name();
    this.budget.leaf('/filter');
    let operand: OperandInput = { kind: 'none' };
    if (this.peek() === '.') {
      this.at++;
      operand = path.length === 0 ? this.operand() : this.jsonOperand(op);
    }
    const into = path.length === 0 ? {} : { path };
    return { kind: 'leaf', field, ...into, op, operand, pointer: '/filter', syntax: 'text' };
  }

  private path(): readonly string[] {
    const path: string[] = [];
    while (this.peek() === '[') {
      if (path.length === MAX_PATH) throw this.fail(`A path has at most ${MAX_PATH} parts.`);
      this.at++;
      const part = this.peek() === '"' ? this.quoted() : this.place();
      if (part.length > MAX_PATH_PART) throw this.fail(`A part of a path has at most ${MAX_PATH_PART} characters.`);
      path.push(part);
      this.expect(']');
    }
    return path;
  }

  private place(): string {
    const start = this.at;
    while (/[0-9]/.test(this.peek())) this.at++;
    if (this.at === start) throw this.fail('A quoted name or a place in a list is expected.');
    return this.input.slice(start, this.at);
  }

  private jsonOperand(op: string): OperandInput {
    if (OF_TEXTS.has(op)) return { kind: 'json', value: this.scalar() };
    if (this.peek() === '(') return { kind: 'json', value: this.list(() => this.jsonScalar()) };
    if (this.peek() === '{') return this.operand();
    return { kind: 'json', value: this.jsonScalar() };
  }

  /** Bare, it is what it is in JSON. */
  private jsonScalar(): string | number | boolean {
    if (this.peek() === '"') return this.quoted();
    const text = this.scalar();
    if (text === 'true' || text === 'false') return text === 'true';
    if (!JSON_NUMBER.test(text)) return text;
    const number = Number(text);
    if (String(number) === text) return number;
    const [given, kept] = [plainDecimal(text), plainDecimal(String(number))];
    if (given === undefined || kept === undefined || compareDecimals(given, kept) !== 0)
      throw this.fail(`${text.slice(0, 60)} has more digits than a JSON number can keep.`);
    return number;
  }

  private link(quantifier: Quantifier, depth: number): FilterInput {
    this.budget.enter(depth, '/filter');
    this.expect('(');
    const field = this.name();
    this.expect(',');
    const where = this.filter(depth);
    this.expect(')');
    return { kind: 'link', field, quantifier, where, pointer: '/filter' };
  }

  private operand(): OperandInput {
    if (this.peek() === '(') return { kind: 'texts', values: this.list(() => this.scalar()) };
    if (this.peek() === '{') {
      this.at++;
      const field = this.name();
      this.expect('}');
      return { kind: 'column', field };
    }
    return { kind: 'text', value: this.scalar() };
  }

  private list<T>(item: () => T): T[] {
    this.expect('(');
    const values = [item()];
    while (this.peek() === ',') {
      this.at++;
      values.push(item());
    }
    this.budget.list(values.length, '/filter');
    this.expect(')');
    return values;
  }

  private scalar(): string {
    if (this.peek() === '"') return this.quoted();
    const start = this.at;
    while (this.at < this.input.length && this.peek() !== ',' && this.peek() !== ')') this.at++;
    if (this.at === start) throw this.fail('A value is expected; write "" for an empty text.');
    return this.input.slice(start, this.at);
  }

  private quoted(): string {
    let text = '';
    this.at++;
    for (; this.at < this.input.length; this.at++) {
      const char = this.input.charAt(this.at);
      if (char === '"') {
        this.at++;
        return text;
      }
      if (char !== '\\') {
        text += char;
        continue;
      }
      const escaped = this.input.charAt(++this.at);
      if (escaped !== '"' && escaped !== '\\') throw this.fail('Inside quotes only \\" and \\\\ are escapes.');
      text += escaped;
    }
    throw this.fail('The quoted value does not end.');
  }

  private name(): string {
    const start = this.at;
    while (this.at < this.input.length && NAME.test(this.peek())) this.at++;
    if (this.at === start) throw this.fail('A name is expected.');
    return this.input.slice(start, this.at);
  }

  private peek(): string {
    return this.input.charAt(this.at);
  }

  private expect(char: string): void {
    if (this.peek() !== char) throw this.fail(`"${char}" is expected.`);
    this.at++;
  }

  private fail(what: string): Problem {
    return new Problem('invalid_syntax', {
      detail: `filter, position ${this.at}: ${what}`,
      errors: [{ pointer: '/filter', code: 'invalid_syntax', detail: what, position: this.at }],
    });
  }
}
