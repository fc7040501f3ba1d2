import { IsIn, IsOptional } from 'class-validator';
import { ApiPropertyOptional, PickType } from '@nestjs/swagger';
import { EXPORT_FORMATS, type ExportFormat } from '../../../query/index.js';
import { ListRowsQuery } from '../read/rows-query.dto.js';

export const HEADERS = ['keys', 'names'] as const;
const FLAGS = ['true', 'false'] as const;

/** What is to be in the file, and in which form. */
export class ExportQuery extends PickType(ListRowsQuery, [
  'fields',
  'filter',
  'search',
  'sort',
  'tz',
  'asOf',
  'as',
] as const) {
  @ApiPropertyOptional({ enum: EXPORT_FORMATS, default: 'csv' })
  @IsOptional()
  @IsIn(EXPORT_FORMATS)
  format?: ExportFormat;

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
