import type { ColumnSchema } from '../schema.js';
import type { FormulaScope } from './check.js';
import { FORMULA_FUNCTIONS } from './functions/index.js';
import { escapedName } from './lexer.js';
import { signatureOf } from './match.js';

/** Something that can stand where somebody types. */
export interface Completion {
  readonly kind: 'function' | 'column' | 'constant';
  /** What a list shows. */
  readonly label: string;
  /** What is put in place of the text between `from` and `to`, in UTF-16 code units. */
  readonly insert: string;
  readonly from: number;
  readonly to: number;
  /** How a function is called, all ways. */
  readonly signatures?: readonly string[];
  readonly summary?: string;
  readonly example?: string;
  readonly column?: ColumnSchema;
}

/** As many as a list shows. */
const MOST = 50;
const WORD = /[\p{L}_][\p{L}\p{N}_.]*$/u;

/**
 * What can stand at a place of a formula, be the rest of it complete or not: columns behind {, functions, constants and columns
 * elsewhere, and nothing within a text. Those that begin with what is there come first, then those that hold it.
 */
export function completeFormula(text: string, position: number, scope: FormulaScope): readonly Completion[] {
  const at = Math.max(0, Math.min(position, text.length));
  const place = placeOf(text.slice(0, at));
  if (place.is === 'text') return [];
  if (place.is === 'reference') {
    const behind = /^[^{}"']*\}/.exec(text.slice(at))?.[0].length ?? 0;
    return ranked(columnsFor(scope, place.from, at + behind), text.slice(place.from + 1, at));
  }
  const typed = WORD.exec(text.slice(place.from, at))?.[0] ?? '';
  const rest = /^[\p{L}\p{N}_.]*/u.exec(text.slice(at))?.[0].length ?? 0;
  const [from, to] = [at - typed.length, at + rest];
  const isCalled = /^\s*\(/.test(text.slice(to));
  return ranked(
    [...functionsFor(from, to, isCalled), ...constantsFor(from, to), ...columnsFor(scope, from, to)],
    typed,
  );
}

interface Place {
  readonly is: 'text' | 'reference' | 'code';
  /** Where it begins. */
  readonly from: number;
}

/** What the end of a text is within. */
function placeOf(text: string): Place {
  let place: Place = { is: 'code', from: 0 };
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (place.is !== 'code' && character === '\\') i++;
    else if (place.is === 'code' && (character === '"' || character === "'"))
      [place, quote] = [{ is: 'text', from: i }, character];
    else if (place.is === 'code' && character === '{') [place, quote] = [{ is: 'reference', from: i }, '}'];
    else if (place.is !== 'code' && character === quote) place = { is: 'code', from: i + 1 };
  }
  return place;
}

const columnsFor = (scope: FormulaScope, from: number, to: number): readonly Completion[] =>
  scope.names().map(({ name, column }) => ({
    kind: 'column',
    label: name,
    insert: `{${escapedName(name)}}`,
    from,
    to,
    column,
  }));

const functionsFor = (from: number, to: number, isCalled: boolean): readonly Completion[] =>
  FORMULA_FUNCTIONS.map(({ name, summary, overloads, examples }) => ({
    kind: 'function',
    label: name,
    insert: isCalled ? name : `${name}(`,
    from,
    to,
    signatures: [...new Set(overloads.map((overload) => signatureOf(name, overload)))],
    summary,
    ...(examples[0] ? { example: examples[0][0] } : {}),
  }));

const constantsFor = (from: number, to: number): readonly Completion[] =>
  ['TRUE', 'FALSE', 'NULL'].map((label) => ({ kind: 'constant', label, insert: label, from, to }));

function ranked(all: readonly Completion[], typed: string): readonly Completion[] {
  const wanted = typed.trim().toLowerCase();
  const place = ({ label }: Completion): number => {
    const at = label.toLowerCase().indexOf(wanted);
    return at < 0 ? 2 : Math.min(at, 1);
  };
  return [0, 1].flatMap((rank) => all.filter((each) => place(each) === rank)).slice(0, MOST);
}
