import type { PageDto, Role } from '../../../common/index.js';
import { ApiRole } from './is-role.js';

/** Who invited. */
export class InviterDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** @example 'Ada Lovelace' */
  name!: string;
}

/** An invitation that nobody has accepted yet. */
export class InvitationDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** @example 'grace@example.com' */
  email!: string;
  @ApiRole('editor')
  role!: Role;
  /** @example 'invited' */
  status!: 'invited';
  invitedBy!: InviterDto;
  /** @example '2026-11-22T20:45:00.000Z' */
  createdAt!: string;
  /** @example '2026-11-29T20:45:00.000Z' */
  expiresAt!: string;
}

export class InvitationListDto {
  data!: InvitationDto[];
  page!: PageDto;
}

/** What somebody who holds the link may see of it. */
export class InvitationPreviewDto {
  /** @example 'Sales' */
  workspaceName!: string;
  /** The address that the invitation is for. */
  email!: string;
  @ApiRole('editor')
  role!: Role;
  /** Name of the person who invited. */
  invitedBy!: string;
  /** @example '2026-11-29T20:45:00.000Z' */
  expiresAt!: string;
}
