import type { AuditLogFilters } from './dto/audit-log-query.dto.js';

/** What of the audit log is asked for; each source obeys all of it, or has nothing to tell. */
export type AuditFilters = Readonly<AuditLogFilters>;

/** Entries of one source behind a place, newest first, and whether it has more. */
export interface Found<T> {
  readonly entries: readonly T[];
  readonly more: boolean;
}

/** Whether an action is among those that a filter asks for: itself, or all that begin alike. */
export const isAsked = (action: string, asked: string | undefined): boolean =>
  asked === undefined || (asked.endsWith('.*') ? action.startsWith(asked.slice(0, -1)) : action === asked);
