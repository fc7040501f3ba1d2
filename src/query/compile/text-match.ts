import { sql, value, type Sql } from '../sql.js';

/** As {@link foldCase}. Case is ignored by Unicode's rules: the C collation of the columns would fold ASCII only. */
export const folded = (text: Sql): Sql => sql`translate(lower(${text} collate "und-x-icu"), 'ς', 'σ')`;

/** `%`, `_` and `\` are ordinary characters. */
export function textMatch(text: Sql, mode: 'contains' | 'startsWith' | 'endsWith', part: string): Sql {
  const escaped = part.replaceAll(/[\\%_]/g, '\\$&');
  const pattern = { contains: `%${escaped}%`, startsWith: `${escaped}%`, endsWith: `%${escaped}` }[mode];
  return sql`${folded(text)} like ${folded(value(pattern, 'text'))}`;
}
