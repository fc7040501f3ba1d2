import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { DataChange, SchemaChange, type ChangeEvent } from '../messages/index.js';

export const MAX_CHANGES = 1_000;
export const MAX_WAIT_SECONDS = 30;

export class ListChangesQuery {
  /** The last number that you have; 0 for all. @example 41 */
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  after = 0;

  /** Numbers in one answer at most. @example 100 */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  limit = 100;

  /** Seconds to wait for the next change when there is none yet. @example 25 */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MAX_WAIT_SECONDS)
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
