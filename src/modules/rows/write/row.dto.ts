import { ApiProperty, ApiPropertyOptional, getSchemaPath, ApiExtraModels } from '@nestjs/swagger';
import { RowDto } from '../read/rows-query.dto.js';
import { ON_CONFLICT } from './row-patch.js';

const FIELDS = { type: 'object' as const, additionalProperties: true, description: 'Values by column key.' };

export class CreateRowDto {
  @ApiProperty({ ...FIELDS, example: { name: 'Acme', amount: '1200.50', status: 'open' } })
  fields!: Record<string, unknown>;
}

export class UpdateRowDto {
  @ApiProperty({
    ...FIELDS,
    description:
      'Only what changes; null clears. `{"$inc": 1}` adds to a number, `{"$add": […], "$remove": […]}` changes a list.',
    example: { status: 'won', qty: { $inc: 1 } },
  })
  fields!: Record<string, unknown>;
  /** The version that you saw; with `reject` and `merge`. @example 7 */
  baseVersion?: number;
  @ApiPropertyOptional({
    enum: ON_CONFLICT,
    default: 'overwrite',
    description:
      'When the row was changed since baseVersion: write all the same; 409; or 409 only where the same field was changed.',
  })
  onConflict?: (typeof ON_CONFLICT)[number];
}

export class CreateOpDto {
  @ApiProperty({ enum: ['create'] })
  op!: 'create';
  /** Comes back in the result. @example 'a' */
  ref?: string;
  @ApiProperty({ ...FIELDS, example: { name: 'Acme' } })
  fields!: Record<string, unknown>;
}

export class UpdateOpDto {
  @ApiProperty({ enum: ['update'] })
  op!: 'update';
  id!: string;
  /** Fail unless the row has this version. */
  version?: number;
  ref?: string;
  @ApiProperty({ ...FIELDS, example: { status: 'won' } })
  fields!: Record<string, unknown>;
}

export class UpsertOpDto {
  @ApiProperty({ enum: ['upsert'] })
  op!: 'upsert';
  /** Keys of the columns that tell whether the row is there. @example ['name'] */
  matchOn!: string[];
  ref?: string;
  @ApiProperty({ ...FIELDS, example: { name: 'Acme', status: 'won' } })
  fields!: Record<string, unknown>;
}

export class DeleteOpDto {
  @ApiProperty({ enum: ['delete'] })
  op!: 'delete';
  id!: string;
  version?: number;
  ref?: string;
}

@ApiExtraModels(CreateOpDto, UpdateOpDto, UpsertOpDto, DeleteOpDto)
export class BulkDto {
  @ApiPropertyOptional({
    enum: ['atomic', 'partial'],
    default: 'atomic',
    description: 'atomic: all or nothing. partial: what can be done is done.',
  })
  mode?: 'atomic' | 'partial';

  @ApiProperty({
    type: 'array',
    minItems: 1,
    maxItems: 1000,
    items: {
      oneOf: [CreateOpDto, UpdateOpDto, UpsertOpDto, DeleteOpDto].map((type) => ({ $ref: getSchemaPath(type) })),
    },
    example: [
      { op: 'create', ref: 'a', fields: { name: 'Acme', amount: '1200.50', status: 'open' } },
      { op: 'create', fields: { name: 'Globex' } },
    ],
  })
  ops!: object[];
}

export class BulkSummaryDto {
  /** @example 1000 */
  total!: number;
  /** @example 1000 */
  ok!: number;
  /** @example 0 */
  failed!: number;
}

export class BulkResultDto {
  /** @example 0 */
  index!: number;
  ref?: string;
  /** HTTP status of this operation. @example 201 */
  status!: number;
  id?: string;
  row?: RowDto;
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'A problem document.' })
  error?: object;
}

export class BulkMetaDto {
  epoch!: string;
  /** The number that the whole call took. @example 43 */
  seq!: number;
}

export class BulkAnswerDto {
  summary!: BulkSummaryDto;
  results!: BulkResultDto[];
  meta!: BulkMetaDto;
}
