import { describe, expect, it } from '@jest/globals';
import { newId } from '../../common/index.js';
import type { ColumnSchema, TableSchema } from '../schema.js';
import { pinned } from './pins.js';

const column = (key: string, id = newId()): ColumnSchema => ({
  ...{ id, key, name: key, type: 'text', options: {}, required: false, unique: false, default: null, physical: key },
});
const table = (...columns: readonly ColumnSchema[]): TableSchema => ({
  ...{ id: 'a table', schemaVersion: 1, physical: { schema: 's', table: 't' }, columns },
});

describe('a table as a definition knew it', () => {
  it('is itself while its columns are those that it had, and more', () => {
    const [name, price] = [column('name'), column('price')];
    const now = table(name, price, column('later'));
    expect(pinned(now, { 'a table': { name: name.id, price: price.id } })).toBe(now);
    expect(pinned(now, undefined)).toBe(now);
  });

  it('is without a column that has taken the key of another', () => {
    const [name, price] = [column('name'), column('price')];
    const now = table(name, column('price'));
    expect(pinned(now, { 'a table': { name: name.id, price: price.id } }).columns).toEqual([name]);
  });

  it('has none that came later, if the definition is frozen', () => {
    const [name, later] = [column('name'), column('later')];
    expect(pinned(table(name, later), { 'a table': { name: name.id } }, true).columns).toEqual([name]);
  });
});
