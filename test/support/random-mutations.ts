import { expectStatus, type Answer, type Client, type Person, type Table } from '../harness/index.js';
import { below, pick, type Random } from './random.js';
import { path, type Bulk } from './rows.js';

/** What a writer knows of what it works upon; nobody else changes it. */
export interface Ground {
  readonly workspaceId: string;
  readonly baseId: string;
  readonly table: Table;
  readonly memberId: string;
  readonly rows: Set<string>;
  readonly trash: Set<string>;
  readonly columns: Set<string>;
  readonly goneColumns: Set<string>;
  readonly views: Set<string>;
  readonly published: Set<string>;
  readonly keys: Map<string, string>;
  readonly hooks: Set<string>;
  readonly bases: Set<string>;
}

/** A change of any kind that was made up. */
export interface Mutation {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** What is known when it was done. */
  readonly learn?: (answer: Answer<unknown>) => void;
}

/** Where one writer works: a base, a table and a member of its own. */
export async function groundIn(as: Client, workspaceId: string, nr: number, someone: Person): Promise<Ground> {
  const base = await as.post<{ id: string }>(`/workspaces/${workspaceId}/bases`, { name: `Base ${nr}` });
  const baseId = expectStatus(base, 201).id;
  const columns = [
    { name: 'Name', type: 'text' },
    { name: 'Qty', type: 'integer' },
    { name: 'Secret', type: 'text' },
  ];
  const table = expectStatus(await as.post<Table>(`/bases/${baseId}/tables`, { name: 'Things', columns }), 201);
  const member = { email: someone.email, role: 'viewer' };
  const made = await as.post<{ id: string }>(`/workspaces/${workspaceId}/members`, member);
  const memberId = expectStatus(made, 201).id;
  expectStatus(await as.call('PUT', `/tables/${table.id}/rules`, rulesCalled('first')), 200);
  const sets = { rows: new Set<string>(), trash: new Set<string>(), columns: new Set<string>(), goneColumns: new Set<string>(), views: new Set<string>(), published: new Set<string>(), hooks: new Set<string>(), bases: new Set<string>() }; // prettier-ignore
  return { workspaceId, baseId, table, memberId, keys: new Map(), ...sets };
}

type Make = (random: Random, at: Ground, word: string) => Mutation | undefined;

const idOf = (answer: Answer<unknown>): string => (answer.body as { readonly id: string }).id;
const fieldsOf = (random: Random, word: string) => ({ name: word, qty: below(random, 1_000_000), secret: `hidden ${word}` }); // prettier-ignore
/** Of one of some things, where there is one. */
const of =
  (
    some: (at: Ground) => Iterable<string>,
    make: (id: string, at: Ground, word: string, random: Random) => Mutation,
  ): Make =>
  (random, at, word) => {
    const ids = [...some(at)];
    return ids.length === 0 ? undefined : make(pick(random, ids), at, word, random);
  };
/** While there are few. */
const below20 =
  (some: (at: Ground) => { readonly size: number }, make: Make): Make =>
  (random, at, word) =>
    some(at).size < 20 ? make(random, at, word) : undefined;
const moved = (id: string, from: Set<string>, to?: Set<string>) => () => {
  from.delete(id);
  to?.add(id);
};
const unpublished = ({ views, published }: Ground) => [...views].filter((id) => !published.has(id));

const ROWS: readonly Make[] = [
  (random, at, word) => ({
    ...{ method: 'POST', path: path(at.table), body: { fields: fieldsOf(random, word) } },
    learn: (answer) => at.rows.add(idOf(answer)),
  }),
  of(
    ({ rows }) => rows,
    (id, { table }, word, random) => ({
      method: 'PATCH',
      path: path(table, id),
      body: { fields: fieldsOf(random, word) },
    }),
  ),
  of(
    ({ rows }) => (rows.size > 5 ? rows : []),
    (id, { table, rows, trash }) => ({ method: 'DELETE', path: path(table, id), learn: moved(id, rows, trash) }),
  ),
  of(
    ({ trash }) => trash,
    (id, { table, rows, trash }) => ({
      method: 'POST',
      path: path(table, id, 'restore'),
      learn: moved(id, trash, rows),
    }),
  ),
  (random, at, word) => {
    const ops = Array.from({ length: 1 + below(random, 4) }, () => ({ op: 'create', fields: fieldsOf(random, word) }));
    const [id] = at.rows;
    const update = id === undefined ? [] : [{ op: 'update', id, fields: fieldsOf(random, word) }];
    const learn = (answer: Answer<unknown>) => {
      for (const each of (answer.body as Bulk).results) if (each.id !== undefined) at.rows.add(each.id);
    };
    return { method: 'POST', path: path(at.table, 'bulk'), body: { mode: 'atomic', ops: [...ops, ...update] }, learn };
  },
  (random, at, word) => {
    const lines = Array.from({ length: 1 + below(random, 5) }, (_, i) => `${word} ${i},${below(random, 100)}\n`);
    return { method: 'POST', path: `/tables/${at.table.id}/import?mode=append`, body: `name,qty\n${lines.join('')}` };
  },
];

const METADATA: readonly Make[] = [
  (_, { table }, word) => ({
    method: 'PATCH',
    path: `/tables/${table.id}`,
    body: { name: `T ${word}`, description: word },
  }),
  (_, { baseId }, word) => ({ method: 'PATCH', path: `/bases/${baseId}`, body: { name: `B ${word}` } }),
  below20(
    ({ columns }) => columns,
    (random, { table, columns }, word) => ({
      ...{ method: 'POST', path: `/tables/${table.id}/columns` },
      body: { name: `C ${word}`, type: pick(random, ['text', 'integer']) },
      learn: (answer) => columns.add(idOf(answer)),
    }),
  ),
  of(
    ({ columns }) => columns,
    (id, { table }, word) => ({
      method: 'PATCH',
      path: `/tables/${table.id}/columns/${id}`,
      body: { name: `D ${word}` },
    }),
  ),
  of(
    ({ columns }) => columns,
    (id, { table, columns, goneColumns }) => ({
      ...{ method: 'DELETE', path: `/tables/${table.id}/columns/${id}` },
      learn: moved(id, columns, goneColumns),
    }),
  ),
  of(
    ({ goneColumns }) => goneColumns,
    (id, { table, columns, goneColumns }) => ({
      ...{ method: 'POST', path: `/tables/${table.id}/columns/${id}/restore`, body: {} },
      learn: moved(id, goneColumns, columns),
    }),
  ),
  (_, { table }, word) => ({ method: 'PUT', path: `/tables/${table.id}/rules`, body: rulesCalled(word) }),
  (_, { workspaceId, memberId }, word) => ({
    ...{ method: 'PATCH', path: `/workspaces/${workspaceId}/members/${memberId}`, body: { attributes: { word } } },
  }),
  below20(
    ({ views }) => views,
    (_, { workspaceId, table, views }, word) => ({
      ...{ method: 'POST', path: `/workspaces/${workspaceId}/views` },
      body: { name: `V ${word}`, definition: { source: { table: table.id } } },
      learn: (answer) => views.add(idOf(answer)),
    }),
  ),
  of(
    ({ views }) => views,
    (id, _, word) => ({ method: 'PATCH', path: `/views/${id}`, body: { name: `W ${word}`, description: word } }),
  ),
  of(unpublished, (id, { views }) => ({ method: 'DELETE', path: `/views/${id}`, learn: moved(id, views) })),
  of(unpublished, (id, { published }) => ({
    ...{ method: 'POST', path: `/views/${id}/api`, body: { cacheSeconds: 5 } },
    learn: () => published.add(id),
  })),
  of(
    ({ published }) => published,
    (id, _at, _word, random) => ({ method: 'PATCH', path: `/views/${id}/api`, body: { cacheSeconds: 10 + below(random, 80_000) } }), // prettier-ignore
  ),
  below20(
    ({ keys }) => keys,
    of(
      ({ published }) => published,
      (id, { keys }, word) => ({
        ...{ method: 'POST', path: `/views/${id}/api/keys`, body: { name: word } },
        learn: (answer) => keys.set(idOf(answer), id),
      }),
    ),
  ),
  of(
    ({ keys }) => keys.keys(),
    (id, { keys }) => ({
      method: 'DELETE',
      path: `/views/${keys.get(id)}/api/keys/${id}`,
      learn: () => keys.delete(id),
    }),
  ),
  (_, { workspaceId, table, hooks }, word) =>
    hooks.size > 1
      ? undefined
      : {
          ...{ method: 'POST', path: `/workspaces/${workspaceId}/webhooks` },
          body: { name: word, url: 'https://127.0.0.1:9/', tables: [table.id], events: ['schema.changed'] },
          learn: (answer) => hooks.add(idOf(answer)),
        },
  of(
    ({ hooks }) => hooks,
    (id, { workspaceId }, word) => ({ method: 'PATCH', path: `/workspaces/${workspaceId}/webhooks/${id}`, body: { name: word } }), // prettier-ignore
  ),
  of(
    ({ hooks }) => hooks,
    (id, { workspaceId, hooks }) => ({ method: 'DELETE', path: `/workspaces/${workspaceId}/webhooks/${id}`, learn: moved(id, hooks) }), // prettier-ignore
  ),
  (_, { workspaceId, bases }, word) =>
    bases.size > 3
      ? undefined
      : {
          ...{ method: 'POST', path: `/workspaces/${workspaceId}/bases`, body: { name: `X ${word}` } },
          learn: (answer) => bases.add(idOf(answer)),
        },
  of(
    ({ bases }) => bases,
    (id, { bases }) => ({ method: 'DELETE', path: `/bases/${id}`, learn: moved(id, bases) }),
  ),
];

/** No viewer ever sees the column `secret`. */
const rulesCalled = (name: string) => ({
  rules: [{ name, appliesTo: { roles: ['viewer'] }, columns: { hidden: ['secret'] } }],
});

/** One change of any kind; half of them are of rows. `word` occurs in no other. */
export function randomMutation(random: Random, at: Ground, word: string): Mutation {
  for (;;) {
    const made = pick(random, random() < 0.5 ? ROWS : METADATA)(random, at, word);
    if (made) return made;
  }
}
