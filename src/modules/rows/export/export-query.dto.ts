import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { EXPORT_FORMATS, type ExportFormat } from '../../../query/index.js';

export const HEADERS = ['keys', 'names'] as const;
const FLAGS = ['true', 'false'] as const;

/** What is to be in the file, and in which form. */
export class ExportQuery {
  @ApiPropertyOptional({ enum: EXPORT_FORMATS, default: 'csv' })
  @IsOptional()
  @IsIn(EXPORT_FORMATS)
  format?: ExportFormat;

  /** Keys of the columns, separated by commas; all without it. @example 'name,amount' */
  @IsOptional()
  @IsString()
  @MaxLength(16_000)
  fields?: string;

  /** Text form of the filter. @example 'status.in.(open,won)' */
  @IsOptional()
  @IsString()
  @MaxLength(100_000)
  filter?: string;

  /** At most 5 column keys, `-` for descending. @example '-amount' */
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  sort?: string;

  @ApiPropertyOptional({ enum: HEADERS, default: 'keys', description: 'What the first line of a CSV file has.' })
  @IsOptional()
  @IsIn(HEADERS)
  header?: (typeof HEADERS)[number];

  @ApiPropertyOptional({
    enum: FLAGS,
    default: 'false',
    description: 'Whether a CSV file begins with a byte order mark; some spreadsheets take it for UTF-8 only then.',
  })
  @IsOptional()
  @IsIn(FLAGS)
  bom?: (typeof FLAGS)[number];
}
