import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsName, type Id } from '../../../common/index.js';
import { BulkMetaDto } from '../write/row.dto.js';
import { TableDto } from '../../tables/index.js';
import { DELIMITERS, type Delimiter } from './file/csv-parser.js';
import { CHARSETS, type Charset } from './file/decode.js';
import type { Tally } from './tally.js';

const FLAGS = ['true', 'false'] as const;
type Flag = (typeof FLAGS)[number];
export const MODES = ['append', 'upsert'] as const;
export type ImportMode = (typeof MODES)[number];
export const ON_ERROR = ['abort', 'skip'] as const;

/** How the bytes are to be read. */
class FileQuery {
  @ApiPropertyOptional({ enum: CHARSETS, description: 'UTF-8 unless the file begins with a byte order mark.' })
  @IsOptional()
  @IsIn(CHARSETS)
  charset?: Charset;

  @ApiPropertyOptional({
    enum: DELIMITERS,
    description: 'What stands between cells; found in the first line without it.',
  })
  @IsOptional()
  @IsIn(DELIMITERS)
  delimiter?: Delimiter;
}

export class ImportRowsQuery extends FileQuery {
  @ApiPropertyOptional({
    enum: MODES,
    default: 'append',
    description:
      'append: each line is a new row. upsert: a line changes the row that has the same values in `matchOn`, if there is one.',
  })
  @IsOptional()
  @IsIn(MODES)
  mode?: ImportMode;

  /** Keys of 1 to 5 columns that tell rows apart, separated by commas. @example 'email' */
  @IsOptional()
  @IsString()
  @MaxLength(500)
  matchOn?: string;

  @ApiPropertyOptional({
    enum: ON_ERROR,
    default: 'abort',
    description: 'abort: all lines or none. skip: lines that can be written are, a thousand at a time.',
  })
  @IsOptional()
  @IsIn(ON_ERROR)
  onError?: (typeof ON_ERROR)[number];

  @ApiPropertyOptional({ enum: FLAGS, default: 'false', description: 'Says what would happen; writes nothing.' })
  @IsOptional()
  @IsIn(FLAGS)
  dryRun?: Flag;

  @ApiPropertyOptional({
    enum: FLAGS,
    default: 'false',
    description: 'Passes over columns of the file that the table does not have or that cannot be written.',
  })
  @IsOptional()
  @IsIn(FLAGS)
  ignoreUnknown?: Flag;
}

export class ImportTableQuery extends FileQuery {
  /** Name of the new table. @example 'Zip codes' */
  @IsName()
  name!: string;
}

/** What is wrong with a line. */
export class ImportErrorDto {
  /** Line of the file, from 1; a line with a cell of several lines is the first of them. @example 17 */
  line!: number;
  /** Key of the column, or what the file calls it. @example 'amount' */
  column?: string;
  /** @example 'not_a_number' */
  code!: string;
  /** @example 'A number is expected.' */
  detail!: string;
}

export class ImportResultDto {
  /** The change set of all that was written. */
  id!: string;
  /** @example 41998 */
  created!: number;
  /** @example 0 */
  updated!: number;
  /** Rows that had these values already. @example 0 */
  unchanged!: number;
  /** Lines that were not written. @example 2 */
  failed!: number;
  @ApiProperty({ type: [ImportErrorDto], description: 'The first thousand.' })
  errors!: readonly ImportErrorDto[];
  errorsTruncated!: boolean;
  meta!: BulkMetaDto;
}

export class ImportAnswerDto extends ImportResultDto {
  @ApiProperty({ enum: MODES })
  mode!: ImportMode;
  dryRun!: boolean;
}

export class InferredColumnDto {
  /** Key of the column. @example 'zip_code' */
  column!: string;
  /** @example 'text' */
  type!: string;
  /** @example 'Some numbers begin with a zero, such as "00501".' */
  reason!: string;
}

export class ImportTableAnswerDto {
  table!: TableDto;
  inference!: InferredColumnDto[];
  import!: ImportResultDto;
}

export const resultOf = (id: Id, tally: Tally): ImportResultDto => {
  const { created, updated, unchanged, failed, errors, errorsTruncated, meta } = tally;
  return { id, created, updated, unchanged, failed, errors, errorsTruncated, meta: meta ?? { epoch: '', seq: 0 } };
};
