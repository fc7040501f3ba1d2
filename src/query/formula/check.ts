import type { ColumnSchema } from '../schema.js';
import { decimalOf, plain, ZERO } from './decimal.js';
import type { CallPart, Expression, LiteralPart } from './expression.js';
import { flaw, MAX_FLAWS, shown, type FormulaFlaw, type Span } from './flaw.js';
import type { FormulaFunction, Overload } from './function.js';
import { FORMULA_FUNCTIONS, formulaFunction } from './functions/index.js';
import { matched } from './match.js';
import { nearest } from './nearest.js';
import { parseFormula, type Syntax } from './parser.js';
import { BOOLEAN, columnShape, kindOfShape, literalNumber, NULL, textShape, type Shape } from './shape.js';
import { isTooLarge, NEW_FORMULAS, type FormulaBounds } from '../compile/formula/size.js';

/** The columns that a formula may name, by whatever name its owner has for them. */
export interface FormulaScope {
  find(name: string): ColumnSchema | 'ambiguous' | undefined;
  names(): readonly { readonly name: string; readonly column: ColumnSchema }[];
}

export type CheckedFormula =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly flaws: readonly FormulaFlaw[] };

/**
 * Reads a formula: as a typed expression, or all that can be said at once of why it is none.
 * @param bounds how much it may be, with what it reads; null where that is not asked
 */
export function checkFormula(
  text: string,
  scope: FormulaScope,
  bounds: FormulaBounds | null = NEW_FORMULAS,
): CheckedFormula {
  const reading = parseFormula(text);
  if (!reading.ok) return { ok: false, flaws: [reading.flaw] };
  const flaws: FormulaFlaw[] = [];
  const expression = new Checker(scope, flaws).expression(reading.syntax);
  if (expression && flaws.length === 0) flaws.push(...wholeFlaws(expression, bounds));
  if (!expression || flaws.length > 0) return { ok: false, flaws: flaws.slice(0, MAX_FLAWS) };
  return { ok: true, expression };
}

class Checker {
  constructor(
    private readonly scope: FormulaScope,
    private readonly flaws: FormulaFlaw[],
  ) {}

  /** Undefined where there is a flaw in it, which is noted. */
  expression(syntax: Syntax): Expression | undefined {
    switch (syntax.is) {
      case 'number': {
        const number = decimalOf(syntax.text) ?? ZERO;
        return literal(plain(number), literalNumber(number), syntax.at);
      }
      case 'text':
        return literal(syntax.text, { ...textShape(1), length: [...syntax.text].length }, syntax.at);
      case 'boolean':
        return literal(syntax.value, BOOLEAN, syntax.at);
      case 'null':
        return literal(null, NULL, syntax.at);
      case 'column':
        return this.column(syntax);
      case 'call':
        return this.call(syntax);
    }
  }

  /** What is flawed has no type: nothing more is said of what it stands in. */
  private note(...args: Parameters<typeof flaw>): Expression | undefined {
    this.flaws.push(flaw(...args));
    return undefined;
  }

  private column({ name, at }: Extract<Syntax, { is: 'column' }>): Expression | undefined {
    const column = this.scope.find(name);
    if (column === 'ambiguous')
      return this.note('ambiguous_column', at, `There are several columns ${shown(name)}; say which, with what stands in front of its point.`); // prettier-ignore
    if (!column) {
      const meant = nearest(name, this.scope.names().map((known) => known.name)); // prettier-ignore
      const hint = meant === undefined ? '' : ` Did you mean {${meant}}?`;
      return this.note('unknown_column', at, `There is no column ${shown(name)}.${hint}`, meant && `{${meant}}`);
    }
    const shape = columnShape(column);
    return { node: 'column', column, shape, at, kind: kindOfShape(shape) };
  }

  private call(syntax: Extract<Syntax, { is: 'call' }>): Expression | undefined {
    const args = syntax.args.map((arg) => this.expression(arg));
    const entry = formulaFunction(syntax.name);
    if (!entry || (entry.category === 'operator' && !isSign(syntax))) return this.unknown(syntax);
    const known = args.filter((arg) => arg !== undefined);
    if (known.length < args.length) return undefined;
    const match = matched(entry, known, syntax.at);
    if (!match.ok) return this.note(match.flaw.code, match.flaw, match.flaw.detail, match.flaw.expected);
    if (entry.constant === null) return literal(null, NULL, syntax.at);
    return called(entry, match.overload, match.args, syntax.at);
  }

  private unknown({ name, named }: Extract<Syntax, { is: 'call' }>): Expression | undefined {
    const meant = nearest(name, FORMULA_FUNCTIONS.map((entry) => entry.name)); // prettier-ignore
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    return this.note('unknown_function', named, `There is no function ${shown(name)}.${hint}`, meant);
  }
}

/** Operators have names of functions, which people cannot call. */
const isSign = ({ named, at, name, args }: Extract<Syntax, { is: 'call' }>): boolean =>
  !/^[A-Z]/.test(name) || (named.length === 1 && args.length === 1 && at.position === named.position);

const literal = (value: LiteralPart['value'], shape: Shape, at: Span): LiteralPart => ({
  node: 'literal',
  value,
  shape,
  at,
  kind: kindOfShape(shape),
});

/** A call, all of whose arguments fit. */
function called(entry: FormulaFunction, overload: Overload, given: readonly Expression[], at: Span): CallPart {
  const args = overload.flat ? given.flatMap((arg) => (arg.node === 'call' && arg.overload === overload ? arg.args : [arg])) : given; // prettier-ignore
  const returned = overload.returns(args);
  // Of nulls alone there is no telling what they are.
  const own: Shape = returned.of === 'null' ? { ...returned, of: overload.params.at(-1)?.sort ?? 'text' } : returned;
  const shape = overload.lazy ? own : spread(overload.aware === true, own, args);
  return { node: 'call', name: entry.name, overload, args, at, shape, kind: kindOfShape(shape), fallible: own.fails };
}

/** What nulls and errors of arguments make of a result. */
const spread = (aware: boolean, own: Shape, args: readonly Expression[]): Shape => ({
  ...own,
  nullable: own.nullable || (!aware && args.some(({ shape }) => shape.nullable)),
  fails: own.fails || args.some(({ shape }) => shape.fails),
});

function wholeFlaws(expression: Expression, bounds: FormulaBounds | null): readonly FormulaFlaw[] {
  if (expression.shape.of === 'opaque')
    return [flaw('unusable_result', expression.at, 'A formula cannot give what it can only count.')];
  return bounds && isTooLarge(expression, bounds)
    ? [
        flaw(
          'too_complex',
          expression.at,
          'The formula is too complex: let it read fewer formulas that read others, and fewer parts that can be errors stand within each other, under ISERROR, IFERROR, comparisons and &.',
        ),
      ]
    : [];
}
