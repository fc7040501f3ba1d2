import type { Schemas } from './openapi.js';
import type { Numbered } from './protocol.js';

/** A row as a local copy holds it. A row that came back out of the trash does not tell when and by whom it was first made. */
export interface LiveRow<Fields> {
  readonly id: string;
  readonly version: number;
  readonly fields: Fields;
  readonly createdAt?: string;
  readonly createdBy?: string | null;
  readonly updatedAt: string;
  readonly updatedBy: string | null;
}

/** Which rows are others now, by their ids. */
export interface RowChanges {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
}

/** What an event did to the copy; `lost` where it speaks of a row that the copy should have and has not. */
export type Applied = RowChanges | 'lost';

/**
 * The rows of a table, kept by its events.
 *
 * The pages of the snapshot are read one after the other, each newer than the number that the replay begins with, so while the replay
 * repeats what a page shows already, rows are ahead of the events. The version of a row decides: what is not newer than the row that is
 * held has been seen. What an event says of a row that is not held has been seen, too, as long as the event is not newer than the last
 * page (`horizon`): the row was deleted before its page was read.
 */
export class HeldRows<Fields extends object> {
  private readonly rows: Map<string, LiveRow<Fields>>;

  constructor(
    snapshot: readonly LiveRow<Fields>[],
    private readonly horizon: number,
    /** The last id of the rows that are held, where the table goes on behind it: rows are read in the order of their ids. */
    private readonly last?: string,
  ) {
    this.rows = new Map(snapshot.map((row) => [row.id, row]));
  }

  get view(): ReadonlyMap<string, LiveRow<Fields>> {
    return this.rows;
  }

  apply(event: Numbered): Applied {
    const changes = { created: [] as string[], updated: [] as string[], deleted: [] as string[] };
    const held = <T extends { readonly id: string }>(rows: readonly T[] = []): readonly T[] =>
      this.last === undefined ? rows : rows.filter(({ id }) => id <= (this.last ?? ''));
    for (const row of held(event.created)) {
      const was = this.rows.get(row.id);
      if (was && was.version >= row.version) continue;
      this.rows.set(row.id, created(row));
      changes[was ? 'updated' : 'created'].push(row.id);
    }
    for (const row of held(event.updated)) {
      const was = this.rows.get(row.id);
      if (!was) {
        if (event.seq > this.horizon) return 'lost';
        continue;
      }
      if (was.version >= row.version) continue;
      this.rows.set(row.id, updated(was, row, event));
      changes.updated.push(row.id);
    }
    for (const { id, version } of held(event.deleted)) {
      const was = this.rows.get(id);
      // It came back since, and the copy has it as it came back.
      if (!was || was.version > version) continue;
      this.rows.delete(id);
      changes.deleted.push(id);
    }
    return changes;
  }
}

function created<Fields>(row: Schemas['CreatedRow']): LiveRow<Fields> {
  const { id, version, fields, createdAt, createdBy, updatedAt, updatedBy } = row;
  return {
    ...{ id, version, fields: fields as Fields, updatedAt, updatedBy },
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(createdBy === undefined ? {} : { createdBy }),
  };
}

function updated<Fields extends object>(
  was: LiveRow<Fields>,
  { version, fields }: Schemas['UpdatedRow'],
  { at, actor }: Numbered,
): LiveRow<Fields> {
  const before = was.fields as Readonly<Record<string, unknown>>;
  const changed = Object.entries(fields).map(([key, value]) => [key, patched(before[key], value)] as const);
  return {
    ...was,
    version,
    fields: { ...was.fields, ...(Object.fromEntries(changed) as Partial<Fields>) },
    updatedAt: at,
    updatedBy: actor.id,
  };
}

/** A long list of links is told by what came and went. */
function patched(was: unknown, value: unknown): unknown {
  if (!isListPatch(value) || !Array.isArray(was)) return value;
  return [...(was as readonly unknown[]).filter((id) => !value.$remove.includes(id)), ...value.$add];
}

const isListPatch = (value: unknown): value is { readonly $add: unknown[]; readonly $remove: unknown[] } =>
  typeof value === 'object' && value !== null && '$add' in value && '$remove' in value;
