import { IntersectionType } from '@nestjs/swagger';
import { IsUUID, Matches } from 'class-validator';
import { MayBeAbsent, PageQuery } from '../../../common/index.js';
import { IsInstant } from './is-instant.js';

const PRINTABLE = /^[\x20-\x7e]{1,128}$/;

/** Which entries of the audit log; what is given is ANDed. */
export class AuditLogFilters {
  /**
   * Who did it: a person, or an API key.
   * @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11'
   */
  @MayBeAbsent()
  @IsUUID('all', { message: 'actorId must be the id of a person or a key.' })
  actorId?: string;

  /**
   * What was done: an action, or all that begin alike, as `member.*` or `row.*`.
   * @example 'table.created'
   */
  @MayBeAbsent()
  @Matches(/^[a-z_]+(\.[a-z_]+)*(\.\*)?$/, { message: 'action must be an action, such as member.added or member.*.' })
  @Matches(/^.{1,100}$/s, { message: 'action must not be longer than 100 characters.' })
  action?: string;

  /**
   * Kind of thing that it was done to.
   * @example 'table'
   */
  @MayBeAbsent()
  @Matches(/^[a-z_]{1,100}$/, { message: 'resourceType must be a kind of thing, such as table.' })
  resourceType?: string;

  /**
   * The thing that it was done to.
   * @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11'
   */
  @MayBeAbsent()
  @IsUUID('all', { message: 'resourceId must be an id.' })
  resourceId?: string;

  /**
   * Not before this time (RFC 3339 with its offset).
   * @example '2026-11-01T00:00:00Z'
   */
  @MayBeAbsent()
  @IsInstant()
  from?: string;

  /**
   * Before this time (RFC 3339 with its offset).
   * @example '2026-12-01T00:00:00Z'
   */
  @MayBeAbsent()
  @IsInstant()
  to?: string;

  /**
   * What was done to rows as one act: an import, a bulk edit. Changes of metadata belong to none.
   * @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11'
   */
  @MayBeAbsent()
  @IsUUID('all', { message: 'changeSet must be an id.' })
  changeSet?: string;

  /**
   * `X-Request-Id` of the request that did it.
   * @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11'
   */
  @MayBeAbsent()
  @Matches(PRINTABLE, { message: 'requestId must be 1 to 128 printable ASCII characters.' })
  requestId?: string;

  /**
   * Address that it was done from.
   * @example '203.0.113.7'
   */
  @MayBeAbsent()
  @Matches(PRINTABLE, { message: 'ip must be an address.' })
  ip?: string;
}

/** A page of them. */
export class AuditLogQuery extends IntersectionType(PageQuery, AuditLogFilters) {}
