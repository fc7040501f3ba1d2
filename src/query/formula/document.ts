import { CATEGORIES, type Example } from './function.js';
import { FORMULA_FUNCTIONS, FORMULA_OPERATORS } from './functions/index.js';
import { FLAW_CODES } from './flaw.js';
import { signatureOf } from './match.js';
import { MAX_DEPTH, MAX_LENGTH, MAX_NODES } from './parser.js';
import { MAX_TEXT } from './shape.js';

const TITLES = {
  logic: 'Logic',
  number: 'Numbers',
  text: 'Texts',
  date: 'Dates and times',
  list: 'Lists',
} as const;

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``;
const shownExample = ([formula, result]: Example): string => `${code(formula)} → ${code(JSON.stringify(result))}`;

/** The text of `docs/FORMULAS.md`. */
export function formulasDocument(): string {
  const operators = FORMULA_OPERATORS.map(({ name, summary, examples }) => {
    const sign = name === 'NEGATE' ? '-a' : name === 'PLUS' ? '+a' : `a ${name} b`;
    return `| ${code(sign)} | ${summary} | ${examples.map(shownExample).join('<br>')} |`;
  });
  const sections = CATEGORIES.map((category) => {
    const rows = FORMULA_FUNCTIONS.filter((entry) => entry.category === category).map(
      ({ name, overloads, summary, examples }) =>
        `| ${[...new Set(overloads.map((overload) => code(signatureOf(name, overload))))].join('<br>')} | ${summary} | ${examples.map(shownExample).join('<br>')} |`,
    );
    return `### ${TITLES[category]}\n\n| call | gives | example |\n| --- | --- | --- |\n${rows.join('\n')}`;
  });
  return `# Formulas

<!-- Written by \`npm run docs:formulas\` from src/query/formula/functions. Do not edit. -->

A formula computes a value from the other columns of a row. It is typed: what cannot work is refused when the formula is written, with the
place, the length and what is expected there. It is exact and total: the same formula gives the same answer in memory, in PostgreSQL and
wherever else it is computed, and no row can make a page fail.

## Writing one

\`\`\`
IF({price} > 100, "big", "small") & " " & TEXT({due}, "D MMM YYYY")
\`\`\`

- **Columns** stand in braces: \`{price}\`; a \`}\` or \`\\\` in a name is written \`\\}\` or \`\\\\\`.
- **Numbers**: \`1\`, \`1.5\`, \`.5\`, \`1e3\`. **Texts** in \`"…"\` or \`'…'\`, with \`\\\\ \\" \\' \\n \\t \\r \\uXXXX \\u{…}\`. **Constants**:
  \`TRUE\`, \`FALSE\`, \`NULL\` (the same as \`BLANK()\`). Names of functions and constants may be in any letter case.
- **Operators**, the tightest first: \`^\` (from right to left), the sign \`-a\` (so \`-2 ^ 2\` is -4), \`* / %\`, \`+ -\`, \`&\`, comparisons. Comparisons
  cannot follow each other: write \`AND(a < b, b < c)\`.
- At most ${MAX_LENGTH.toLocaleString('en')} characters, ${MAX_NODES.toLocaleString('en')} values, columns and operations, and ${MAX_DEPTH} of them within each other.

## Where

- **Columns of tables**: \`{"name":"Total","type":"formula","options":{"formula":"{unit_price} * {qty}"}}\`. Columns are called by key, by name in any letter
  case, or by id, and answers have the keys. A formula may read other formulas and lookups, in no circle. A column that one reads takes it along into the
  trash, and cannot be converted into what it could not be made of. It cannot be written, required or unique; \`search\` looks into its texts. Events tell
  what became of formulas that the row alone decides, unless they come to very much; those that read linked rows, or the clock, change without any event.
- **Computed columns of views**, over all that the view has beside each other: \`"computed":[{"key":"margin","name":"Margin","formula":"{d.price} - {d.cost}"}]\`.
- \`POST /formulas/check\` says of a formula what it gives, what is wrong with it, and what can stand where somebody types. Nothing is stored.

## Types

Numbers, texts, true and false, dates, dates with times, and lists of them. Nothing becomes another type by itself, except that \`&\` takes any
value as TEXT shows it. A choice is the text of its key (LABEL gives what people read), a person the text of the id. Columns with several
values are lists. Attachments, JSON and links can only be counted and asked for being there.

- **Numbers are exact decimals**: no result has more than 18 digits behind the point, quotients, averages, roots and powers have up to 10; halves
  are rounded away from zero. 10^38 and more is an error. A result that is whole and within ±(2^53−1) whatever the row holds is a JSON
  number, all others are strings; where all values of it have the same number of digits behind the point, they are shown.
- **Texts** are compared by code point and counted in code points. One that a formula makes has at most ${MAX_TEXT.toLocaleString('en')} characters; a longer one is
  an error. Letters that have capitals only since Unicode 11 (Georgian, for one) are left as they are.
- **Dates** go from the year 1 to 9999 of the Gregorian calendar, weeks begin on Monday. Times are instants to the millisecond; functions that look at
  a wall take a time zone, UTC if not said. A time that is skipped in spring is taken by the clock before, and of one that comes
  twice in autumn the second is meant.

## Nothing, and errors

- Arithmetic and most functions with nothing (null) give nothing. \`&\` and CONCAT take it for an empty text; SUM, AVERAGE, MIN, MAX and COUNT leave it out.
- Comparisons are true or false: nothing is the same as nothing and differs from everything else; it is neither smaller nor greater. As a condition it is not true.
- What cannot be computed (a division by zero, a number past the limit, a text that is no date) is an error. An error makes an error of everything around
  it, and the value of the formula is null; ISERROR and IFERROR see it. IF, IFS, SWITCH, AND, OR, COALESCE and IFERROR compute no more than they
  take, so an error in what they leave is none.

## Operators

| | gives | example |
| --- | --- | --- |
${operators.join('\n')}

## Functions

Arguments in square brackets can be left out; … stands for more of the last ones. Time zones, units, patterns and digits are written out, not
computed. Examples are for a row with \`{qty}\` 3, \`{price}\` 12.00, \`{cost}\` 7.50, \`{status}\` open, \`{tags}\` red and blue, \`{marks}\` 1, 2 and 3, \`{due}\`
2026-12-01 and \`{seen}\` 2026-11-22T15:04:05.678Z.

${sections.join('\n\n')}

## What is wrong with a formula

Each item of \`errors[]\` has a code, \`position\` and \`length\` in UTF-16 code units from the beginning of the text as it was sent, and \`expected\` where that can be said:
${FLAW_CODES.map((each) => `\`${each}\``).join(', ')}.
`;
}
