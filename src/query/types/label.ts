import { literal, sql, type Sql } from '../sql.js';

/** What JavaScript trims. */
export const BLANKS =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff';

/** A text as a label of a choice is read, see `cleanName`. */
export const trimmedLabel = (text: Sql): Sql => sql`btrim(${text}, ${literal(BLANKS)})`;

/** As `foldName`: two texts of which it is the same are one label. The C collation of the columns would fold ASCII only. */
export const foldedLabel = (text: Sql): Sql => sql`lower(normalize(${trimmedLabel(text)}, nfkc) collate "und-x-icu")`;
