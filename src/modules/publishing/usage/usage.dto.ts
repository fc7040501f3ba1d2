import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';

const MAX_HOURS = 90 * 24;
export const DEFAULT_HOURS = 7 * 24;

const WholeNumber = (): PropertyDecorator =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value,
    ),
    IsInt(),
  );

export class UsageQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_HOURS,
    default: DEFAULT_HOURS,
    description: 'How far back.',
  })
  @IsOptional()
  @WholeNumber()
  @Min(1)
  @Max(MAX_HOURS)
  hours: number = DEFAULT_HOURS;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Of one version only.' })
  @IsOptional()
  @WholeNumber()
  @Min(1)
  apiVersion?: number;
}

const BOUND = { type: 'number', nullable: true, example: 5 } as const;

export class UsageSumDto {
  /** @example 42 */
  requests!: number;
  /** Answered 304. @example 30 */
  notModified!: number;
  /** Answered without a question to the rows, 304 among them. @example 35 */
  cacheHits!: number;
  /** Refused, or failed. @example 1 */
  errors!: number;
  /** @example 1200 */
  rows!: number;
  /** Bytes of bodies before they were compressed. @example 48000 */
  bytes!: number;
  @ApiProperty({ ...BOUND, description: 'Half of the answers took no longer than so many milliseconds.' })
  p50Ms!: number | null;
  @ApiProperty(BOUND)
  p95Ms!: number | null;
  @ApiProperty(BOUND)
  p99Ms!: number | null;
}

export class UsageHourDto extends UsageSumDto {
  /** Its beginning. @example '2026-01-31T12:00:00.000Z' */
  hour!: string;
  /** Version of the publication. @example 1 */
  apiVersion!: number;
  @ApiProperty({ type: String, nullable: true, description: 'null: without a key, or with none that is valid.' })
  keyId!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'null also for a key that was revoked.' })
  keyName!: string | null;
}

/** How a published view was read. Nodes tell what they counted every ten seconds. */
export class UsageDto {
  total!: UsageSumDto;
  @ApiProperty({ type: [UsageHourDto], description: 'By hour and key, the newest first; at most 10,000.' })
  data!: UsageHourDto[];
}
