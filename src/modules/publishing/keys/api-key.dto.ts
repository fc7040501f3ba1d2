import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  Max,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { IsFutureTime, IsName, MayBeAbsent, type PageDto } from '../../../common/index.js';
import { IsKeyList, RateLimitDto } from '../settings/view-api.dto.js';
import { QUOTA_PERIODS, type QuotaPeriod } from './api-key.entity.js';
import { isNetwork } from './network.js';

const MAX_VERSIONS = 20;
const MAX_NETWORKS = 100;
const MAX_OVERLAP_SECONDS = 30 * 86_400;

const IsNetwork = (): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isNetwork',
      validator: {
        validate: (value) => typeof value === 'string' && isNetwork(value),
        defaultMessage: () => 'Each is an address, or a network such as 203.0.113.0/24.',
      },
    },
    { each: true },
  );

const MAX_QUOTA = 1_000_000_000;

/** How often a key may be used in a longer time than that of its rate. */
export class QuotaDto {
  /** Requests within a period, over all nodes. @example 10000 */
  @ApiProperty({ type: 'integer', minimum: 1, maximum: MAX_QUOTA })
  @IsInt()
  @Min(1)
  @Max(MAX_QUOTA)
  limit!: number;

  @ApiProperty({ enum: QUOTA_PERIODS, description: 'A day or a calendar month of UTC.', example: 'day' })
  @IsIn(QUOTA_PERIODS)
  per!: QuotaPeriod;
}

export class CreateApiKeyDto {
  /** @example 'Website' */
  @IsName()
  name!: string;

  @ApiPropertyOptional({ type: String, nullable: true, format: 'date-time', description: 'Without it, never.' })
  @IsOptional()
  @IsFutureTime()
  expiresAt?: string | null;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    example: { field: 'status', op: 'eq', value: 'won' },
    description: 'Which rows it sees, on what is published; all without it.',
  })
  @IsOptional()
  @IsObject()
  filter?: object | null;

  @ApiPropertyOptional({
    type: [String],
    nullable: true,
    example: ['name'],
    description:
      'Which of the published columns it sees; all without it. What it does not see, it cannot filter or order by.',
  })
  @IsOptional()
  @ArrayMinSize(1)
  @IsKeyList()
  columns?: string[] | null;

  @ApiPropertyOptional({
    type: [Number],
    nullable: true,
    example: [1],
    description: 'Numbers of the versions that it opens; all without it, those that come later included.',
  })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_VERSIONS)
  @ArrayUnique()
  @IsInt({ each: true })
  versions?: number[] | null;

  @ApiPropertyOptional({
    type: [String],
    nullable: true,
    example: ['203.0.113.0/24'],
    description: 'Addresses and networks that it may be used from; any without it.',
  })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_NETWORKS)
  @ArrayUnique()
  @IsNetwork()
  allowedAddresses?: string[] | null;

  @ApiPropertyOptional({ type: RateLimitDto, description: 'That of the publication without it.' })
  @MayBeAbsent()
  @IsObject()
  @ValidateNested()
  @Type(() => RateLimitDto)
  rateLimit?: RateLimitDto;

  @ApiPropertyOptional({ type: QuotaDto, nullable: true, description: 'As many as the rate allows without it.' })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => QuotaDto)
  quota?: QuotaDto | null;
}

export class RotateApiKeyDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_OVERLAP_SECONDS,
    default: 3_600,
    description: 'For how long the old key goes on to work.',
  })
  @MayBeAbsent()
  @IsInt()
  @Min(0)
  @Max(MAX_OVERLAP_SECONDS)
  overlapSeconds?: number;
}

/** A quota, and what is left of it in this period. */
export class QuotaUseDto extends QuotaDto {
  @ApiProperty({
    type: 'integer',
    description: 'What no node has taken yet; each serves what it has taken, at most a hundredth, besides.',
    example: 9400,
  })
  remaining!: number;
  @ApiProperty({ format: 'date-time', description: 'When the next period begins.' })
  resetsAt!: string;
}

export class ApiKeyDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** @example 'Website' */
  name!: string;
  /** How it begins. @example 'ltk_x7Yw2K' */
  prefix!: string;
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  filter!: object | null;
  @ApiProperty({ type: [String], nullable: true })
  columns!: string[] | null;
  @ApiProperty({ type: [Number], nullable: true, example: [1], description: 'null: all.' })
  versions!: number[] | null;
  @ApiProperty({ type: [String], nullable: true })
  allowedAddresses!: string[] | null;
  @ApiProperty({ type: RateLimitDto, nullable: true, description: 'null: that of the publication.' })
  rateLimit!: RateLimitDto | null;
  @ApiProperty({ type: QuotaUseDto, nullable: true })
  quota!: QuotaUseDto | null;
  @ApiProperty({ type: String, nullable: true, format: 'date-time', description: 'null: never.' })
  expiresAt!: string | null;
  createdAt!: string;
  /** Id of the person. */
  createdBy!: string;
}

export class CreatedApiKeyDto extends ApiKeyDto {
  /** The key itself: shown now and never again. @example 'ltk_x7Yw2Kq0b1c2d3e4f5g6h7i8j9k0l1m2n3o4p5q6r7s' */
  key!: string;
}

export class ApiKeyListDto {
  data!: ApiKeyDto[];
  page!: PageDto;
}
