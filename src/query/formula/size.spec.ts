import { describe, expect, it } from '@jest/globals';
import { FORMULA_SCOPE } from '../../../test/query/formulas.js';
import { formulaSql } from '../compile/formula/postgres.js';
import { mysqlFormulaSql } from '../compile/formula/mysql.js';
import { ident, sql, toStatement } from '../sql.js';
import { checkFormula } from './check.js';

/** A formula put into itself as deep as it may be. */
const nested = (around: (inner: string) => string, leaf: string, depth = 60): string => {
  let text = leaf;
  for (let i = 0; i < depth; i++) text = around(text);
  return text;
};

const DEEP: readonly (readonly [string, string])[] = [
  ['roundings', nested((x) => `ROUNDUP(${x}, 1)`, '{price}')],
  ['powers', nested((x) => `(${x} ^ 1.5)`, '{price}', 30)],
  ['remainders', nested((x) => `MOD({cost}, ${x})`, '{price}')],
  ['steps', nested((x) => `CEILING(${x}, 0.3)`, '{price}')],
  ['the least', nested((x) => `MIN(${x}, {cost}, 1)`, '{price}')],
  ['padding', nested((x) => `PADLEFT(${x}, 5, "-")`, '{name}')],
  ['letters', nested((x) => `UPPER(${x})`, '{name}')],
  ['joined texts', nested((x) => `("-" & LEFT(${x} & {name}, 9))`, '{name}', 8)],
  ['places', nested((x) => `REPLACE({name}, FIND("a", ${x}, 2), 1, "-")`, '{name}', 30)],
  ['months', nested((x) => `DATEADD(${x}, 1, "month")`, '{due}')],
  ['walls', nested((x) => `STARTOF(${x}, "day", "Asia/Tokyo")`, '{seen}')],
  ['branches', nested((x) => `IF({active}, ${x}, {cost})`, '{price}')],
  ['divisions', nested((x) => `({price} / ${x})`, '{cost}')],
  ['comparisons', nested((x) => `IF(${x} >= {cost}, {price}, {cost})`, '{price}')],
  ['a long sum', Array.from({ length: 450 }, () => '{price}').join(' + ')],
  ['a long text', Array.from({ length: 450 }, () => '{name}').join(' & ')],
  ['errors looked at', nested((x) => `IFERROR(1 / ${x}, 0)`, '{price}', 5)],
];

describe('the SQL of formulas', () => {
  it.each(DEEP)('stays in proportion to them: %s', (_, text) => {
    const checked = checkFormula(text, FORMULA_SCOPE);
    if (!checked.ok) throw new Error(JSON.stringify(checked.flaws));
    const made = toStatement(formulaSql(checked.expression, ({ physical }) => ident('t', physical)));
    expect(made.text.length).toBeLessThan(300_000);
    const mysql = mysqlFormulaSql(checked.expression, ({ physical }) => ident('t', physical));
    expect(toStatement(mysql ?? sql`null`).text.length).toBeLessThan(30_000);
  });

  it('takes of two amounts no more than their difference', () => {
    const checked = checkFormula('{price} - {cost}', FORMULA_SCOPE);
    const made = checked.ok
      ? toStatement(formulaSql(checked.expression, ({ physical }) => ident('t', physical)))
      : undefined;
    expect(made?.text).toBe('((("t"."price")::numeric - ("t"."cost")::numeric))::numeric');
  });
});
