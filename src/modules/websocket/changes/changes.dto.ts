import { ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { toWholeNumber } from '../../../common/index.js';
import { DataChange, SchemaChange, type ChangeEvent } from '../messages/index.js';

export const MAX_CHANGES = 1_000;
export const MAX_WAIT_SECONDS = 30;

export class ListChangesQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    default: 0,
    description: 'The last number that you have; 0 for all.',
  })
  @Transform(toWholeNumber)
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  @IsInt()
  after = 0;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    default: 100,
    description: 'Numbers in one answer at most, up to 1,000.',
  })
  @IsOptional()
  @Transform(toWholeNumber)
  @Min(1)
  @IsInt()
  limit = 100;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_WAIT_SECONDS,
    default: 0,
    description: 'Seconds to wait for the next change when there is none yet.',
  })
  @IsOptional()
  @Transform(toWholeNumber)
  @Min(0)
  @Max(MAX_WAIT_SECONDS)
  @IsInt()
  wait = 0;
}

/** Where the log stands. */
export class ChangesMetaDto {
  epoch!: string;
  /** The newest number. @example 42 */
  seq!: number;
  /** The oldest number that is kept. @example 1 */
  oldest!: number;
}

export class ChangesDto {
  @ApiProperty({
    type: 'array',
    items: { oneOf: [DataChange, SchemaChange].map((type) => ({ $ref: getSchemaPath(type) })) },
    description: 'In order, without a gap. As the live events, but always whole. Empty: there is no more.',
  })
  data!: ChangeEvent[];
  meta!: ChangesMetaDto;
}
