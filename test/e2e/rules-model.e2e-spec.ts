import { beforeAll, expect, it, jest } from '@jest/globals';
import { must } from '../../src/common/index.js';
import { expectStatus, socket, type Client, type Row, type Table } from '../harness/index.js';
import { below, pick, randomOf, some, type Random } from '../support/random.js';
import { path, rowsFixture, type Page } from '../support/rows.js';
import { member, putRules, type MemberOf } from '../support/rules.js';

jest.setTimeout(240_000);

/*
 * Random rules over random rows, against what rules mean: a row is seen where the read filter of some rule for the member holds, a column is hidden
 * where all of them hide it. What a filter means is said here once more, in plain TypeScript.
 */

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
const RUNS = Number(process.env.COUNT ?? 14);
const ROWS = 40;

const fixture = rowsFixture();
let members: readonly MemberOf[];
beforeAll(async () => {
  const { owner, at } = fixture;
  members = await Promise.all(['editor', 'viewer'].map((role) => member(owner, at.workspace.id, role)));
  for (const [i, { memberId }] of members.entries())
    expectStatus(
      await owner.patch(`/workspaces/${at.workspace.id}/members/${memberId}`, { attributes: { team: i, words: ['a', 'b'] } }), // prettier-ignore
      200,
    );
});

interface Who {
  readonly id: string;
  readonly role: string;
  readonly team: number;
}
type Fields = Readonly<Record<string, unknown>>;
interface Meaning {
  readonly filter: object;
  readonly holds: (row: Fields, who: Who) => boolean;
}
interface RuleModel {
  readonly rule: Fields;
  readonly isFor: (who: Who) => boolean;
  readonly sees: (row: Fields, who: Who) => boolean;
  readonly hidden: readonly string[];
}

const KEYS = ['word', 'num', 'kind', 'owner'];
const WORDS = ['a', 'b', 'c'];
const maybe = <T>(random: Random, list: readonly T[]): T | null => (below(random, 4) === 0 ? null : pick(random, list));

function filterOf(random: Random, depth = 0): Meaning {
  if (depth < 2 && below(random, 3) === 0) {
    const parts = Array.from({ length: 1 + below(random, 2) }, () => filterOf(random, depth + 1));
    const filters = parts.map(({ filter }) => filter);
    switch (below(random, 3)) {
      case 0:
        return { filter: { and: filters }, holds: (row, who) => parts.every(({ holds }) => holds(row, who)) };
      case 1:
        return { filter: { or: filters }, holds: (row, who) => parts.some(({ holds }) => holds(row, who)) };
      default: {
        const part = must(parts[0], 'a part');
        return { filter: { not: part.filter }, holds: (row, who) => !part.holds(row, who) };
      }
    }
  }
  const n = below(random, 5);
  switch (below(random, 6)) {
    case 0:
      return { filter: { field: 'num', op: 'gte', value: n }, holds: ({ num }) => num !== null && Number(num) >= n };
    case 1:
      return { filter: { field: 'word', op: 'neq', value: 'a' }, holds: ({ word }) => word !== 'a' };
    case 2:
      return { filter: { field: 'kind', op: 'isNull' }, holds: ({ kind }) => kind === null };
    case 3:
      return { filter: { field: 'owner', op: 'eq', value: { $me: true } }, holds: ({ owner }, { id }) => owner === id };
    case 4:
      return {
        filter: { field: 'num', op: 'eq', value: { $attr: 'team' } },
        holds: ({ num }, { team }) => num === team,
      };
    default:
      return {
        filter: { field: 'word', op: 'in', value: [{ $attr: 'words' }, 'c'] },
        holds: ({ word }) => word !== null,
      };
  }
}

function ruleOf(random: Random, index: number): RuleModel {
  const filter = below(random, 5) === 0 ? undefined : filterOf(random);
  const hidden = some(random, KEYS.slice(1), 2);
  const [scope, whose] = [below(random, 3), pick(random, members)];
  const role = pick(random, ['editor', 'viewer']);
  return {
    rule: {
      name: `rule ${index}`,
      ...(scope === 0 ? {} : { appliesTo: scope === 1 ? { roles: [role] } : { memberIds: [whose.memberId] } }),
      ...(filter ? { read: { filter: filter.filter } } : {}),
      columns: { hidden },
    },
    isFor: (who) => scope === 0 || (scope === 1 ? who.role === role : who.id === whose.user.id),
    sees: (row, who) => filter?.holds(row, who) ?? true,
    hidden,
  };
}

it(`members see what rules let them see, by every way (seed ${SEED})`, async () => {
  const random = randomOf(SEED);
  const { owner } = fixture;
  const table = await fixture.newTable([
    { name: 'Word', type: 'text' },
    { name: 'Num', type: 'integer' },
    { name: 'Kind', type: 'single_select', options: { choices: [{ label: 'X' }, { label: 'Y' }] } },
    { name: 'Owner', type: 'user' },
  ]);
  const row = (): Fields => ({
    word: maybe(random, WORDS),
    num: maybe(random, [0, 1, 2, 3, 4]),
    kind: maybe(random, ['x', 'y']),
    owner: maybe(
      random,
      members.map(({ user }) => user.id),
    ),
  });
  const made = await fixture.bulk(
    table,
    Array.from({ length: ROWS }, () => ({ op: 'create', fields: row() })),
  );
  expectStatus(made, 200);
  for (let run = 0; run < RUNS; run++) {
    const rules = Array.from({ length: 1 + below(random, 3) }, (_, i) => ruleOf(random, i));
    await putRules(owner, table, ...rules.map(({ rule }) => rule));
    await compareAll(random, table, rules, row);
  }
});

async function compareAll(random: Random, table: Table, rules: readonly RuleModel[], row: () => Fields): Promise<void> {
  const { owner } = fixture;
  const followers = await Promise.all(
    members.map(async (each, i) => {
      const live = await socket(fixture.app.base, each.token);
      const who = { id: each.user.id, role: i === 0 ? 'editor' : 'viewer', team: i };
      // Subscribe first, read behind: what comes is put on top of what was read.
      expect(await live.ask<{ ok: boolean }>('subscribe', { channel: `table:${table.id}` })).toMatchObject({
        ok: true,
      });
      return { each, who, live, read: await expectedOf(table, rules, each, who) };
    }),
  );
  const before = (await fixture.list(table, 'limit=200')).data;
  for (let i = 0; i < 6; i++) {
    const id = pick(random, before).id;
    const fields = Object.fromEntries(some(random, Object.entries(row()), 4));
    await owner.patch(path(table, id), { fields });
  }
  expectStatus(await owner.del(path(table, pick(random, before).id)), 204);
  expectStatus(await owner.post(path(table), { fields: row() }), 201);
  const { seq } = (await fixture.list(table)).meta;
  for (const { each, who, live, read } of followers) {
    const now = await expectedOf(table, rules, each, who);
    await live.until(({ payload }) => (payload as { seq?: number }).seq === seq);
    const copy = new Map(read.map(({ id, fields }) => [id, fields]));
    for (const { name, payload } of live.events) {
      if (name !== 'data:update') continue;
      const {
        created = [],
        updated = [],
        deleted = [],
      } = payload as {
        created?: Row[];
        updated?: Row[];
        deleted?: { id: string }[];
      };
      for (const { id, fields } of created) copy.set(id, fields);
      for (const { id, fields } of updated) copy.set(id, { ...copy.get(id), ...fields });
      for (const { id } of deleted) copy.delete(id);
    }
    expect(Object.fromEntries([...copy].sort())).toEqual(
      Object.fromEntries(now.map(({ id, fields }) => [id, fields] as const).sort()),
    );
    live.close();
  }
}

/** The rows that the member gets, which are those that the rules mean, however they are asked for. */
async function expectedOf(
  table: Table,
  rules: readonly RuleModel[],
  person: MemberOf,
  who: Who,
): Promise<readonly Row[]> {
  const all = (await fixture.list(table, 'limit=200')).data;
  const own = rules.filter(({ isFor }) => isFor(who));
  const hidden = own.length === 0 ? [] : KEYS.filter((key) => own.every((each) => each.hidden.includes(key)));
  const seen = all.filter(({ fields }) => own.length === 0 || own.some(({ sees }) => sees(fields, who)));
  const shown = seen.map(({ id, fields }) => ({
    id,
    fields: Object.fromEntries(Object.entries(fields).filter(([key]) => !hidden.includes(key))),
  }));
  const page = expectStatus(await person.get<Page>(`${path(table)}?limit=200&count=exact`), 200);
  expect(page.data.map(({ id, fields }) => ({ id, fields }))).toEqual(shown);
  expect(page.count?.value).toBe(shown.length);
  const total = await person.post<Page>(path(table, 'query'), { aggregates: [{ as: 'n', fn: 'count' }] });
  expect(expectStatus(total, 200).data).toEqual([{ group: {}, values: { n: shown.length } }]);
  const filtered = expectStatus(await person.get<Page>(`${path(table)}?limit=200&filter=word.eq.a`), 200).data;
  expect(filtered.map(({ id }) => id)).toEqual(seen.filter(({ fields }) => fields.word === 'a').map(({ id }) => id));
  const found = expectStatus(await person.get<Page>(`${path(table)}?limit=200&search=b`), 200).data;
  expect(found.map(({ id }) => id)).toEqual(seen.filter(({ fields }) => fields.word === 'b').map(({ id }) => id));
  for (const key of hidden) expect((await person.get(`${path(table)}?sort=${key}`)).status).toBe(422);
  const unseen = all.find(({ id }) => !seen.some((each) => each.id === id));
  if (unseen) expect((await person.get(path(table, unseen.id))).status).toBe(404);
  const sees = (row: Fields): boolean => own.length === 0 || own.some((each) => each.sees(row, who));
  expect(await historyOf(person, table)).toEqual(await expectedHistory(table, all, hidden, sees, own.length > 0));
  return page.data;
}

/** Of the rows that are seen as they are, or were when they went, what their columns that are seen held and became. */
async function expectedHistory(
  table: Table,
  rows: readonly Row[],
  hidden: readonly string[],
  sees: (row: Fields) => boolean,
  isRuled: boolean,
): Promise<readonly Entry[]> {
  const whole = await historyOf(fixture.owner, table);
  if (!isRuled) return whole;
  const last = new Map<string | null, Fields>(rows.map(({ id, fields }) => [id, fields]));
  for (const { op, rowId, changes } of whole)
    if (op === 'delete')
      last.set(rowId, {
        ...Object.fromEntries(KEYS.map((key) => [key, null])),
        ...Object.fromEntries(changes.map(({ column, before }) => [column.key, before])),
      });
  return whole
    .filter(({ op, rowId }) => op !== 'schema' && sees(must(last.get(rowId), 'a row is there, or went')))
    .map((entry) => ({ ...entry, changes: entry.changes.filter(({ column }) => !hidden.includes(column.key)) }))
    .filter(({ op, changes }) => op !== 'update' || changes.length > 0);
}

interface Entry {
  readonly op: string;
  readonly rowId: string | null;
  readonly changes: readonly { readonly column: { readonly key: string }; readonly before: unknown }[];
}

/** All of a table's history, page by page. */
async function historyOf(who: Client, { id }: Table): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (let cursor = ''; ;) {
    const answer = await who.get<{ data: Entry[]; page: { nextCursor?: string } }>(`/tables/${id}/history?limit=60${cursor}`); // prettier-ignore
    const { data, page } = expectStatus(answer, 200);
    entries.push(...data);
    if (page.nextCursor === undefined) return entries;
    cursor = `&cursor=${page.nextCursor}`;
  }
}
