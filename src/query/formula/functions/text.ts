import * as mongo from '../../compile/formula/mongo-fragments.js';
import * as mysql from '../../compile/formula/mysql-fragments.js';
import { integer, join, literal, sql } from '../../sql.js';
import {
  asCount,
  asPlace,
  asText,
  changedCase,
  once,
  onceEach,
  withinLength,
  withinLengthUnless,
} from '../../compile/formula/fragments.js';
import { rounded, whole, widened, type Decimal } from '../decimal.js';
import { constantOf, type CallPart, type Expression } from '../expression.js';
import {
  FAILED,
  takes,
  type Compile,
  type FormulaFunction,
  type Outcome,
  type Param,
  type Strict,
} from '../function.js';
import { kindOf } from '../../kind.js';
import { MAX_TEXT, textShape, wholeShape, type Shape } from '../shape.js';
import { capitals, smallLetters } from '../letters.js';
import { BLANKS } from '../../types/label.js';
import { asString, joined, textOf } from '../text-of.js';
import { CONCATENATION, textLength } from './operators.js';
import { dateTexts } from './date-text.js';
import { characters, countOf, foldEach, foldedEach, found, place } from './text-search.js';

const row = (name: string, summary: string, examples: FormulaFunction['examples'], ...overloads: FormulaFunction['overloads'][number][]): FormulaFunction => ({ name, category: 'text', summary, examples, overloads }); // prettier-ignore

const none = sql`null`;
const text = takes.text;
const shapeOf = (part: Expression | undefined): Shape => part?.shape ?? textShape(1);
const lengthOf = (part: Expression | undefined): number => shapeOf(part).length;
const ofLength = (length: number): Shape => ({ ...textShape(length), fails: length > MAX_TEXT });
const same = ([a]: readonly Expression[]): Shape => ({ ...textShape(1), length: lengthOf(a) });
const within = (...texts: readonly string[]): Outcome => joined(texts);
const cased = (compute: (text: string) => string, postgres: Compile): Strict => ({
  params: [text('text')],
  // A letter can become three.
  returns: ([a]) => ofLength(3 * lengthOf(a)),
  compute: ([a]) => within(compute(asString(a))),
  postgres,
});

const changed =
  (name: 'upper' | 'lower'): Compile =>
  ([a = none], { args: [part] }) =>
    once(a, (x) =>
      withinLengthUnless(
        3 * lengthOf(part),
        sql`3 * octet_length(${x})::bigint <= ${integer(MAX_TEXT)}`,
        changedCase(x, name),
      ),
    );

const padded = (side: 'left' | 'right'): Strict => ({
  params: [text('text'), takes.number('length'), text('with', { optional: true })],
  returns: () => ({ ...textShape(MAX_TEXT), fails: true }),
  compute: ([a, length, fill = ' ']) => {
    const wanted = countOf(length);
    if (wanted > MAX_TEXT) return FAILED;
    const own = characters(a);
    const pad = characters(fill);
    const missing = wanted - own.length;
    if (missing <= 0 || pad.length === 0) return within(asString(a));
    const padding = Array.from({ length: missing }, (_, i) => pad[i % pad.length]).join('');
    return side === 'left' ? padding + asString(a) : asString(a) + padding;
  },
  whole: true,
  postgres: ([a = none, length = none, fill = sql`' '::text`], { args: [of, wanted] }) =>
    onceEach([a, asCount(length, wanted), fill], ([x = a, n = length, own = fill]) => {
      const pad = side === 'left' ? sql`lpad` : sql`rpad`;
      const kept = withinLength(lengthOf(of), x);
      return sql`case when ${n} <= ${integer(MAX_TEXT)} and ${own} is not null then case when char_length(${x}) >= ${n} then ${kept} else ${pad}(${x}, least(${n}, ${integer(MAX_TEXT)}), ${own}) end end`;
    }),
});

const PLACES: Param = takes.number('digits', {
  expected: 'whole number from 0 to 18, written out',
  constant: (value) => (/^\d{1,2}$/.test(String(value)) && Number(value) <= 18 ? undefined : { code: 'constant_expected', detail: 'Digits are a whole number from 0 to 18.' }), // prettier-ignore
});
const places = ({ args }: CallPart): number => Number(constantOf(args[1]) ?? 0);

/** The choices of the column that stands there. */
const choicesOf = (part: Expression | undefined) =>
  part?.node === 'column' ? (kindOf(part.column).options.choices ?? []) : [];

export const TEXTS: readonly FormulaFunction[] = [
  row('CONCAT', 'All values as one text, as & does.', [['CONCAT("a", 1, NULL, TRUE)', 'a1true']], { ...CONCATENATION }),
  row('LEFT', 'The first characters.', [['LEFT("Hello", 2)', 'He']], {
    params: [text('text'), takes.number('count')],
    returns: same,
    compute: ([a, n]) => characters(a).slice(0, countOf(n)).join(''),
    whole: true,
    postgres: ([a = none, n = none], { args: [, count] }) => sql`left(${a}, ${asCount(n, count)})`,
    mysql: ([a = none, n = none]) => sql`left(${a}, ${mysql.asCount(n)})`,
    mongo: ([a, n]) => mongo.part(a, 0, mongo.asCount(n)),
  }),
  row('RIGHT', 'The last characters.', [['RIGHT("Hello", 2)', 'lo']], {
    params: [text('text'), takes.number('count')],
    returns: same,
    compute: ([a, n]) => (countOf(n) === 0 ? '' : characters(a).slice(-countOf(n)).join('')),
    whole: true,
    postgres: ([a = none, n = none], { args: [, count] }) => sql`right(${a}, ${asCount(n, count)})`,
    mysql: ([a = none, n = none]) => sql`right(${a}, ${mysql.asCount(n)})`,
    mongo: ([a, n]) => mongo.part(a, { $max: [{ $subtract: [mongo.length(a), mongo.asCount(n)] }, 0] }, mongo.asCount(n)), // prettier-ignore
  }),
  row('MID', 'So many characters from a place on; the first is 1.', [['MID("Hello", 2, 3)', 'ell']], {
    params: [text('text'), takes.number('from'), takes.number('count')],
    returns: same,
    compute: ([a, from, n]) => {
      const start = Math.max(countOf(from), 1) - 1;
      return characters(a).slice(start, start + countOf(n)).join(''); // prettier-ignore
    },
    whole: true,
    postgres: ([a = none, from = none, n = none], { args: [, place, count] }) => sql`substr(${a}, ${asPlace(from, place)}, ${asCount(n, count)})`, // prettier-ignore
    mysql: ([a = none, from = none, n = none]) => sql`substr(${a}, ${mysql.asPlace(from)}, ${mysql.asCount(n)})`,
    mongo: ([a, from, n]) => mongo.part(a, { $subtract: [mongo.asCount(from, 1), 1] }, mongo.asCount(n)),
  }),
  row('LEN', 'How many characters there are (Unicode code points).', [['LEN("😀")', 1]], {
    params: [text('text')],
    returns: ([a]) => wholeShape(lengthOf(a)),
    compute: ([a]) => whole(characters(a).length),
    postgres: ([a = none]) => sql`char_length(${a})`,
    mysql: ([a = none]) => sql`char_length(${a})`,
    mongo: ([a]) => mongo.length(a),
  }),
  row('UPPER', 'In capitals.', [['UPPER("straße")', 'STRASSE']], cased(capitals, changed('upper'))),
  row('LOWER', 'In small letters.', [['LOWER("ÀB")', 'àb']], cased(smallLetters, changed('lower'))),
  row('TRIM', 'Without blanks around it.', [['TRIM("  a b ")', 'a b']], {
    params: [text('text')],
    returns: same,
    compute: ([a]) => asString(a).trim(),
    postgres: ([a = none]) => sql`btrim(${a}, ${literal(BLANKS)})`,
  }),
  row(
    'SUBSTITUTE',
    'With one part put in place of another, wherever that is.',
    [['SUBSTITUTE("a-b-c", "-", "+")', 'a+b+c']],
    {
      params: [text('text'), text('part'), text('instead')],
      returns: ([a, , b]) => ofLength(lengthOf(a) * Math.max(1, lengthOf(b))),
      compute: ([a, part, instead]) => {
        if (part === '') return a ?? null;
        return joined(asString(a).split(asString(part)), asString(instead));
      },
      postgres: ([a = none, part = none, instead = none], { args: [of, , by] }) => {
        const longest = lengthOf(of) * Math.max(1, lengthOf(by));
        if (longest <= MAX_TEXT) return sql`replace(${a}, ${part}, ${instead})`;
        return onceEach([a, part, instead], ([x = a, y = part, z = instead]) => {
          const isShort = sql`octet_length(${x})::bigint * greatest(1, octet_length(${z})) <= ${integer(MAX_TEXT)}`;
          const count = sql`(char_length(${x}) - char_length(replace(${x}, ${y}, ''))) / nullif(char_length(${y}), 0)`;
          const length = sql`char_length(${x}) + coalesce(${count}, 0)::bigint * (char_length(${z}) - char_length(${y}))`;
          return sql`case when ${isShort} then replace(${x}, ${y}, ${z}) when ${y} = '' and ${z} is not null then ${x} when ${length} <= ${integer(MAX_TEXT)} then replace(${x}, ${y}, ${z}) end`;
        });
      },
    },
  ),
  row(
    'REPLACE',
    'With another text in place of so many characters from a place on.',
    [['REPLACE("Hello", 2, 3, "ipp")', 'Hippo']],
    {
      params: [text('text'), takes.number('from'), takes.number('count'), text('instead')],
      returns: ([a, , , b]) => ofLength(lengthOf(a) + lengthOf(b)),
      compute: ([a, from, n, instead]) => {
        const [own, start] = [characters(a), Math.max(countOf(from), 1) - 1];
        return within(own.slice(0, start).join('') + asString(instead) + own.slice(start + countOf(n)).join(''));
      },
      whole: true,
      postgres: ([a = none, from = none, n = none, instead = none], { args: [of, place, count, by] }) =>
        onceEach([a, asPlace(from, place), instead], ([x = a, start = from, text = instead]) =>
          withinLengthUnless(
            lengthOf(of) + lengthOf(by),
            sql`octet_length(${x}) + octet_length(${text}) <= ${integer(MAX_TEXT)}`,
            sql`(left(${x}, ${start} - 1) || ${text} || substr(${x}, ${start} + ${asCount(n, count)}))`,
          ),
        ),
    },
  ),
  row('FIND', 'The place where a part begins, from 1; 0 where it is not there. Capitals and small letters differ.', [['FIND("l", "Hello")', 3], ['FIND("L", "Hello")', 0]], place((a) => a, (a) => a, true)), // prettier-ignore
  row('SEARCH', 'The same whatever the letter case.', [['SEARCH("L", "Hello", 4)', 4]], place(foldEach, foldedEach)),
  row('CONTAINS', 'Whether a part is in a text, whatever the letter case, or a value in a list.', [['CONTAINS("Hello", "LL")', true], ['CONTAINS({tags}, "red")', true]],
    found('contains', (a, part) => a.includes(part), (a, part) => sql`(strpos(${a}, ${part}) > 0)`)), // prettier-ignore
  row('STARTSWITH', 'Whether a text begins with a part, whatever the letter case.', [['STARTSWITH("Hello", "he")', true]], found('startsWith', (a, part) => a.startsWith(part), (a, part) => sql`starts_with(${a}, ${part})`)), // prettier-ignore
  row('ENDSWITH', 'Whether a text ends with a part, whatever the letter case.', [['ENDSWITH("Hello", "LO")', true]],
    found('endsWith', (a, part) => a.endsWith(part), (a, part) => onceEach([a, part], ([x = a, y = part]) => sql`(char_length(${x}) >= char_length(${y}) and right(${x}, char_length(${y})) = ${y})`))), // prettier-ignore
  row('REPEAT', 'The text so many times. More than 100,000 characters are an error.', [['REPEAT("ab", 3)', 'ababab']], {
    params: [text('text'), takes.number('count')],
    returns: () => ({ ...textShape(MAX_TEXT), fails: true }),
    compute: ([a, n]) => (characters(a).length * countOf(n) > MAX_TEXT ? FAILED : asString(a).repeat(countOf(n))),
    whole: true,
    postgres: ([a = none, n = none], { args: [of, count] }) =>
      count && count.shape.most * BigInt(lengthOf(of)) <= MAX_TEXT ? sql`repeat(${a}, ${asCount(n, count)})` : onceEach([a, asCount(n, count)], ([x = a, times = n]) => sql`case when char_length(${x})::bigint * ${times} <= ${integer(MAX_TEXT)} then repeat(${x}, case when ${x} = '' then 0 else ${times} end) end`), // prettier-ignore
  }),
  row('TEXT', 'A value as a text: a number, with digits rounded to so many behind the point; a date by a pattern of YYYY YY MMMM MMM MM M DD D dddd ddd HH H hh h mm m ss s SSS A Q, everything else in square brackets.', [['TEXT(2.5, 2)', '2.50'], ['TEXT({due}, "D MMMM YYYY")', '1 December 2026'], ['TEXT(TRUE)', 'true']],
    {
      params: [takes.number('number'), PLACES],
      returns: () => textShape(64),
      compute: ([n], call) => textOf(widened(rounded(n as Decimal, places(call)), places(call)), { fixed: true, scale: places(call) }),
      postgres: ([n = none], call) => sql`round(${n}, ${integer(places(call))})::text`,
    },
    ...dateTexts,
    {
      params: [takes.scalar('value')],
      returns: ([a]) => ({ ...textShape(1), length: textLength(shapeOf(a)) }),
      compute: ([a], { args: [part] }) => textOf(a ?? null, part?.shape),
      postgres: ([a = none], { args: [part] }) => asText(shapeOf(part), a),
      mongo: ([a], { args: [part] }) => mongo.shown(shapeOf(part), a),
    }), // prettier-ignore
  row('LABEL', 'What people read of a choice, of a column of them.', [['LABEL({status})', 'Open']], {
    params: [
      takes.text('column', {
        expected: 'column of single choices',
        requires: (part) => (choicesOf(part).length > 0 ? undefined : { code: 'wrong_type', detail: 'LABEL takes a column of single choices.', expected: 'column of single choices' }), // prettier-ignore
      }),
    ],
    returns: () => textShape(1000),
    compute: ([a], { args: [part] }) => choicesOf(part).find(({ key }) => key === a)?.label ?? asString(a),
    postgres: ([a = none], { args: [part] }) =>
      choicesOf(part).length === 0 ? a : once(a, (key) => sql`case ${key} ${join(choicesOf(part).map((choice) => sql`when ${literal(choice.key)} then ${literal(choice.label)}`), sql` `)} else ${key} end`), // prettier-ignore
  }),
  row(
    'PADLEFT',
    'With blanks, or what is said, in front until it is so long.',
    [['PADLEFT("7", 3, "0")', '007']],
    padded('left'),
  ),
  row(
    'PADRIGHT',
    'With blanks, or what is said, behind until it is so long.',
    [['PADRIGHT("7", 3)', '7  ']],
    padded('right'),
  ),
];
