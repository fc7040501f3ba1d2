import { describe, expect, it } from '@jest/globals';
import { newId } from '../../common/index.js';
import { column, table } from '../../../test/query/index.js';
import type { ColumnSchema, LinkRef, TableSchema } from '../schema.js';
import type { RowOp } from '../write-plan.js';
import { lagsBehind } from './reread.js';

const [NAME, PAY] = [column('name', 'text'), column('pay', 'integer')];
const stamp = column('seen', 'updated_at', { derived: { kind: 'system' } });
const linkTo = (target: () => TableSchema): LinkRef => ({
  through: '_link_x',
  end: 'source',
  single: false,
  inverseSingle: false,
  inverseKey: 'back',
  get target() {
    return target();
  },
});
const lookup = (link: LinkRef, of: ColumnSchema) =>
  column(`look_${of.key}`, 'lookup', { derived: { kind: 'lookup', link, column: of } });

const toCompanies = linkTo(() => COMPANIES);
const COMPANY = column('company', 'link', { derived: { kind: 'link', link: toCompanies } });
const payroll = column('payroll', 'rollup', {
  derived: { kind: 'rollup', link: linkTo(() => people([])), column: PAY, fn: 'sum' },
});
const COMPANIES = table([NAME, payroll, stamp]);

const PEOPLE = newId();
const people = (more: readonly ColumnSchema[]): TableSchema => table([NAME, PAY, COMPANY, ...more], { id: PEOPLE });
const number = column('number', 'count', { derived: { kind: 'count', link: toCompanies } });
const back = lookup(toCompanies, payroll);

const setting = (columns: readonly ColumnSchema[]) => ({
  id: newId(),
  values: new Map(columns.map((each) => [each, null])),
});
const create = (...columns: readonly ColumnSchema[]): RowOp => ({ kind: 'create', ...setting(columns) });
const update = (...columns: readonly ColumnSchema[]): RowOp => ({ kind: 'update', ...setting(columns) });
const remove: RowOp = { kind: 'delete', id: newId() };

const own = new Set([PEOPLE]);
const both = new Set([PEOPLE, COMPANIES.id]);

describe('an answer', () => {
  it.each<[string, TableSchema, readonly RowOp[], ReadonlySet<string>]>([
    ['nothing is computed', people([]), [create(COMPANY), update(NAME, PAY, COMPANY), remove], both],
    ['links are counted', people([number]), [create(COMPANY), update(COMPANY), remove], both],
    ['others are looked up', people([lookup(toCompanies, NAME)]), [create(COMPANY), update(NAME, COMPANY)], both],
    ['what leads back is not written', people([back]), [update(NAME)], own],
    ['new rows have no links', people([back]), [create(NAME, PAY)], own],
    ['all rows are deleted', people([back]), [remove], both],
    ['the other table stays as it is', people([lookup(toCompanies, stamp)]), [update(NAME, PAY)], own],
  ])('is ready at once where %s', (_, of, ops, touched) => {
    expect(lagsBehind(of, ops, touched)).toBe(false);
  });

  it.each<[string, TableSchema, readonly RowOp[], ReadonlySet<string>]>([
    ['a value that leads back is written', people([back]), [update(NAME), update(PAY)], own],
    ['a new row is linked with what leads back to it', people([back]), [create(COMPANY)], both],
    ['the change of linked rows is looked up', people([lookup(toCompanies, stamp)]), [update(COMPANY)], both],
  ])('lags behind where %s', (_, of, ops, touched) => {
    expect(lagsBehind(of, ops, touched)).toBe(true);
  });
});
