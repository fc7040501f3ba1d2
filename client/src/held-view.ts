import type { Schemas } from './openapi.js';
import type { ViewNumbered } from './protocol.js';

/** A row of a view. In views that group, `fields` are the groups and the values together. */
export interface ViewRow<Fields> {
  /** The row's own id, where the view shows it. */
  readonly id: string | undefined;
  readonly fields: Fields;
}

/** Which rows are others now, by their ids. */
export interface ViewChanges {
  readonly created: readonly string[];
  readonly entered: readonly string[];
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
  readonly left: readonly string[];
}

/** How the rows of a view can be kept by events: under which key it shows the row's id, and whether its order is that of the ids. */
export interface Keeping {
  readonly idKey: string;
  readonly byId: boolean;
}

/** The definition's own way to name the id of the row, and its key in what the view shows. */
export function keepingOf({ definition }: Schemas['ViewDto']): Keeping | undefined {
  const { as, columns = [], sort = [] } = definition;
  const idKey = columns.flatMap((column) => {
    const { field, as: key = '_id' } = typeof column === 'string' ? { field: column } : column;
    return as !== undefined && field === `${as}._id` ? [key] : [];
  })[0];
  return idKey === undefined ? undefined : { idKey, byId: sort.length === 0 };
}

export function viewRow<Fields>(
  { fields, group, values }: Schemas['SourceRowDto'],
  keeping: Keeping | undefined,
): ViewRow<Fields> {
  const all = fields ?? { ...group, ...values };
  const id = keeping && all[keeping.idKey];
  return { id: typeof id === 'string' ? id : undefined, fields: all as Fields };
}

/**
 * The rows of a view of rows, kept by its events.
 *
 * The pages of the snapshot are newer than the number that the replay begins with; an event is told so that it does no harm to apply it
 * twice. What is said of a row that is not there may be of one that left before its page was read: it is asked for again only if nothing has been
 * said of it by the end of the replay (`horizon`).
 */
export class HeldView<Fields extends object> {
  private readonly rows: ViewRow<Fields>[];
  private readonly unknown = new Set<string>();

  constructor(
    rows: readonly ViewRow<Fields>[],
    private readonly keeping: Keeping | undefined,
  ) {
    // A row that moved while pages were read may be on two of them: the later one is the newer.
    const last = new Map(rows.flatMap(({ id }, index) => (id === undefined ? [] : [[id, index] as const])));
    this.rows = rows.filter(({ id }, index) => id === undefined || last.get(id) === index);
  }

  get all(): readonly ViewRow<Fields>[] {
    return this.rows;
  }

  /** Whether something was said of a row that the copy has not. */
  get misses(): boolean {
    return this.unknown.size > 0;
  }

  /** What an event did to the copy; undefined where the view has to be read to know it. */
  apply(event: ViewNumbered): ViewChanges | undefined {
    const { created = [], entered = [], updated = [], deleted = [], left = [], moved = [] } = event;
    const { keeping } = this;
    const isEmpty = [created, entered, updated, deleted, left, moved].every(({ length }) => length === 0);
    if (isEmpty) return NOTHING;
    if (!keeping) return undefined;
    const isPlaced = keeping.byId || (moved.length === 0 && [...created, ...entered].every(({ id }) => this.has(id)));
    if (!isPlaced) return undefined;
    for (const { id, fields } of [...created, ...entered]) this.put({ id, fields: fields as Fields });
    for (const { id, fields } of updated) this.change(id, fields as Partial<Fields>);
    for (const id of [...deleted.map((row) => row.id), ...left]) this.remove(id);
    const ids = (list: readonly { readonly id: string }[]): readonly string[] => list.map(({ id }) => id);
    return { created: ids(created), entered: ids(entered), updated: ids(updated), deleted: ids(deleted), left };
  }

  private has(id: string): boolean {
    return this.indexOf(id) >= 0;
  }

  private indexOf(id: string): number {
    return this.rows.findIndex((row) => row.id === id);
  }

  private put(row: ViewRow<Fields> & { readonly id: string }): void {
    this.unknown.delete(row.id);
    const at = this.indexOf(row.id);
    if (at >= 0) this.rows[at] = row;
    else {
      // Most are new, and come last.
      let place = this.rows.length;
      while (place > 0 && (this.rows[place - 1]?.id ?? '') > row.id) place--;
      this.rows.splice(place, 0, row);
    }
  }

  private change(id: string, fields: Partial<Fields>): void {
    const at = this.indexOf(id);
    const was = this.rows[at];
    if (was) this.rows[at] = { id, fields: { ...was.fields, ...fields } };
    else this.unknown.add(id);
  }

  private remove(id: string): void {
    this.unknown.delete(id);
    const at = this.indexOf(id);
    if (at >= 0) this.rows.splice(at, 1);
  }
}

const NOTHING: ViewChanges = { created: [], entered: [], updated: [], deleted: [], left: [] };
