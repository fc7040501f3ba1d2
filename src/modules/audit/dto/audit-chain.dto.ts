import { IsOptional, IsString, MaxLength } from 'class-validator';
import { ApiProperty } from '@nestjs/swagger';

export class VerifyAuditQuery {
  /** `token` of a checkpoint that was kept: the log must still be the one that it was made of. */
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  checkpoint?: string;
}

export class AuditLinkDto {
  /** How many entries of metadata the workspace had then. @example 42 */
  seq!: number;
  /** SHA-256 of the link before, the number and what the entry says, in hexadecimal digits; empty before the first. @example '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' */
  hash!: string;
}

export class AuditVerdictDto {
  /** Whether every link is the one that its entry makes, and none and no entry is missing or was put in. @example true */
  ok!: boolean;
  /** How many entries were looked at. @example 42 */
  checked!: number;
  @ApiProperty({
    type: Number,
    nullable: true,
    example: null,
    description: 'The first number that was changed, taken out or put in.',
  })
  brokenAt!: number | null;
  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'The entry of that number, where it is still there.',
  })
  brokenEntry!: string | null;
  /** Entries that were put in beside the server: they are in the log and have no link. @example 0 */
  unlinked!: number;
  /** The newest link. */
  head!: AuditLinkDto;
  @ApiProperty({
    enum: ['matches', 'differs'],
    required: false,
    example: 'matches',
    description: 'Of a checkpoint.',
  })
  checkpoint?: 'matches' | 'differs';
}

export class AuditCheckpointDto extends AuditLinkDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  workspaceId!: string;
  /** @example '2026-11-22T20:45:00.000Z' */
  at!: string;
  /** HMAC-SHA-256 by a key of the server. @example 'q1Nn0v1l0o4bTzQk7kqUq0H2m2cCqk4C2l3o0bV6m3E' */
  signature!: string;
  /** All of it as one text, to be kept elsewhere, for `verify?checkpoint=`. */
  token!: string;
}
