import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { AGGREGATE_FUNCTIONS, BUCKETS } from '../../../query/index.js';

/** What rows are grouped by. */
export class GroupByDto {
  /** @example 'due' */
  field!: string;
  @ApiPropertyOptional({
    enum: BUCKETS,
    example: 'month',
    description:
      'The span of the calendar that a date or datetime lies in; `hour` is for datetimes. Weeks begin on Monday.',
  })
  bucket?: string;
  /** Name in the answer; the key of the column without it. @example 'due_month' */
  as?: string;
}

export class AggregateDto {
  /** Name in the answer. @example 'total' */
  as!: string;
  @ApiProperty({
    enum: AGGREGATE_FUNCTIONS,
    example: 'sum',
    description:
      '`count` without a field counts rows. Empty cells do not count; of lists, all but `count` take the elements.',
  })
  fn!: string;
  /** @example 'amount' */
  field?: string;
}
