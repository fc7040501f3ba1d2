import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, IsString, MaxLength, Min } from 'class-validator';
import { toWholeNumber } from './whole-number.js';

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 1000;

/** `limit` and `cursor` of every list. A limit above 1000 is taken as 1000, one below 1 is refused. */
export class PageQuery {
  /** How many items at most, 1 to 1000. */
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })
  @IsOptional()
  @Transform((of) => {
    const limit = toWholeNumber(of);
    return limit === of.value ? limit : Math.min(Number(limit), MAX_LIMIT);
  })
  @IsInt()
  @Min(1)
  limit: number = DEFAULT_LIMIT;

  /** From `page.nextCursor` of the answer before. */
  @IsOptional()
  @IsString()
  @MaxLength(4096)
  cursor?: string;
}

/** The page part of every list answer; no `nextCursor` means that this was the last page. */
export class PageDto {
  /** @example 50 */
  limit!: number;
  nextCursor?: string;
}
