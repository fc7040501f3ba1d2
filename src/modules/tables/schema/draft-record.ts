import type { Id } from '../../../common/index.js';
import type { AuditEntry } from '../../../database/main/index.js';
import type { ColumnEntity } from '../columns/column.entity.js';
import { toldDefault } from '../columns/told-default.js';

/** What a draft tells: in the log of each table that is there, and in the audit. */
export class DraftRecord {
  readonly audit: AuditEntry[] = [];
  private readonly told = new Map<Id, Record<string, readonly unknown[]>>();

  constructor(private readonly workspaceId: Id) {}

  /** A change of a column, in both. */
  note(action: string, column: ColumnEntity, views: Pick<AuditEntry, 'before' | 'after'>): void {
    // With the default, since rows that are there get it: whoever follows the log needs nothing else to know them.
    const { id, key, name, type } = column;
    this.tell(column.tableId, action, { id, key, name, type, default: toldDefault(column) });
    this.audit.push({ workspaceId: this.workspaceId, action, resource: { type: 'column', id, name }, ...views });
  }

  tell(tableId: Id, what: string, change: unknown): void {
    const told = this.told.get(tableId) ?? {};
    this.told.set(tableId, { ...told, [what]: [...(told[what] ?? []), change] });
  }

  /** By table: one change of a kind as it is, several as a list. */
  get changes(): readonly (readonly [Id, object])[] {
    return [...this.told].map(([tableId, told]) => [
      tableId,
      Object.fromEntries(
        Object.entries(told).map(([what, changes]) => [what, changes.length === 1 ? changes[0] : changes]),
      ),
    ]);
  }
}
