import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CellValue, ColumnSchema, EvaluatedRow } from '../../src/query/index.js';
import { arbitrary, CHOICES, everyType, fuzz } from '../query/index.js';
import { ids, pageOf, planOf } from './pages.js';
import { fill, makeTable, node, type Node } from './store.js';

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
