import { ApiProperty, ApiPropertyOptional, getSchemaPath, type ApiResponseOptions } from '@nestjs/swagger';
import { RowDto } from '../read/rows-query.dto.js';
import { BulkMetaDto } from './row.dto.js';

export class BulkDeleteDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'Which rows, as in a query; null for all of them.',
    example: { field: 'status', op: 'eq', value: 'lost' },
  })
  filter!: object | null;
  @ApiPropertyOptional({ minimum: 1, maximum: 100_000, default: 1_000, description: 'Refused when there are more.' })
  maxAffected?: number;
  @ApiPropertyOptional({ default: false, description: 'Only say what would be done.', example: true })
  dryRun?: boolean;
  /** From the dry run. */
  confirmToken?: string;
}

export class BulkUpdateDto extends BulkDeleteDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Values by column key, as in a PATCH of one row.',
    example: { status: 'won', qty: { $inc: 1 } },
  })
  set!: Record<string, unknown>;
}

/** Of a dry run. */
export class ByFilterDryRunDto {
  /** @example 100 */
  matched!: number;
  /** Some of the rows, as they are now. */
  sample!: RowDto[];
  /** Holds for 15 minutes, and as long as neither the rows nor the structure of the table change. */
  confirmToken!: string;
}

export class ByFilterDoneDto {
  /** @example 100 */
  matched!: number;
  /** Those that became different. @example 97 */
  affected!: number;
  meta!: BulkMetaDto;
}

export const BY_FILTER_ANSWER: ApiResponseOptions = {
  schema: { oneOf: [ByFilterDryRunDto, ByFilterDoneDto].map((type) => ({ $ref: getSchemaPath(type) })) },
};
