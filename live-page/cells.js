/**
 * How cells are shown and edited, by the type of their column. `show` makes a text of a value. What can be edited also has `edit`, which makes the
 * field to edit in, and `read`, which gives the value of such a field, or throws a sentence for the person.
 */

const field = (tag, type, value, more = {}) => Object.assign(document.createElement(tag), { ...type, value, ...more });

const input =
  (more = {}) =>
  (value) =>
    field('input', { type: 'text' }, value ?? '', more);

const orNull = (text) => (text === '' ? null : text);

const text = { show: String, edit: input(), read: ({ value }) => orNull(value) };

const matching = (pattern, sentence, make) => (text) => {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  if (!pattern.test(trimmed)) throw new Error(sentence);
  return make(trimmed);
};
const wholeOf = matching(/^[+-]?\d{1,16}$/, 'A whole number is expected.', Number);
// As a text, for it may have more digits than a number of JavaScript.
const decimalOf = matching(/^[+-]?(\d+\.?\d*|\.\d+)$/, 'A number is expected, such as 12.50.', String);

const whole = { show: String, edit: input({ inputMode: 'numeric' }), read: ({ value }) => wholeOf(value) };
const decimal = { show: String, edit: input({ inputMode: 'decimal' }), read: ({ value }) => decimalOf(value) };

/** RFC 3339 to what the field for local times takes, and back. */
const localTime = (value) => {
  const at = new Date(value);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 23);
};

const choiceOf = (value, { options }) => options.choices?.find(({ key }) => key === value)?.label ?? String(value);

const TYPES = {
  text,
  email: text,
  url: text,
  phone: text,
  long_text: {
    ...text,
    edit: (value) => field('textarea', { rows: 4 }, value ?? ''),
  },
  integer: whole,
  rating: whole,
  decimal,
  currency: decimal,
  percent: decimal,
  boolean: { show: (value) => (value ? '☑ yes' : '☐ no'), toggle: (value) => value !== true },
  date: {
    show: String,
    edit: (value) => field('input', { type: 'date' }, value ?? '', { max: '9999-12-31' }),
    read: ({ value, validity }) => {
      if (validity.badInput) throw new Error('A whole date is expected.');
      return orNull(value);
    },
  },
  datetime: {
    show: (value) => new Date(value).toLocaleString(),
    edit: (value) =>
      field('input', { type: 'datetime-local' }, value === null ? '' : localTime(value), {
        max: '9999-12-31T23:59',
        step: 'any',
      }),
    read: ({ value, validity }) => {
      if (validity.badInput) throw new Error('A whole date and time is expected.');
      return value === '' ? null : new Date(value).toISOString();
    },
  },
  single_select: {
    show: choiceOf,
    edit: (value, { options }) => {
      const select = document.createElement('select');
      select.append(new Option('', ''), ...(options.choices ?? []).map(({ key, label }) => new Option(label, key)));
      select.value = value ?? '';
      return select;
    },
    read: ({ value }) => orNull(value),
  },
  multi_select: { show: (values, column) => values.map((value) => choiceOf(value, column)).join(', ') },
};

/** What nobody has taught the page: its JSON, to look at. */
const other = { show: (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)) };

const typeOf = ({ type }) => (Object.hasOwn(TYPES, type) ? TYPES[type] : other);

export const shown = (value, column) =>
  value === null || value === undefined ? '' : typeOf(column).show(value, column);

/** Whether a cell of the column is edited in a field, ticked, or only looked at. */
export const howEdited = (column) => {
  const type = typeOf(column);
  if (type.toggle) return 'toggle';
  return type.edit ? 'field' : 'not';
};

export const toggled = (value, column) => typeOf(column).toggle(value);
export const fieldFor = (value, column) => typeOf(column).edit(value ?? null, column);
export const valueOf = (element, column) => typeOf(column).read(element, column);
