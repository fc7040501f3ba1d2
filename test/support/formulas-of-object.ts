import { expect } from '@jest/globals';
import { expectStatus, type ProblemBody, type World } from '../harness/index.js';

/*
 * What a view shows of a formula is computed in memory; what it is sorted, grouped and filtered by is computed where the rows are, and
 * must be the same.
 */

type Value = string | number | boolean | null;
interface Page {
  readonly data: readonly {
    readonly fields: Readonly<Record<string, Value>>;
    readonly group: Readonly<Record<string, Value>>;
    readonly values: Readonly<Record<string, Value>>;
  }[];
  readonly page: { readonly nextCursor?: string };
  readonly meta: { readonly tier: string };
}
type Data = Page['data'];

/** Numbers by their digits, texts by code points, null first. */
function compare(a: Value, b: Value): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (isNumeral(a) && isNumeral(b)) return Number(scaled(a) - scaled(b) > 0n) - Number(scaled(a) - scaled(b) < 0n);
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}
const isNumeral = (value: Value): boolean => /^-?\d+(\.\d+)?$/.test(String(value));
function scaled(value: Value): bigint {
  const [whole = '', fraction = ''] = String(value).split('.');
  return BigInt(whole + fraction.padEnd(40, '0'));
}

/** Views of one object, with an `id`, by formulas over it. */
export class FormulasOfObject {
  constructor(
    private readonly at: World,
    private readonly source: Readonly<Record<string, string>>,
  ) {}

  /** How a view sorted by the formula was answered. */
  async tierOf(formula: string): Promise<string> {
    const sort = [{ field: 'f0', dir: 'asc' }];
    return (await this.all(this.definition([formula], { sort, columns: ['id'] }))).tier;
  }

  /** Holds what comes of sorting, grouping and filtering by each formula to what is shown of it, all of it pushed down. */
  async expectPushedDown(formulas: readonly string[]): Promise<void> {
    const sort = [{ field: 'id', dir: 'asc' }];
    const columns = ['id', ...formulas.map((_, i) => `f${i}`)];
    const shown = await this.all(this.definition(formulas, { sort, columns }));
    expect(shown.tier).toBe('push-down');
    const wrong: unknown[] = [];
    for (const [i, formula] of formulas.entries()) {
      const values = shown.data.map(({ fields }): readonly [Value, Value] => [fields[`f${i}`] ?? null, fields.id ?? null]); // prettier-ignore
      const ordered = values.toSorted((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
      const told = (what: string, { tier }: { readonly tier: string }, found: unknown, right: unknown): void => {
        if (tier !== 'push-down' || JSON.stringify(found) !== JSON.stringify(right))
          wrong.push({ formula, what, tier, found, right });
      };
      const sorted = await this.all(this.definition([formula], { sort: [{ field: 'f0', dir: 'asc' }, ...sort], columns: ['id'] }), 2); // prettier-ignore
      told('sorted', sorted, idsOf(sorted.data), ordered.map(([, id]) => id)); // prettier-ignore
      const groups = await this.all(this.definition([formula], GROUPED), 2);
      const found = groups.data.map(({ group, values: made }) => [group.f0, made.least, made.n]);
      told('grouped', groups, found, groupsOf(ordered));
      const [some] = ordered.findLast(([value]) => value !== null && String(value).length < 38) ?? [null];
      const filter = some === null ? { field: 'f0', op: 'isNull' } : { field: 'f0', op: 'eq', value: some };
      const filtered = await this.all(this.definition([formula], { sort, columns: ['id'], filter }), 2);
      told('filtered', filtered, idsOf(filtered.data), values.filter(([value]) => value === some).map(([, id]) => id)); // prettier-ignore
    }
    expect(wrong).toEqual([]);
  }

  private definition(formulas: readonly string[], rest: object): object {
    const computed = formulas.map((formula, i) => ({ key: `f${i}`, formula }));
    return { source: this.source, as: 'o', computed, ...rest };
  }

  private async all(definition: object, limit = 200): Promise<{ readonly data: Data; readonly tier: string }> {
    const data: Data[number][] = [];
    for (let cursor: string | undefined, i = 0; i < 100; i++) {
      const path = `/workspaces/${this.at.workspace.id}/views/preview`;
      const body = { definition, page: { limit, ...(cursor ? { cursor } : {}) } };
      const page = expectStatus(await this.at.owner.post<Page & ProblemBody>(path, body), 200);
      data.push(...page.data);
      if ((cursor = page.page.nextCursor) === undefined) return { data, tier: page.meta.tier };
    }
    throw new Error('the pages do not end');
  }
}

const idsOf = (data: Data): readonly unknown[] => data.map(({ fields }) => fields.id);

const GROUPED = {
  groupBy: [{ field: 'f0' }],
  aggregates: [
    { as: 'least', fn: 'min', field: 'id' },
    { as: 'n', fn: 'count' },
  ],
  sort: [{ field: 'f0', dir: 'asc' }],
};

const groupsOf = (ordered: readonly (readonly [Value, Value])[]): readonly unknown[] =>
  [...new Set(ordered.map(([value]) => value))].map((value) => {
    const of = ordered.filter((each) => each[0] === value);
    return [value, of[0]?.[1], of.length];
  });
