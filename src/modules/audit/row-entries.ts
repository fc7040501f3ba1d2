import { Injectable } from '@nestjs/common';
import type { Id } from '../../common/index.js';
import { TimedChanges, type Change, type TimedChange, type TimedFilter } from '../../engines/index.js';
import { PhysicalColumns } from '../tables/index.js';
import { isAsked, type AuditFilters, type Found } from './audit-filters.js';
import type { AuditLogEntryDto } from './dto/audit-log.dto.js';
import type { Place } from './place.js';

/** Of what fields were and became: a page of large rows has fewer of them. */
const MAX_BYTES = 8 * 2 ** 20;

/** What changes of rows are called in the audit log. */
const ACTIONS: readonly (readonly [Change['op'], string])[] = [
  ['create', 'row.created'],
  ['update', 'row.updated'],
  ['delete', 'row.deleted'],
  ['restore', 'row.restored'],
];
const actionOf = new Map(ACTIONS);

/** The entries of rows, in the change logs of the bases of a workspace, those in the trash too. */
@Injectable()
export class RowEntries {
  constructor(
    private readonly bases: PhysicalColumns,
    private readonly changes: TimedChanges,
  ) {}

  /** Up to `count` entries behind `after`. What is written meanwhile moves nothing that is there. */
  async newestFirst(
    workspaceId: Id,
    filters: AuditFilters,
    count: number,
    after: Place | undefined,
  ): Promise<Found<TimedChange>> {
    const filter = filterOf(filters);
    if (!filter) return { entries: [], more: false };
    const schemas = await this.bases.schemas(workspaceId);
    return this.changes.newest(schemas, filter, { entries: count, bytes: MAX_BYTES }, after && behind(after));
  }

  /** The entries as the audit log tells them, with their tables' names. */
  async told(changes: readonly TimedChange[]): Promise<readonly AuditLogEntryDto[]> {
    if (changes.length === 0) return [];
    const names = await this.bases.tableNames([...new Set(changes.map(({ tableId }) => tableId))]);
    return changes.map((change) => toDto(change, names.get(change.tableId) ?? ''));
  }
}

export const placeOfChange = ({ at, tableId, seq, ord }: TimedChange): Place => ({
  source: 'rows',
  ...{ at, tableId, seq, ord },
});

/** What is asked of the change logs; nothing where no change of a row can be meant. */
function filterOf({ action, resourceType, resourceId, ...same }: AuditFilters): TimedFilter | undefined {
  if (resourceType !== undefined && resourceType !== 'row') return undefined;
  const ops = ACTIONS.filter(([, name]) => isAsked(name, action)).map(([op]) => op);
  const [op, ...others] = ops;
  if (op === undefined) return undefined;
  return { ...same, rowId: resourceId, ...(others.length === 0 ? { op } : {}) };
}

/** Those of metadata come before those of rows of the same time, so all of these are behind. */
const behind = (place: Place) =>
  place.source === 'metadata'
    ? { at: place.at }
    : { at: place.at, change: { tableId: place.tableId, seq: place.seq, ord: place.ord } };

function toDto(change: TimedChange, table: string): AuditLogEntryDto {
  const { tableId, seq, ord, at, actor, op, rowId, before, after, requestId, ip, changeSet } = change;
  return {
    id: `${tableId}:${seq}:${ord}`,
    at,
    // No key can write rows: what has no person is the system.
    actor: { id: actor.id, name: actor.name, via: actor.id === null ? 'system' : 'session' },
    action: actionOf.get(op) ?? op,
    resource: { type: 'row', id: rowId, name: table, tableId },
    before,
    after,
    requestId,
    ip: ip ?? '',
    changeSet,
  };
}
