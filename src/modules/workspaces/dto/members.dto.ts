import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { MayBeAbsent, type Member, type PageDto, type Role } from '../../../common/index.js';
import { IsEmailAddress, type PersonDto } from '../../users/index.js';
import { InvitationDto } from './invitations.dto.js';
import { IsAttributes } from './is-attributes.js';
import { ApiRole, IsRole } from './is-role.js';

export class AddMemberDto {
  /** Somebody with an account becomes a member at once; anybody else gets an invitation. */
  @IsEmailAddress()
  email!: string;

  /** Only an owner can give `admin` and `owner`. */
  @IsRole()
  role!: Role;
}

export class UpdateMemberDto {
  /** Only an owner can give or take `admin` and `owner`. */
  @MayBeAbsent()
  @IsRole()
  role?: Role;

  @MayBeAbsent()
  @IsAttributes()
  attributes?: Member['attributes'];
}

/** One person in the workspace. */
export class MemberDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  user!: PersonDto;
  @ApiRole('editor')
  role!: Role;
  /**
   * A suspended person may do nothing until the operator says otherwise.
   * @example 'active'
   */
  status!: 'active' | 'suspended';
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'What rules of tables may ask of the member; told to admins, and to the member.',
    example: { region: 'emea' },
  })
  attributes?: Member['attributes'];
  /** @example '2026-11-22T20:45:00.000Z' */
  createdAt!: string;
}

/** An invitation that was made just now. */
export class InvitedDto extends InvitationDto {
  /** Nobody yet: the address has no account. */
  @ApiProperty({ type: 'null', nullable: true })
  user!: null;

  /**
   * The link for the invited person, told this once.
   * @example 'https://app.example.com/invitations/q1W2e3R4t5Y6u7I8o9P0a1S2d3F4g5H6j7K8l9Z0x1C'
   */
  inviteUrl!: string;
}

/** A membership that was just accepted. */
export class AcceptedDto extends MemberDto {
  /**
   * The workspace that you are a member of now.
   * @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11'
   */
  workspaceId!: string;
}

export class MemberListDto {
  data!: MemberDto[];
  page!: PageDto;
}
