import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newId, type Id } from '../../src/common/index.js';
import {
  checkFormula,
  evaluateFormula,
  type CellValue,
  type ColumnSchema,
  type EvaluatedRow,
  type Expression,
  type TableSchema,
} from '../../src/query/index.js';
import { arbitrary, CHOICES, column, everyType, fuzz, NOW } from '../query/index.js';
import { makeLinkedBase } from './linked-base.js';
import { ids, pageOf, planOf } from './pages.js';
import { create, fill, makeTable, node, writeOf, type Node } from './store.js';

let store: Node;
beforeAll(async () => {
  store = await node();
});

const folded = (text: string): string => text.normalize('NFC').toLowerCase().replaceAll('ς', 'σ');

/** The texts of a cell in which a word may be found. */
function textsOf({ type }: ColumnSchema, cell: CellValue | undefined): string[] {
  const values = (Array.isArray(cell) ? cell : [cell]) as unknown[];
  if (type === 'single_select' || type === 'multi_select')
    return CHOICES.filter(({ key }) => values.includes(key)).map(({ label }) => label);
  if (!['text', 'long_text', 'url', 'email', 'phone'].includes(type)) return [];
  return values.flatMap((value) => (typeof value === 'string' ? [value] : []));
}

const TEXT_FORMULAS = {
  loud: 'UPPER({name}) & " " & {title}',
  part: 'IF({qty} > 0, LEFT({notes}, 3), NULL)',
  picked: 'IF(ISBLANK({status}), "nothing", LABEL({status}))',
  number: '{qty} + 1',
  list: 'UNIQUE({tags})',
  twice: '{loud} & {part}',
} as const;

/** The table with formulas over its columns and over each other. */
function withFormulas(plain: TableSchema): TableSchema {
  const columns = [...plain.columns];
  const scope = { find: (name: string) => columns.find(({ key }) => key === name), names: () => [] };
  for (const [key, formula] of Object.entries(TEXT_FORMULAS)) {
    const checked = checkFormula(formula, scope);
    if (!checked.ok) throw new Error(JSON.stringify(checked.flaws));
    columns.push(column(key, 'formula', { derived: { kind: 'formula', expression: checked.expression } }));
  }
  return { ...plain, columns };
}

function computed(of: ColumnSchema, row: EvaluatedRow): CellValue {
  const { derived } = of;
  if (derived?.kind !== 'formula') return row.fields[of.key] ?? null;
  return evaluateFormula(derived.expression as Expression, (each) => computed(each, row), { now: NOW });
}

describe('a search', () => {
  it('finds the rows in which each word is somewhere, and no other', async () => {
    const made = everyType();
    const word = fc.constantFrom(
      'a', 'B', 'ab%', '%', '_', '\\', "'", '"', 'é', 'e\u0301', 'ΟΔΟΣ', 'σ', 'İ', 'i', 'example', 'LOST', 'for', 'open', '30', '\u{1F600}',
    ); // prettier-ignore
    const words = fc.array(word, { minLength: 1, maxLength: 3 });
    const rows = fc.sample(arbitrary.fields(made), fuzz(120));
    const real = await makeTable(store, made);
    const filled = await fill(store, real, rows);
    const has = (row: EvaluatedRow, part: string): boolean =>
      made.columns.some((column) =>
        textsOf(column, row.fields[column.key]).some((text) => folded(text).includes(folded(part))),
      );
    let found = 0;
    await fc.assert(
      fc.asyncProperty(words, fc.constantFrom(' ', '\t', '  \n '), async (wanted, between) => {
        const { rows: page } = await pageOf(store, planOf(real, { search: wanted.join(between) }));
        const expected = filled.filter((row) => wanted.every((part) => has(row, part)));
        expect(ids(page)).toEqual(ids(expected).toSorted());
        found += page.length > 0 && page.length < filled.length ? 1 : 0;
      }),
      fuzz(150),
    );
    expect(found).toBeGreaterThan(50);
  });

  it('looks into what formulas make of a row as into what is written there', async () => {
    const made = withFormulas(everyType());
    const rows = fc.sample(arbitrary.fields(everyType()), fuzz(100));
    const real = await makeTable(store, made);
    const filled = await fill(store, real, rows);
    const texts = (row: EvaluatedRow): string[] =>
      made.columns.flatMap((each) => {
        if (each.type !== 'formula') return textsOf(each, row.fields[each.key]);
        const value = computed(each, row);
        // Lists of choices are texts of their keys to formulas.
        return (Array.isArray(value) ? value : [value]).flatMap((one: unknown) =>
          typeof one === 'string' && each.key !== 'number' ? [one] : [],
        );
      });
    const own = (row: EvaluatedRow): string[] => made.columns.flatMap((each) => textsOf(each, row.fields[each.key]));
    const has = (all: readonly string[], part: string) => all.some((text) => folded(text).includes(folded(part)));
    const word = fc.constantFrom(
      'a',
      'B',
      'noth',
      'ing',
      '%',
      '\\',
      'é',
      'ΟΔΟΣ',
      'i',
      'LOST FOR',
      'open',
      'Red',
      '1',
      '30',
      ' ',
    );
    let byFormula = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 3 }), async (wanted) => {
        const words = wanted
          .join(' ')
          .split(' ')
          .filter((part) => part !== '');
        if (words.length === 0) return;
        const { rows: page } = await pageOf(store, planOf(real, { search: wanted.join(' ') }));
        const expected = filled.filter((row) => words.every((part) => has(texts(row), part)));
        expect({ wanted, ids: ids(page) }).toEqual({ wanted, ids: ids(expected).toSorted() });
        byFormula += expected.filter((row) => !words.every((part) => has(own(row), part))).length;
      }),
      fuzz(60),
    );
    expect(byFormula).toBeGreaterThan(0);
  });

  it('finds what lookups and rollups show of other rows, one text or a list of them, and labels of choices there', async () => {
    const { companies, deals, tags } = await makeLinkedBase(store);
    const [acme, other] = [newId(), newId()];
    const company = (id: Id, name: string) => create(companies, { name }, id);
    await store.writer.write(companies, writeOf([company(acme, 'Acme'), company(other, 'Other')]));
    const deal = (name: string, of: Id, status: string) => create(deals, { name, status, company: [of] });
    await store.writer.write(deals, writeOf([deal('one', acme, 'lost'), deal('two', acme, 'won'), deal('three', other, 'open')])); // prettier-ignore
    const names = async (table: TableSchema, search: string) =>
      (await pageOf(store, planOf(table, { search, sort: [{ field: 'name', dir: 'asc' }] }))).rows.map(
        ({ fields }) => fields.name,
      );
    expect(await names(deals, 'acm')).toEqual(['one', 'two']);
    expect(await names(deals, 'ACME two')).toEqual(['two']);
    // A list of choices (stages), and texts in one (names).
    expect(await names(companies, 'for GOOD')).toEqual(['Acme']);
    expect(await names(companies, 'thr')).toEqual(['Other']);
    expect(await names(companies, 'e t')).toEqual(['Acme', 'Other']);
    expect(await names(companies, 'nowhere')).toEqual([]);
    // Each text of a list by itself: no text is made of two of them.
    const [red, green] = [newId(), newId()];
    await store.writer.write(
      tags,
      writeOf([create(tags, { label: 'Red' }, red), create(tags, { label: 'Green' }, green)]),
    );
    await store.writer.write(deals, writeOf([create(deals, { name: 'four', tags: [red, green] })]));
    for (const [search, found] of [
      ['gree', ['four']],
      ['green RED', ['four']],
      ['RedGreen', []],
      ['dg', []],
    ] as const)
      expect([search, await names(deals, search)]).toEqual([search, found]);
  });

  it('and a filter are both obeyed', async () => {
    const real = await makeTable(store);
    await fill(store, real, [
      { title: 'Acme', qty: 1 },
      { title: 'acme too', qty: 2 },
      { title: 'Other', qty: 2 },
    ]);
    const plan = planOf(real, { search: 'ACME', filterJson: { field: 'qty', op: 'eq', value: 2 }, count: 'exact' });
    const { rows, count } = await pageOf(store, plan);
    expect([rows.map(({ fields }) => fields.title), count?.value]).toEqual([['acme too'], 1]);
  });
});
