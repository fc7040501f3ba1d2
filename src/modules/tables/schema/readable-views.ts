import { must, type Id } from '../../../common/index.js';
import { dropReadableView, readableView, tablesShown, type Sql } from '../../../query/index.js';
import type { TableRecord } from '../tables/table-schema.js';
import type { BeforeAndAfter, Snapshot } from './before-and-after.js';

interface Change {
  readonly schema: string;
  readonly statements: readonly Sql[];
}

/**
 * The change with the readable view of each table that it touches, and of those that show something of one: dropped first, made
 * anew behind, for a table that is there afterwards. Goes by the metadata before and after, so that no use case has to think
 * of it.
 */
export function withReadableViews<C extends Change>(change: C, { before, after, changed }: BeforeAndAfter): C {
  const { schema } = change;
  const drops = touched(before, changed).map(({ table }) => dropReadableView(schema, table.physicalName));
  const views = touched(after, changed).flatMap(({ table }) =>
    readableView({ ...must(after.schemas.get(table.id), 'a table has its schema'), name: table.name }),
  );
  return { ...change, statements: [...drops, ...change.statements, ...views] };
}

const touched = ({ records, schemas }: Snapshot, changed: ReadonlySet<Id>): readonly TableRecord[] =>
  records.filter(({ table }) => {
    const schema = must(schemas.get(table.id), 'a table has its schema');
    return [...tablesShown(schema)].some((id) => changed.has(id));
  });
