import { describe, expect, it } from '@jest/globals';
import { column, everyType } from '../../../test/query/index.js';
import type { ColumnSchema, LinkRef, RollupFunction } from '../schema.js';
import { toStatement } from '../sql.js';
import { fieldsJson } from './row-json.js';
import { inOnePass } from './shared-pass.js';

const target = everyType();
const link = (more: Partial<Pick<LinkRef, 'through' | 'end' | 'single'>> = {}): LinkRef => ({
  through: '_link_a',
  end: 'source',
  single: false,
  inverseSingle: false,
  inverseKey: 'others',
  target,
  ...more,
});
const [text, integer, select] = [column('label', 'text'), column('size', 'integer'), column('stage', 'single_select')];
const lookup = (key: string, of: ColumnSchema = text, through = link()): ColumnSchema =>
  column(key, 'lookup', { derived: { kind: 'lookup', link: through, column: of } });
const rollup = (key: string, fn: RollupFunction, of: ColumnSchema = integer): ColumnSchema =>
  column(key, 'rollup', { derived: { kind: 'rollup', link: link(), column: of, fn } });

const grouped = (...columns: readonly ColumnSchema[]): string[] =>
  inOnePass(columns).map((group) => group.map(({ key }) => key).join('+'));

describe('lookups and rollups of a row', () => {
  it('share a pass where they stand side by side and go through the same end of the same link', () => {
    expect(grouped(lookup('a'), lookup('b', integer), rollup('c', 'sum'), text, rollup('d', 'avg'))).toEqual([
      'a+b+c',
      'label',
      'd',
    ]);
    expect(grouped(lookup('a'), lookup('b', text, link({ through: '_link_b' })))).toEqual(['a', 'b']);
    expect(grouped(lookup('a'), lookup('b', text, link({ end: 'target' })))).toEqual(['a', 'b']);
  });

  it('keep a pass of their own where rows with empty values would have to be left out', () => {
    expect(grouped(lookup('a'), rollup('b', 'count'), rollup('c', 'concat', text), rollup('d', 'max', select))).toEqual(
      ['a', 'b', 'c', 'd'],
    );
  });

  it('keep a pass of their own where a cell is the value of the only linked row, or the linked cells are lists', () => {
    expect(grouped(lookup('a', text, link({ single: true })), lookup('b', text, link({ single: true })))).toEqual([
      'a',
      'b',
    ]);
    expect(grouped(lookup('a', lookup('inner')), lookup('b', lookup('inner')))).toEqual(['a', 'b']);
  });

  it('read the linked rows once, whatever their number', () => {
    const { text: statement } = toStatement(
      fieldsJson('t', [lookup('a'), lookup('b', integer), rollup('c', 'sum')], { schema: target.physical.schema }),
    );
    expect(statement.match(/"_link_a"/g)).toHaveLength(1);
  });
});
