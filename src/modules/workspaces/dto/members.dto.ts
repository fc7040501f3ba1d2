import { MayBeAbsent, type PageDto, type Role } from '../../../common/index.js';
import { IsEmailAddress, type PersonDto } from '../../users/index.js';
import { ApiRole, IsRole } from './is-role.js';

export class AddMemberDto {
  /** Of somebody who has an account. */
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
}

/** One person in the workspace. */
export class MemberDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  user!: PersonDto;
  @ApiRole('editor')
  role!: Role;
  /** @example 'active' */
  status!: 'active';
  /** @example '2026-11-22T20:45:00.000Z' */
  createdAt!: string;
}

export class MemberListDto {
  data!: MemberDto[];
  page!: PageDto;
}
