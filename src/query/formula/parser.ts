import { Flawed, across, shown, spanOf, stop, type FormulaFlaw, type Span } from './flaw.js';
import { tokens, type Token } from './lexer.js';

/** What a text says, before anything is known of columns and types. Operators are calls of functions that are named by their sign. */
export type Syntax =
  | { readonly is: 'number' | 'text'; readonly text: string; readonly at: Span }
  | { readonly is: 'boolean'; readonly value: boolean; readonly at: Span }
  | { readonly is: 'null'; readonly at: Span }
  | { readonly is: 'column'; readonly name: string; readonly at: Span }
  | {
      readonly is: 'call';
      readonly name: string;
      readonly named: Span;
      readonly args: readonly Syntax[];
      readonly at: Span;
    };

export const MAX_LENGTH = 8192;
/** Of parentheses, functions and signs within each other. */
export const MAX_DEPTH = 64;
export const MAX_NODES = 1000;

/** How tightly operators bind; those of one row from left to right. */
const BINDING: ReadonlyMap<string, number> = new Map([
  ...['=', '!=', '<>', '<', '<=', '>', '>='].map((sign) => [sign, 1] as const),
  ['&', 2],
  ['+', 3],
  ['-', 3],
  ['*', 4],
  ['/', 4],
  ['%', 4],
]);
const COMPARING = 1;

/** Either what the text says or why it says nothing. */
export type Reading =
  { readonly ok: true; readonly syntax: Syntax } | { readonly ok: false; readonly flaw: FormulaFlaw };

export function parseFormula(text: string): Reading {
  try {
    if (text.length > MAX_LENGTH)
      stop('too_long', spanOf(MAX_LENGTH, text.length), `A formula has at most ${MAX_LENGTH} characters.`);
    return { ok: true, syntax: new Parser(text).formula() };
  } catch (error) {
    if (error instanceof Flawed) return { ok: false, flaw: error.flaw };
    throw error;
  }
}

class Parser {
  private readonly source: Iterator<Token, void>;
  private token: Token;
  private depth = 0;
  private nodes = 0;

  constructor(text: string) {
    this.source = tokens(text);
    this.token = this.pull();
  }

  formula(): Syntax {
    if (this.token.is === 'end') stop('empty_formula', this.token.at, 'There is no formula.');
    const syntax = this.expression(0);
    if (!this.ended()) this.unexpected('an operator or the end of the formula');
    return syntax;
  }

  private pull(): Token {
    const next = this.source.next();
    return next.done ? this.token : next.value;
  }

  private take(): Token {
    const taken = this.token;
    this.token = this.pull();
    return taken;
  }

  private ended(): boolean {
    return this.token.is === 'end';
  }

  private sign(text: string): boolean {
    return this.token.is === 'sign' && this.token.text === text;
  }

  private unexpected(expected: string): never {
    const { is, text, at } = this.token;
    if (is === 'end') return stop('unexpected_end', at, `The formula ends where ${expected} is expected.`, expected);
    const what = is === 'text' ? 'a text' : is === 'reference' ? 'a column' : shown(text);
    return stop('unexpected_token', at, `Here stands ${what} where ${expected} is expected.`, expected);
  }

  private counted<T extends Syntax>(syntax: T): T {
    if (++this.nodes > MAX_NODES)
      stop('too_many_nodes', syntax.at, `A formula has at most ${MAX_NODES} values, columns and operations.`);
    return syntax;
  }

  /** One step deeper, and back. */
  private within<T>(at: Span, read: () => T): T {
    if (++this.depth > MAX_DEPTH) stop('too_deep', at, `At most ${MAX_DEPTH} parentheses, functions and signs stand within each other.`); // prettier-ignore
    const result = read();
    this.depth--;
    return result;
  }

  private expression(least: number): Syntax {
    let left = this.signed();
    for (;;) {
      const binding = this.token.is === 'sign' ? BINDING.get(this.token.text) : undefined;
      if (binding === undefined || binding <= least) return left;
      const operator = this.take();
      const right = this.expression(binding);
      left = this.operation(operator, [left, right]);
      if (binding === COMPARING && this.token.is === 'sign' && BINDING.get(this.token.text) === COMPARING)
        stop('chained_comparison', this.token.at, 'Comparisons cannot follow each other: write AND(a < b, b < c).');
    }
  }

  private operation({ text, at }: Token, args: readonly Syntax[]): Syntax {
    const [first, last] = [args.at(0)?.at ?? at, args.at(-1)?.at ?? at];
    const from = args.length === 1 ? at : first;
    return this.counted({ is: 'call', name: text === '<>' ? '!=' : text, named: at, args, at: across(from, last) });
  }

  private signed(): Syntax {
    if (!this.sign('-') && !this.sign('+')) return this.power();
    const operator = this.take();
    const operand = this.within(operator.at, () => this.signed());
    if (operator.text === '-' && operand.is === 'number' && !operand.text.startsWith('-'))
      return {
        ...operand,
        text: /[1-9]/.test(operand.text) ? `-${operand.text}` : operand.text,
        at: across(operator.at, operand.at),
      };
    return this.operation({ ...operator, text: operator.text === '-' ? 'NEGATE' : 'PLUS' } as Token, [operand]);
  }

  /** Binds more tightly than the sign before it, so that -2^2 is -4, and from right to left. */
  private power(): Syntax {
    const base = this.value();
    if (!this.sign('^')) return base;
    const operator = this.take();
    return this.operation(operator, [base, this.within(operator.at, () => this.signed())]);
  }

  private value(): Syntax {
    const { is, text, at } = this.token;
    switch (is) {
      case 'number':
      case 'text':
        this.take();
        return this.counted({ is, text, at });
      case 'reference':
        this.take();
        return this.counted({ is: 'column', name: text, at });
      case 'word':
        return this.word();
      case 'sign':
        if (text !== '(') return this.unexpected('a value');
        return this.parenthesized();
      case 'end':
        return this.unexpected('a value');
    }
  }

  private parenthesized(): Syntax {
    const { at } = this.take();
    const inner = this.within(at, () => this.expression(0));
    if (!this.sign(')')) this.unexpected(')');
    this.take();
    return inner;
  }

  private word(): Syntax {
    const { text, at } = this.take();
    const upper = text.toUpperCase();
    if (this.sign('(')) return this.call(text, at);
    if (upper === 'TRUE' || upper === 'FALSE') return this.counted({ is: 'boolean', value: upper === 'TRUE', at });
    if (upper === 'NULL') return this.counted({ is: 'null', at });
    return stop('bare_name', at, `Write {${text}} for a column, "${text}" for a text, or ${upper}(…) for a function.`, `{${text}}`); // prettier-ignore
  }

  private call(name: string, at: Span): Syntax {
    return this.within(at, () => {
      this.take();
      const args: Syntax[] = [];
      while (!this.sign(')')) {
        args.push(this.expression(0));
        if (this.sign(')')) break;
        if (!this.sign(',')) this.unexpected(', or )');
        this.take();
        if (this.sign(')')) this.unexpected('a value');
      }
      const end = this.take();
      return this.counted({ is: 'call', name: name.toUpperCase(), named: at, args, at: across(at, end.at) });
    });
  }
}
