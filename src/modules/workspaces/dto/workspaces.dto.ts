import { IsInt, Max, Min, ValidateIf } from 'class-validator';
import { IsId, IsName, MayBeAbsent, type PageDto, type Role } from '../../../common/index.js';
import { IsTimeZone } from './is-time-zone.js';
import { ApiRole } from './is-role.js';

export class CreateWorkspaceDto {
  /** @example 'Sales' */
  @IsName()
  name!: string;
}

export class UpdateWorkspaceDto {
  /** @example 'Sales Europe' */
  @MayBeAbsent()
  @IsName()
  name?: string;

  /** In which days, weeks and so on of filters are meant, where a request names no other. */
  @MayBeAbsent()
  @IsTimeZone()
  timeZone?: string;

  /**
   * For how many days the history of rows is kept: their change log, by which they are also followed, reverted and read as they were.
   * Null keeps it for as long as the server does, which is never exceeded. What is older is removed for good within the hour, the
   * proof of what remains is kept. For owners.
   * @example 365
   */
  @MayBeAbsent()
  @ValidateIf((_, value) => value !== null)
  @IsInt()
  @Min(1)
  @Max(36_500)
  historyDays?: number | null;
}

export class TransferDto {
  /** The member who becomes an owner in your place. */
  @IsId()
  memberId!: string;
}

export class WorkspaceDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** @example 'Sales' */
  name!: string;
  /**
   * Derived from the first name, unique, stays when the name changes.
   * @example 'sales'
   */
  slug!: string;
  /** Your role in it. */
  @ApiRole('owner')
  role!: Role;
  /** IANA name. @example 'UTC' */
  timeZone!: string;
  /** For how many days the history of rows is kept; null for as long as the server keeps it. @example null */
  historyDays!: number | null;
  /** @example '2026-11-22T20:45:00.000Z' */
  createdAt!: string;
  /** @example '2026-11-22T20:45:00.000Z' */
  updatedAt!: string;
}

export class WorkspaceListDto {
  data!: WorkspaceDto[];
  page!: PageDto;
}
