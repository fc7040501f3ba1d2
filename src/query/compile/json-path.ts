import type { JsonScalar, JsonTest } from '../plan.js';
import { join, sql, value, type Sql } from '../sql.js';
import { COMPARISON } from './comparison.js';
import { textMatch } from './text-match.js';

/** A test of what stands at the path in a JSON cell. A `case` keeps PostgreSQL from casting what is of another type, which would fail. */
export function jsonTest(cell: Sql, path: readonly string[], test: JsonTest, match = textMatch): Sql {
  const at = sql`(${cell} #> ${value([...path], 'text[]')})`;
  const is = (type: TypeName, condition: Sql): Sql =>
    sql`case jsonb_typeof(${at}) when ${TYPES[type].name} then ${condition} end`;
  const read = (type: TypeName): Sql => TYPES[type].read(at);
  switch (test.kind) {
    case 'isNull':
      return sql`coalesce(jsonb_typeof(${at}), 'null') = 'null'`;
    case 'compare': {
      const type = typeOf(test.value);
      return is(type, sql`${read(type)} ${COMPARISON[test.op]} ${value(test.value, TYPES[type].bind)}`);
    }
    case 'oneOf': {
      const types = [...new Set(test.values.map(typeOf))];
      const ofType = types.map((type) => {
        const values = test.values.filter((each) => typeOf(each) === type);
        return is(type, sql`${read(type)} = any(${value(values, `${TYPES[type].bind}[]`)})`);
      });
      return sql`(${join(ofType, sql` or `)})`;
    }
    case 'match':
      return is('string', match(read('string'), test.mode, test.text));
  }
}

const TYPES = {
  // By code point, like texts of columns; `jsonb` itself would order them by the database's collation.
  string: { name: sql`'string'`, bind: 'text', read: (at: Sql) => sql`(${at} #>> '{}') collate "C"` },
  number: { name: sql`'number'`, bind: 'numeric', read: (at: Sql) => sql`${at}::numeric` },
  boolean: { name: sql`'boolean'`, bind: 'boolean', read: (at: Sql) => sql`${at}::boolean` },
} as const;

type TypeName = keyof typeof TYPES;

function typeOf(scalar: JsonScalar): TypeName {
  if (typeof scalar === 'string') return 'string';
  return typeof scalar === 'number' ? 'number' : 'boolean';
}
