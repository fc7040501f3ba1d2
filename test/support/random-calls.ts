import { must } from '../../src/common/index.js';
import type { Answer, Client, Row, Table } from '../harness/index.js';
import type { ChangeEvent } from './change-feed.js';
import { below, pick, some, type Random } from './random.js';
import { isRandom, randomValue } from './random-values.js';
import { path, type Bulk } from './rows.js';

/** A table under load, and what its writers know of its rows. */
export interface LoadedTable {
  readonly table: Table;
  /** With the last version that anybody heard of. */
  readonly rows: Map<string, number>;
  readonly trash: Set<string>;
  /** The links that are written from here: the table at the other end, and how many of its rows a row may have. */
  readonly links: Readonly<Record<string, { readonly to: LoadedTable; readonly most: number }>>;
}

/** What a call does to one row, such as `marks 17.3`: each creation and change writes a word that no other does. */
export type Effect = `${'marks' | 'deletes' | 'restores'} ${string}`;

/** A write that was made up. */
export interface RandomCall {
  /** Sent as `X-Client-Id`, so that the log tells whose doing each change is. */
  readonly id: string;
  readonly kind: string;
  readonly on: LoadedTable;
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** Codes of refusals that it may meet, through others or by itself. */
  readonly refusals: readonly string[];
  /** It has to be refused. */
  readonly doomed: boolean;
  /** All that it does unless some of it is refused, which only a partial call can be. */
  readonly effects: readonly Effect[];
  readonly partial: boolean;
}

/** The columns that take the marks. Many, so that changes of one row can be merged. */
export const MARKS = ['mark_1', 'mark_2', 'mark_3', 'mark_4'] as const;
/** Columns that calls rely on, in every table. */
export const COMMON_COLUMNS = [
  ...MARKS.map((key) => ({ name: key.replace('_', ' '), type: 'text' })),
  { name: 'Code', type: 'text', unique: true },
  { name: 'Lane', type: 'integer' },
];
const [CODES, LANES] = [1_500, 2_000];

/** What an event did, in the words of the calls. */
export function effectsOf({ created = [], updated = [], deleted = [] }: ChangeEvent): Effect[] {
  return [
    ...created.map((row): Effect => (row.restored ? `restores ${row.id}` : `marks ${markIn(row.fields)}`)),
    ...updated.map(({ fields }): Effect => `marks ${markIn(fields)}`),
    ...deleted.map(({ id }): Effect => `deletes ${id}`),
  ].toSorted();
}
/** The only one: nobody writes two. */
const markIn = (fields: Row['fields']): string =>
  MARKS.flatMap((key) => (typeof fields[key] === 'string' ? [fields[key]] : [])).join(' and ');

/** What a call did by its answer, which was a success; and its rows become known. */
export function heardOf({ kind, on, effects }: RandomCall, answer: Answer<unknown>): readonly Effect[] {
  const learn = (id: string, version: number) => {
    on.trash.delete(id);
    on.rows.set(id, Math.max(version, on.rows.get(id) ?? 0));
  };
  const forget = (id: string) => {
    on.rows.delete(id);
    on.trash.add(id);
  };
  for (const effect of effects) if (effect.startsWith('deletes ')) forget(effect.slice('deletes '.length));
  if (kind.startsWith('import')) {
    const { created, updated } = answer.body as { readonly created: number; readonly updated: number };
    if (created + updated !== effects.length) throw new Error(`${kind} of ${effects.length}: ${answer.text}`);
  } else if (kind.startsWith('filter')) {
    const { affected } = answer.body as { readonly affected: number };
    if (affected !== effects.length) throw new Error(`${kind} of ${effects.length}: ${answer.text}`);
  } else if (kind.startsWith('bulk')) {
    const { results } = answer.body as Bulk;
    for (const { id, row, status } of results)
      if (status < 300 && status !== 204) learn(must(id, 'who it is'), row?.version ?? 1);
    return effects.filter((_, i) => must(results[i], 'a result for each op').status < 300);
  } else if (kind !== 'delete') {
    const id = (answer.body as Row | undefined)?.id ?? answer.headers.get('location')?.split('/').at(-1);
    if (id !== undefined) learn(id, Number(answer.headers.get('etag')?.replaceAll('"', '')));
  }
  return effects;
}

type Op = { readonly effect: Effect; readonly op: Readonly<Record<string, unknown>> };
type Draft = Omit<RandomCall, 'id' | 'on' | 'doomed' | 'partial'> & Partial<Pick<RandomCall, 'doomed' | 'partial'>>;

/** Makes up one call after the other; `as` is for those that need to ask before. */
export function randomCalls(random: Random, tables: readonly LoadedTable[]) {
  return async (id: string, as: Client): Promise<RandomCall> => {
    const on = pick(random, tables);
    const make = pick(random, on.rows.size < 20 ? [create] : KINDS);
    const draft = await make(random, on, id, as);
    const headers = {
      'x-client-id': id,
      ...(random() < 0.25 ? { prefer: 'return=minimal' } : {}),
      ...(random() < 0.35 && !draft.kind.startsWith('import') ? { 'idempotency-key': id } : {}),
      ...draft.headers,
    };
    return { doomed: false, partial: false, ...draft, id, on, headers };
  };
}

type Make = (random: Random, on: LoadedTable, id: string, as: Client) => Draft | Promise<Draft>;

const create: Make = (random, on, id) => {
  const doomed = random() < 0.03;
  const fields = { ...randomFields(random, on), mark_1: id, ...(doomed ? { lane: 'many' } : {}) };
  const refusals = ['unique_violation', 'validation_failed'];
  return { kind: 'create', method: 'POST', path: path(on.table), body: { fields }, headers: {}, refusals, doomed, effects: [`marks ${id}`] }; // prettier-ignore
};

const update: Make = (random, on, id) => {
  const row = anyOf(random, on.rows);
  const version = on.rows.get(row) ?? 1;
  const manner = random();
  const fields = { ...randomFields(random, on, true), ...mark(random, id) };
  const merging = { baseVersion: Math.max(1, version - below(random, 3)), onConflict: 'merge' };
  const headers: RandomCall['headers'] = manner > 0.8 ? { 'if-match': `"${version}"` } : {};
  return {
    kind: manner < 0.3 ? 'merge' : 'update',
    method: 'PATCH',
    path: path(on.table, row),
    body: { fields, ...(manner < 0.3 ? merging : {}) },
    headers,
    refusals: ['not_found', 'version_mismatch', 'merge_conflict', 'unique_violation', 'validation_failed'],
    effects: [`marks ${id}`],
  };
};

const remove: Make = (random, on) => {
  const row = anyOf(random, on.rows);
  return { kind: 'delete', method: 'DELETE', path: path(on.table, row), body: undefined, headers: {}, refusals: ['not_found'], effects: [`deletes ${row}`] }; // prettier-ignore
};

const restore: Make = (random, on, id, as) => {
  if (on.trash.size === 0) return create(random, on, id, as);
  const row = anyOf(random, on.trash);
  const refusals = ['conflict', 'unique_violation'];
  return { kind: 'restore', method: 'POST', path: path(on.table, row, 'restore'), body: undefined, headers: {}, refusals, effects: [`restores ${row}`] }; // prettier-ignore
};

const bulk: Make = (random, on, id) => {
  const partial = random() < 0.5;
  const rows = some(random, recent(on.rows), 20);
  const codes = some(random, Array.from({ length: CODES }, (_, i) => `c${i}`), 8); // prettier-ignore
  const ops = Array.from({ length: 1 + below(random, 40) }, (_, i) =>
    randomOp(random, on, `${id}.${i}`, rows.pop(), codes),
  );
  const doomed = random() < 0.1;
  if (doomed) ops.push({ effect: `marks ${id}.doomed`, op: { op: 'create', fields: { mark_1: id, lane: 'many' } } });
  return {
    kind: partial ? 'bulk partial' : 'bulk atomic',
    method: 'POST',
    path: path(on.table, 'bulk'),
    body: { mode: partial ? 'partial' : 'atomic', ops: ops.map(({ op }) => op) },
    headers: {},
    refusals: ['bulk_failed'],
    doomed: doomed && !partial,
    effects: ops.map(({ effect }) => effect),
    partial,
  };
};

function randomOp(random: Random, on: LoadedTable, word: string, row: string | undefined, codes: string[]): Op {
  const kind = random();
  if (row !== undefined && kind < 0.1) return { effect: `deletes ${row}`, op: { op: 'delete', id: row } };
  // One row has one op, so an upsert brings no links that could be to a row that the same call deletes.
  const code = kind < 0.3 ? codes.pop() : undefined;
  const effect: Effect = `marks ${word}`;
  if (code !== undefined) return { effect, op: { op: 'upsert', matchOn: ['code'], fields: { code, mark_2: word } } };
  const fields = randomFields(random, on, row !== undefined, 0);
  if (row === undefined) return { effect, op: { op: 'create', fields: { ...fields, mark_1: word } } };
  return { effect, op: { op: 'update', id: row, fields: { ...fields, ...mark(random, word) } } };
}

const byFilter: Make = async (random, on, id, as) => {
  const value = some(random, Array.from({ length: LANES }, (_, i) => i), 5); // prettier-ignore
  const deletes = random() < 0.2;
  const asked = {
    filter: { field: 'lane', op: 'in', value: [...value, 0] },
    maxAffected: 10,
    ...(deletes ? {} : { set: { ...randomFields(random, on, true, 0), ...mark(random, id) } }),
  };
  const url = path(on.table, deletes ? 'bulk-delete' : 'bulk-update');
  const dry = await as.post<{ sample: Row[]; confirmToken: string }>(url, { ...asked, dryRun: true });
  // The sample is all of them: no more are allowed than it holds.
  const { sample, confirmToken } = dry.status === 200 ? dry.body : { sample: [], confirmToken: 'none' };
  return {
    kind: deletes ? 'filter delete' : 'filter update',
    method: 'POST',
    path: url,
    body: { ...asked, confirmToken },
    headers: {},
    refusals: ['confirmation_stale', 'limit_reached', 'validation_failed'],
    effects: sample.map((row): Effect => (deletes ? `deletes ${row.id}` : `marks ${id}`)),
  };
};

const importFile: Make = (random, on, id) => {
  const [upserts, skips, flawed] = [random() < 0.5, random() < 0.5, random() < 0.3];
  const codes = some(random, Array.from({ length: CODES }, (_, i) => `c${i}`), 40); // prettier-ignore
  const marks = [...codes, 'one at least'].map((_, i) => `${id}.${i}`);
  const lines = marks.map((each, i) => `${each},${upserts ? (codes[i] ?? `only ${id}`) : ''},${below(random, LANES)}`);
  if (flawed) lines.splice(below(random, lines.length), 0, `${id}.doomed,,many`);
  const query = `mode=${upserts ? 'upsert&matchOn=code' : 'append'}&onError=${skips ? 'skip' : 'abort'}`;
  return {
    kind: upserts ? 'import upsert' : 'import append',
    method: 'POST',
    path: `/tables/${on.table.id}/import?${query}`,
    body: ['mark_3,code,lane', ...lines].join('\n'),
    headers: { 'content-type': 'text/csv' },
    refusals: ['import_failed'],
    doomed: flawed && !skips,
    effects: marks.map((each): Effect => `marks ${each}`),
  };
};

const KINDS: readonly Make[] = [
  ...Array<Make>(24).fill(create),
  ...Array<Make>(40).fill(update),
  ...Array<Make>(8).fill(remove),
  ...Array<Make>(6).fill(restore),
  ...Array<Make>(12).fill(bulk),
  ...Array<Make>(6).fill(byFilter),
  ...Array<Make>(4).fill(importFile),
];

const mark = (random: Random, id: string) => ({ [pick(random, MARKS)]: id });
/** Rows of which one may hope that others write to them, too. */
const recent = (rows: ReadonlyMap<string, number>): string[] => [...rows.keys()].slice(-300);
const anyOf = (random: Random, rows: ReadonlyMap<string, unknown> | ReadonlySet<string>): string => {
  const ids = [...rows.keys()];
  return pick(random, random() < 0.5 ? ids.slice(-60) : ids);
};

const OWN = new Set(['code', 'lane', ...MARKS].map(String));

/** Values for some of the columns. */
function randomFields(
  random: Random,
  { table, links }: LoadedTable,
  changes = false,
  coded = 0.1,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const column of table.columns)
    if (!OWN.has(column.key) && isRandom(column) && random() < 0.3)
      fields[column.key] = randomValue(random, column, changes);
  if (!changes) fields.lane = below(random, LANES);
  if (random() < coded) fields.code = `c${below(random, CODES)}`;
  for (const [key, { to, most }] of Object.entries(links))
    if (random() < 0.15) fields[key] = someRows(random, to.rows, most, changes && most > 1);
  return fields;
}

/** Now and then the first row, which has many already. */
function someRows(random: Random, rows: ReadonlyMap<string, number>, most: number, changes: boolean): unknown {
  const ids = [...rows.keys()];
  const chosen = random() < 0.06 ? ids.slice(0, 1) : some(random, ids.slice(-30), most);
  return changes && random() < 0.6 ? { $add: chosen, $remove: some(random, ids.slice(1, 4), 1) } : chosen;
}
