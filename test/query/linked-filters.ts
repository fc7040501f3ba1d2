import fc from 'fast-check';
import type { Id } from '../../src/common/index.js';
import { operatorsOf, type LinkRef, type TableSchema } from '../../src/query/index.js';
import { leaf } from './arbitraries.js';

/** Ids that rows of a table may have. */
export type RowIds = (table: TableSchema) => readonly Id[];

const linksOf = ({ columns }: TableSchema): { readonly key: string; readonly link: LinkRef }[] =>
  columns.flatMap(({ key, derived }) => (derived?.kind === 'link' ? [{ key, link: derived.link }] : []));

/** A condition on the ids that a link column holds. */
function linkLeaf(table: TableSchema, idsOf: RowIds): fc.Arbitrary<object> {
  const columns = table.columns.filter(({ type }) => type === 'link');
  return fc.constantFrom(...columns).chain((column) => {
    const rows = column.derived?.kind === 'link' ? idsOf(column.derived.link.target) : [];
    return fc.record({
      field: fc.constant(column.key),
      op: fc.constantFrom(...operatorsOf(column)),
      value: fc.array(fc.constantFrom(...rows), { minLength: 1, maxLength: 3 }),
    });
  });
}

const withoutNeedlessValue = (each: { readonly op?: unknown; readonly value?: unknown }): object => {
  const { value, ...rest } = each;
  return /^is(Not)?(Null|Empty)$/.test(String(each.op)) ? rest : { ...rest, value };
};

/** A filter in the JSON syntax that follows links up to a depth, and asks for all that is computed from them. */
export function linkedFilter(table: TableSchema, idsOf: RowIds, depth = 3): fc.Arbitrary<object> {
  const plain = fc.oneof(leaf(table), leaf(table), linkLeaf(table, idsOf).map(withoutNeedlessValue));
  if (depth === 0) return plain;
  const deeper = fc.constant(depth - 1);
  const through = fc.constantFrom(...linksOf(table)).chain(({ key, link }) =>
    fc.record({
      link: fc.constant(key),
      quantifier: fc.constantFrom('some', 'every', 'none'),
      where: deeper.chain((left) => linkedFilter(link.target, idsOf, left)),
    }),
  );
  const same = deeper.chain((left) => linkedFilter(table, idsOf, left));
  const list = fc.array(same, { minLength: 1, maxLength: 3 });
  return fc.oneof(
    { weight: 4, arbitrary: plain },
    { weight: 3, arbitrary: through },
    { weight: 1, arbitrary: list.map((and) => ({ and })) },
    { weight: 1, arbitrary: list.map((or) => ({ or })) },
    { weight: 1, arbitrary: same.map((not) => ({ not })) },
  );
}
