import { Transform } from 'class-transformer';
import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString, MaxLength, Min } from 'class-validator';
import { DEFAULT_LIMIT, toWholeNumber, PageDto } from '../../../common/index.js';
import { FORMATS, type Format } from './formats.js';

/** What a reader of a published view may ask. */
export class PublicDataQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    default: DEFAULT_LIMIT,
    description: 'How many rows at most; more than the published view gives at once is refused.',
  })
  @IsOptional()
  @Transform(toWholeNumber)
  @IsInt()
  @Min(1)
  limit?: number;

  /** From `page.nextCursor` of the answer before, or from its `Link` header. */
  @IsOptional()
  @IsString()
  @MaxLength(4096)
  cursor?: string;

  /** Text form of the filter, on the columns that are declared for it. @example 'qty.gte.100' */
  @IsOptional()
  @IsString()
  @MaxLength(100_000)
  filter?: string;

  /** At most 5 column keys of those that are declared for it, `-` for descending. @example '-qty' */
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  sort?: string;

  @ApiPropertyOptional({ enum: FORMATS, description: 'Without it, what `Accept` asks for, and JSON.' })
  @IsOptional()
  @IsIn(FORMATS)
  format?: Format;
}

/** What a reader may ask who follows the first page. */
export class PublicStreamQuery extends OmitType(PublicDataQuery, ['cursor', 'format'] as const) {}

/** A page of a published view. */
export class PublicRowsDto {
  @ApiProperty({
    type: 'array',
    items: { type: 'object', additionalProperties: true },
    description: 'Flat rows: what the view shows, by its keys.',
    example: [{ name: 'Acme', qty: 3 }],
  })
  data!: object[];
  page!: PageDto;
}
