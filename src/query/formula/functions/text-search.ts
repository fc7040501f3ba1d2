import * as mongo from '../../compile/formula/mongo-fragments.js';
import * as mysql from '../../compile/formula/mysql-fragments.js';
import { alikeSql, asPlace, once, onceEach } from '../../compile/formula/fragments.js';
import type { MatchMode } from '../../case-pattern.js';
import { sql, value, type Sql } from '../../sql.js';
import { toCount, whole, type Decimal } from '../decimal.js';
import { constantOf } from '../expression.js';
import { takes, type Strict, type Value } from '../function.js';
import { alike } from '../letters.js';
import { BOOLEAN, wholeShape } from '../shape.js';
import { asString } from '../text-of.js';

/* A part in a text: whether it is there, and where. */

const none = sql`null`;
const text = takes.text;
export const characters = (value: Value | undefined): string[] => [...asString(value)];

/** A count of characters or a place among them: from 0 to a million, as whole as it may be. */
export const countOf = (value: Value | undefined): number =>
  Math.min(Math.max(toCount(value as Decimal), 0), 1_000_000);

/** Letters of both cases alike, each character remaining one, so that places are those of the text itself. */
export const foldEach = (value: string): string => alike(value.replaceAll('İ', 'i'));
export const foldedEach = (given: Sql): Sql => alikeSql(given, true);

/** Whether a part is in a text, whatever the letter case. */
export const found = (
  mode: MatchMode,
  compute: (text: string, part: string) => boolean,
  postgres: (text: Sql, part: Sql) => Sql,
): Strict => ({
  mysql: ([a = none], { args: [, part] }) => mysql.matches(a, constantOf(part), mode),
  mongo: ([a], { args: [, part] }) => mongo.matches(a, constantOf(part), mode),
  params: [text('text'), text('part')],
  returns: () => BOOLEAN,
  compute: ([a, b]) => compute(alike(asString(a)), alike(asString(b))),
  postgres: ([a = none, b = none], { args: [, part] }) => {
    const wanted = constantOf(part);
    return postgres(alikeSql(a), typeof wanted === 'string' ? value(alike(wanted), 'text') : alikeSql(b));
  },
});

/** Where a part begins, from 1; 0 where it is not. */
export const place = (fold: (text: string) => string, foldSql: (text: Sql) => Sql, isPlain = false): Strict => ({
  params: [text('part'), text('text'), takes.number('from', { optional: true })],
  returns: ([, a]) => wholeShape((a?.shape.length ?? 0) + 1),
  compute: ([part, a, from]) => {
    const start = from === undefined ? 1 : Math.max(1, countOf(from));
    const rest = characters(a).slice(start - 1);
    if (rest.length === 0 && start > 1 && start > [...asString(a)].length + 1) return whole(0);
    const behind = fold(rest.join(''));
    const at = behind.indexOf(fold(asString(part)));
    return whole(at < 0 ? 0 : [...behind.slice(0, at)].length + start);
  },
  ...(isPlain ? { mysql: ([part = none, a = none, from]) => (from ? undefined : sql`locate(${part}, ${a})`) } : {}),
  whole: true,
  postgres: ([part = none, a = none, from], { args }) => {
    const constant = constantOf(args[0]);
    const wanted = typeof constant === 'string' ? value(fold(constant), 'text') : foldSql(part);
    if (!from) return sql`strpos(${foldSql(a)}, ${wanted})`;
    const start = asPlace(from, args[2]);
    return onceEach([a, start], ([x = a, n = start]) =>
      once(
        sql`strpos(${foldSql(sql`substr(${x}, ${n})`)}, ${wanted})`,
        (at) =>
          sql`case when ${n} > char_length(${x}) + 1 or ${at} = 0 then 0 * char_length(${part}) else ${at} + ${n} - 1 end`,
      ),
    );
  },
});
