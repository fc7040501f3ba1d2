import { IsOptional, IsString, MaxLength } from 'class-validator';
import { ApiProperty } from '@nestjs/swagger';

export class VerifyQuery {
  /** `token` of a checkpoint that was kept: the log must still be the one that it was made of. */
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  checkpoint?: string;
}

export class ChainLinkDto {
  /** Number in the table's log. @example 42 */
  seq!: number;
  /** SHA-256 of the link before, the number and what its entries say, in hexadecimal digits; empty before the first. @example '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' */
  hash!: string;
}

export class ChainVerdictDto {
  /** Whether every link is the one that its entries make, and none is missing. @example true */
  ok!: boolean;
  /** How many changes were looked at. @example 1200 */
  checked!: number;
  /** The first number that was looked at: behind what is forgotten, and behind what was written before there was a chain. @example 1 */
  from!: number;
  /** The last. @example 42 */
  to!: number;
  @ApiProperty({
    type: Number,
    nullable: true,
    example: null,
    description: 'The first number that was changed, taken out or put in.',
  })
  brokenAt!: number | null;
  /** The newest link. */
  head!: ChainLinkDto;
  @ApiProperty({
    enum: ['matches', 'differs', 'forgotten'],
    required: false,
    example: 'matches',
    description: 'Of a checkpoint; `forgotten` where its number is not kept any more.',
  })
  checkpoint?: 'matches' | 'differs' | 'forgotten';
}

export class CheckpointDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  tableId!: string;
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a12' */
  epoch!: string;
  /** @example 42 */
  seq!: number;
  /** @example '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' */
  hash!: string;
  /** @example '2026-11-22T20:45:00.000Z' */
  at!: string;
  /** HMAC-SHA-256 by a key of the server. @example 'q1Nn0v1l0o4bTzQk7kqUq0H2m2cCqk4C2l3o0bV6m3E' */
  signature!: string;
  /** All of it as one text, to be kept elsewhere, for `verify?checkpoint=`. */
  token!: string;
}
