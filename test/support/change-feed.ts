import { expectStatus, type Client, type Column, type Row, type Table } from '../harness/index.js';

type Fields = Readonly<Record<string, unknown>>;

interface Told {
  readonly id: string;
  readonly version: number;
}

/** An entry of `GET /tables/:id/changes`, as `docs/LIVE.md` has it. */
export interface ChangeEvent {
  readonly event: 'data:update' | 'schema:update';
  readonly seq: number;
  readonly prev: number;
  readonly at: string;
  readonly actor: { readonly id: string | null; readonly clientId?: string };
  readonly created?: readonly (Row & { readonly restored?: true })[];
  readonly updated?: readonly (Told & { readonly fields: Fields })[];
  readonly deleted?: readonly Told[];
}

/** What a client holds of a row. */
export interface HeldRow {
  readonly version: number;
  readonly fields: Fields;
  readonly updatedAt: string;
}
/** A table as a client holds it. */
export interface HeldTable {
  readonly rows: Map<string, HeldRow>;
  readonly trash: Map<string, HeldRow>;
}

/** The whole log, page by page, as a client reads it. */
export async function allChanges(as: Client, { id }: Table, limit = 500): Promise<ChangeEvent[]> {
  const events: ChangeEvent[] = [];
  for (;;) {
    const after = events.at(-1)?.seq ?? 0;
    const page = await as.get<{ data: ChangeEvent[] }>(`/tables/${id}/changes?after=${after}&limit=${limit}`);
    const { data } = expectStatus(page, 200);
    if (data.length === 0) return events;
    events.push(...data);
  }
}

/** All rows, page by page: those that are there, or those in the trash. */
export async function allRows(as: Client, { id }: Table, query = ''): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const more = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await as.get<{ data: Row[]; page: { nextCursor?: string } }>(
      `/tables/${id}/rows?limit=1000&${query}${more}`,
    );
    const { data, page } = expectStatus(answer, 200);
    rows.push(...data);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return rows;
}

/**
 * Makes a table from nothing but its events, as a client does by what `docs/LIVE.md` says of them. Throws where they break what is
 * promised: numbers and versions go up by one, only what is there changes or goes, and only what is not there comes.
 */
export function tableOf(events: readonly ChangeEvent[], columns: readonly Column[]): HeldTable {
  const held: HeldTable = { rows: new Map(), trash: new Map() };
  const links = new Set(columns.flatMap(({ key, type }) => (type === 'link' ? [key] : [])));
  let last = 0;
  for (const event of events) {
    if (event.seq !== last + 1 || event.prev !== last) throw new Error(`${event.seq} (${event.prev}) follows ${last}`);
    last = event.seq;
    if (event.event === 'data:update') applyTo(held, event, links);
  }
  return held;
}

/** Rows that are not the same here and there, as far as a client holds them. */
export function differences(held: HeldTable['rows'], shown: readonly Row[]): string[] {
  const left = new Map(held);
  const told = (row: HeldRow | undefined) =>
    row &&
    JSON.stringify([row.version, row.updatedAt, Object.entries(row.fields).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
  const found = shown.flatMap((row) => {
    const [mine, theirs] = [told(left.get(row.id)), told(row)];
    left.delete(row.id);
    return mine === theirs ? [] : [`${row.id} is ${theirs ?? ''}, by the log ${mine ?? 'not there'}`];
  });
  return [...found, ...[...left.keys()].map((id) => `${id} is by the log only`)];
}

function applyTo({ rows, trash }: HeldTable, event: ChangeEvent, links: ReadonlySet<string>): void {
  for (const { id, version, fields, updatedAt, restored } of event.created ?? []) {
    step(event, id, version, restored ? trash : undefined, [rows, ...(restored ? [] : [trash])]);
    trash.delete(id);
    rows.set(id, { version, fields, updatedAt });
  }
  for (const { id, version, fields } of event.updated ?? []) {
    const row = step(event, id, version, rows, [trash]);
    const now: Record<string, unknown> = { ...row?.fields };
    for (const [key, value] of Object.entries(fields)) now[key] = links.has(key) ? linked(now[key], value) : value;
    rows.set(id, { version, fields: now, updatedAt: event.at });
  }
  for (const { id, version } of event.deleted ?? []) {
    const row = step(event, id, version, rows, [trash]);
    rows.delete(id);
    // In the trash it has no links; what comes back of them is told when it is restored.
    const fields: Record<string, unknown> = { ...row?.fields };
    for (const key of links) fields[key] = [];
    trash.set(id, { version, fields, updatedAt: event.at });
  }
}

/** The row as it was where it has to be. */
function step(
  { seq }: ChangeEvent,
  id: string,
  version: number,
  from: HeldTable['rows'] | undefined,
  not: readonly HeldTable['rows'][],
): HeldRow | undefined {
  const was = from?.get(id);
  if ((from && !was) || not.some((rows) => rows.has(id)) || version !== (was?.version ?? 0) + 1)
    throw new Error(`${seq} makes version ${version} of ${id}, which was ${JSON.stringify(was)}`);
  return was;
}

/** A long list is told by what came and went. */
function linked(was: unknown, value: unknown): unknown {
  if (Array.isArray(value)) return value;
  const { $add, $remove } = value as { readonly $add: readonly string[]; readonly $remove: readonly string[] };
  return [...(was as readonly string[]).filter((id) => !$remove.includes(id)), ...$add];
}
