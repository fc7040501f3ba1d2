import { sql, type Sql } from '../../sql.js';
import { asCount, asText, elements, once, withinLength } from '../../compile/formula/fragments.js';
import { toCount, whole, type Decimal } from '../decimal.js';
import type { Expression } from '../expression.js';
import { takes, type FormulaFunction, type Strict, type Value } from '../function.js';
import { BOOLEAN, MAX_TEXT, textShape, wholeShape, type Shape } from '../shape.js';
import { asString, joined, textOf } from '../text-of.js';
import { AGGREGATES } from './aggregates.js';
import { compareValues, isSame } from './comparisons.js';

const row = (name: string, summary: string, examples: FormulaFunction['examples'], ...overloads: Strict[]): FormulaFunction => ({ name, category: 'list', summary, examples, overloads }); // prettier-ignore
const none = sql`null`;
const elementsOf = (value: Value | undefined): readonly Value[] =>
  Array.isArray(value) ? (value as readonly Value[]) : [];

/** What one of the elements is. */
const element = ([list]: readonly Expression[]): Shape => ({
  ...(list?.shape ?? BOOLEAN),
  list: false,
  nullable: true,
  fails: false,
});
const elementShape = ([list]: readonly Expression[]): Shape => ({ ...(list?.shape ?? BOOLEAN), list: false });

/** Null behind the end: no error, so the shape says so, and null of nulls is none either. */
const at = (over: Pick<Strict, 'params' | 'compute' | 'postgres'>): Strict => ({
  ...over,
  aware: true,
  returns: element,
});

const distinct = (values: readonly Value[]): readonly Value[] =>
  values.filter((value, i) => values.findIndex((other) => isSame(other, value)) === i);

export const LISTS: readonly FormulaFunction[] = [
  ...AGGREGATES,
  row(
    'JOIN',
    'All of a list as one text, with a comma between, or what is said.',
    [
      ['JOIN({tags})', 'red, blue'],
      ['JOIN({marks}, "-")', '1-2-3'],
    ],
    {
      params: [takes.list('list'), takes.text('between', { optional: true })],
      returns: () => ({ ...textShape(MAX_TEXT), fails: true }),
      compute: ([list, between = ', '], { args: [of] }) => {
        const texts = elementsOf(list).map((value) => textOf(value, of?.shape));
        return joined(texts, asString(between));
      },
      postgres: ([list = none, between = sql`', '::text`], { args }) => {
        const shape = elementShape(args);
        const made =
          shape.of === 'text'
            ? sql`array_to_string(${list}, ${between})`
            : once(
                between,
                (own) =>
                  sql`case when ${own} is not null then (select string_agg(${asText(shape, sql`e`)}, ${own} order by o) from ${elements(list)}) end`,
              );
        return withinLength(MAX_TEXT + 1, made);
      },
    },
  ),
  row('ITEM', 'The element at a place, from 1; nothing where there is none.', [['ITEM({tags}, 2)', 'blue'], ['ITEM({tags}, 9)', null]],
    at({
      params: [takes.list('list'), takes.number('place')],
      compute: ([list, place]) => (place === null ? null : (elementsOf(list)[Math.min(toCount(place as Decimal), 1_000_000) - 1] ?? null)),
      postgres: ([list = none, place = none]) => sql`(${list})[${asCount(place)}]`,
    })), // prettier-ignore
  row('FIRST', 'The first element.', [['FIRST({tags})', 'red']],
    at({ params: [takes.list('list')], compute: ([list]) => elementsOf(list)[0] ?? null, postgres: ([list = none]) => sql`(${list})[1]` })), // prettier-ignore
  row('LAST', 'The last element.', [['LAST({tags})', 'blue']],
    at({ params: [takes.list('list')], compute: ([list]) => elementsOf(list).at(-1) ?? null, postgres: ([list = none]) => once(list, (all) => sql`(${all})[cardinality(${all})]`) })), // prettier-ignore
  row('UNIQUE', 'Every element once, where it is first.', [['UNIQUE({tags})', ['red', 'blue']]], {
    params: [takes.list('list')],
    returns: ([list]) => ({ ...(list?.shape ?? BOOLEAN), fails: false }),
    compute: ([list]) => distinct(elementsOf(list)),
    postgres: ([list = none]) => sql`(select array_agg(e order by o) from (select distinct on (e) e, o from ${elements(list)} order by e, o) _first)`, // prettier-ignore
  }),
  row('COUNTDISTINCT', 'How many different elements there are.', [['COUNTDISTINCT({tags})', 2]], {
    params: [takes.list('list')],
    aware: true,
    returns: () => wholeShape(1_000_000_000),
    compute: ([list]) => whole(distinct(elementsOf(list)).length),
    postgres: ([list = none]) => sql`(select count(distinct e) from ${elements(list)})`,
  }),
];

const SORTS = ['number', 'text', 'boolean', 'date', 'datetime'] as const;

/** CONTAINS of lists. */
export const LIST_CONTAINS: readonly Strict[] = SORTS.map((sort) => ({
  params: [takes.listOf(sort, 'list'), sort === 'number' ? takes.number('value') : sort === 'text' ? takes.text('value') : sort === 'date' ? takes.date('value') : sort === 'datetime' ? takes.datetime('value') : takes.boolean('value')], // prettier-ignore
  aware: true,
  whole: true,
  returns: () => BOOLEAN,
  compute: ([list, value]) =>
    value !== null && elementsOf(list).some((each) => compareValues(each, value ?? null) === 0),
  postgres: ([list = none, value = none]: readonly Sql[]) => sql`(array_position(${list}, ${value}) is not null)`,
}));
