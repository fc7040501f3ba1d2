import { cleanName, COLOR_RULE, deriveKey, foldName, isColor } from '../../common/index.js';
import type { Choice, ColumnOptions } from '../schema.js';
import { comma, join, literal, sql, type Sql } from '../sql.js';
import { accepted, refused, type ColumnType, type Parsed } from './column-type.js';
import { foldedLabel } from './label.js';
import { knownOptions } from './options.js';
import { compareCodePoints, parseWellFormed } from './text.js';

const MAX_CHOICES = 500;

/** Choices from `[{key?, label, color?}]`. A key is derived from the label where none is given. */
export function parseChoices(input: unknown): Parsed<readonly Choice[]> {
  if (!Array.isArray(input) || input.length === 0)
    return refused('invalid_option', 'choices is a list of at least one {label}.');
  if (input.length > MAX_CHOICES) return refused('invalid_option', `At most ${MAX_CHOICES} choices are allowed.`);
  const choices: Choice[] = [];
  const labels = new Set<string>();
  const all = (input as unknown[]).map(labelOf);
  for (const [i, entry] of (input as unknown[]).entries()) {
    // Input is a key before it is a label: a derived key that is the label of another choice would take its values away.
    const others = all.filter((label): label is string => label !== undefined && label !== all[i]);
    const choice = parseChoice(entry, new Set([...choices.map(({ key }) => key), ...others]));
    if (!choice.ok) return choice;
    const folded = foldName(choice.value.label);
    if (labels.has(folded))
      return refused('duplicate_choice', `Choice ${JSON.stringify(choice.value.label)} occurs twice.`);
    if (choices.some(({ key }) => key === choice.value.key))
      return refused('duplicate_choice', `Choice key ${choice.value.key} occurs twice.`);
    labels.add(folded);
    choices.push(choice.value);
  }
  return accepted(choices);
}

const labelOf = (entry: unknown): string | undefined =>
  typeof entry === 'object' && entry !== null && 'label' in entry ? cleanName(entry.label) : undefined;

function parseChoice(entry: unknown, taken: ReadonlySet<string>): Parsed<Choice> {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return refused('invalid_option', 'A choice is an object {label, key?, color?}.');
  const { key, label, color, ...rest } = entry as Record<string, unknown>;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined)
    return refused(
      'unknown_option',
      `A choice takes key, label and color, not ${JSON.stringify(unknown.slice(0, 60))}.`,
    );
  const name = cleanName(label);
  if (name === undefined)
    return refused(
      'invalid_option',
      'A choice needs a label of 1 to 255 characters, one of them visible, without control characters.',
    );
  if (key !== undefined && (typeof key !== 'string' || !/^[a-z][a-z0-9_]{0,47}$/.test(key)))
    return refused('invalid_option', 'A choice key has lower-case letters, digits and underscores, at most 48.');
  if (color !== undefined && !isColor(color))
    return refused('invalid_option', `The color of a choice is ${COLOR_RULE}.`);
  return accepted({ key: key ?? deriveKey(name, taken), label: name, ...(color === undefined ? {} : { color }) });
}

const choicesOf = (options: ColumnOptions): readonly Choice[] => options.choices ?? [];

const list = (options: ColumnOptions, of: (choice: Choice) => string): Sql =>
  join(
    choicesOf(options).map((choice) => literal(of(choice))),
    comma,
  );

export const parseChoiceOptions: ColumnType['parseOptions'] = (input) => {
  const unknown = knownOptions(input, ['choices']);
  if (unknown) return unknown;
  const choices = parseChoices(input.choices);
  return choices.ok ? accepted({ choices: choices.value }) : choices;
};

function parse(input: unknown, { options }: { readonly options: ColumnOptions }): Parsed {
  const text = parseWellFormed(input);
  if (!text.ok) return refused('not_a_choice', 'A choice key or label is expected.');
  const choices = choicesOf(options);
  for (const { key } of choices) if (key === text.value) return accepted(key);
  for (const { key, label } of choices) if (label === text.value) return accepted(key);
  const known = choices
    .slice(0, 8)
    .map(({ key }) => key)
    .join(', ');
  return refused(
    'not_a_choice',
    `${JSON.stringify(text.value.slice(0, 60))} is not a choice; choices are ${known}${choices.length > 8 ? ', …' : ''}.`,
  );
}

export const singleSelect: ColumnType = {
  name: 'single_select',
  summary: 'One of the listed choices, kept as its key.',
  operators: ['eq', 'neq', 'in', 'nin', 'isNull', 'isNotNull'],
  bind: 'text',
  family: 'choice',
  parseOptions: parseChoiceOptions,
  parse,
  parseText: parse,
  physical: () => sql`text`,
  collation: sql`collate "C"`,
  wire: 'text',
  toJson: (cell) => sql`'"' || ${cell} || '"'`,
  said: (key) => `"${String(key)}"`,
  toText: (cell, options) =>
    sql`coalesce((array[${list(options, ({ label }) => label)}]::text[])[array_position(array[${list(options, ({ key }) => key)}]::text[], ${cell})], ${cell})`,
  // By key or label, the key where they differ in what they mean; else by the label without regard to letter case and blanks around it,
  // as no two choices have labels that differ in these only.
  fromText(text, options) {
    if (choicesOf(options).length === 0) return sql`null::text`;
    const when = (given: string, key: string): Sql => sql`when ${text} = ${literal(given)} then ${literal(key)}`;
    const keys = choicesOf(options).map(({ key }) => when(key, key));
    const labels = choicesOf(options).map(({ key, label }) => when(label, key));
    const folded = join(
      choicesOf(options).map(({ label }) => foldedLabel(literal(label))),
      comma,
    );
    const place = sql`array_position(array[${folded}]::text[], ${foldedLabel(text)})`;
    return sql`case ${join([...keys, ...labels], sql` `)} else (array[${list(options, ({ key }) => key)}]::text[])[${place}] end`;
  },
  // A key has at most 48 characters, all of them ASCII.
  indexBytes: () => 48,
  // Selects sort in the order of their choices, not by key.
  orderKey: (cell, options) => sql`array_position(array[${list(options, ({ key }) => key)}]::text[], ${cell})`,
  compare(a, b, options) {
    const position = (key: unknown): number => choicesOf(options).findIndex((choice) => choice.key === key);
    return position(a) - position(b) || compareCodePoints(String(a), String(b));
  },
  jsonSchema: { type: 'string' },
};
