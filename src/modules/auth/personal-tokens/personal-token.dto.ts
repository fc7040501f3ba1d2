import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsIn, IsOptional, ValidateBy } from 'class-validator';
import {
  IsFutureTime,
  isId,
  IsName,
  MayBeAbsent,
  TOKEN_SCOPES,
  type PageDto,
  type TokenScope,
} from '../../../common/index.js';
import { IsGivenPassword } from '../../users/index.js';

const MAX_WORKSPACES = 100;
export const MAX_DAYS = 366;
export const DEFAULT_DAYS = 90;

const SCOPE_TEXT =
  'Each includes those before it: `read` sees what you see; `write` also changes rows and views; `manage` does what your role allows. What a token may is never more than what you may.';

export class CreatePersonalTokenDto {
  /** What it is for. @example 'Nightly import' */
  @IsName()
  name!: string;

  @ApiProperty({ enum: TOKEN_SCOPES, example: 'write', description: SCOPE_TEXT })
  @IsIn(TOKEN_SCOPES)
  scope!: TokenScope;

  @ApiPropertyOptional({
    type: [String],
    nullable: true,
    description: 'The only workspaces that it leads to; all of yours, also later ones, without it.',
  })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_WORKSPACES)
  @ArrayUnique()
  @ValidateBy(
    { name: 'isId', validator: { validate: isId, defaultMessage: () => 'Each is the id of a workspace.' } },
    { each: true },
  )
  workspaceIds?: string[] | null;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: `At most ${MAX_DAYS} days from now; in ${DEFAULT_DAYS} days without it.`,
  })
  @MayBeAbsent()
  @IsFutureTime()
  expiresAt?: string;

  /** Your password, as a proof that it is you: a stolen session does not become a token that outlives it. */
  @IsGivenPassword()
  password!: string;
}

/** One of your personal tokens, without the token itself. */
export class PersonalTokenDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** @example 'Nightly import' */
  name!: string;
  /** How it begins. @example 'ltp_AZgsXnoQfD-d' */
  prefix!: string;
  @ApiProperty({ enum: TOKEN_SCOPES, example: 'write' })
  scope!: TokenScope;
  @ApiProperty({ type: [String], nullable: true, description: 'null: all of yours.' })
  workspaceIds!: string[] | null;
  /** @example '2027-02-20T20:45:00.000Z' */
  expiresAt!: string;
  /** @example '2026-11-22T20:45:00.000Z' */
  createdAt!: string;
  @ApiProperty({ type: String, nullable: true, format: 'date-time', description: 'To the minute; null: never.' })
  lastUsedAt!: string | null;
}

export class CreatedPersonalTokenDto extends PersonalTokenDto {
  /**
   * The token itself: shown now and never again. Send it as `Authorization: Bearer …`.
   * @example 'ltp_AZgsXnoQfD-dQlsfDI4qEQVb3n0kJ1rj0m0H2mQe1o0rZ8d2y1t1u4w7p9s6a5c3E'
   */
  token!: string;
}

export class PersonalTokenListDto {
  data!: PersonalTokenDto[];
  page!: PageDto;
}
