import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsObject, IsString, MaxLength, ValidateNested } from 'class-validator';
import { ProblemItemDto } from '../../../../common/errors/problem.dto.js';
import { MayBeAbsent } from '../../../../common/index.js';
import {
  CONVERSION_STATES,
  ON_ERROR,
  type ConversionState,
  type OnError,
} from './background/column-conversion.entity.js';
import { IndexColumnDto } from '../../indexes/index.dto.js';
import { DEFAULT_DOC } from '../column.dto.js';
import { COLUMN_TYPES, type ColumnTypeName } from '../../../../query/index.js';
import type { ToldDefault } from '../told-default.js';

/** What a column is to become. */
export class ConversionTargetDto {
  @ApiProperty({ enum: COLUMN_TYPES, example: 'decimal' })
  @IsIn(COLUMN_TYPES)
  type!: ColumnTypeName;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description:
      'As for a new column. Without `choices`, those of a select are made of the values that are there; letter case and blanks around a value ' +
      'make no other choice. For a `multi_select`, texts are taken apart at commas and ends of lines, lists in JSON element by element. For `json`, ' +
      'the text of an object or a list becomes that, any other a text in JSON.',
    example: { scale: 2 },
  })
  @MayBeAbsent()
  @IsObject()
  options?: Record<string, unknown>;
}

export class ConvertColumnDto {
  @ApiProperty({ type: ConversionTargetDto })
  @IsObject()
  @ValidateNested()
  @Type(() => ConversionTargetDto)
  to!: ConversionTargetDto;

  @ApiPropertyOptional({
    enum: ON_ERROR,
    default: 'abort',
    description: 'What becomes of values that cannot be converted: the whole is refused, or they are left empty.',
  })
  @MayBeAbsent()
  @IsIn(ON_ERROR)
  onError?: OnError;

  /** Only say what it would come to. @example true */
  @MayBeAbsent()
  @IsBoolean()
  dryRun?: boolean;

  /** Of the dry run with the same `to` and `onError`; for 15 minutes. */
  @MayBeAbsent()
  @IsString()
  @MaxLength(200_000)
  confirmToken?: string;

  /**
   * Convert also when values of the column have changed since the dry run, as they do all the time where many people write, and more of them
   * than it has shown cannot be converted. Without it, a large table is converted when the values that cannot be converted are those of the
   * dry run as the conversion begins, and in the end no more than that are left empty; which ones is not looked at again.
   */
  @MayBeAbsent()
  @IsBoolean()
  acceptChanges?: boolean;
}

/** A value that cannot be converted. */
export class ConversionSampleDto {
  rowId!: string;
  /** As text. @example 'abc' */
  value!: string;
  /** @example 'not_a_number' */
  code!: string;
}

/** A column that shows the converted one. */
export class DependentColumnDto {
  tableId!: string;
  columnId!: string;
  key!: string;
  /** @example 'lookup' */
  type!: string;
}

/** Why a conversion in the background did not come to its end. */
export class ConversionErrorDto {
  /** The code of a problem; `cancelled` by somebody, or `gave_up` after many tries. @example 'rows_in_the_way' */
  code!: string;
  /** @example '3 values cannot be converted to decimal.' */
  detail!: string;
  @ApiPropertyOptional({ type: [ProblemItemDto] })
  errors?: ProblemItemDto[];
}

/** A conversion of a large table, which goes on in the background while rows are read and written. */
export class ColumnConversionDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  tableId!: string;
  columnId!: string;
  @ApiProperty({ type: ConversionTargetDto })
  to!: ConversionTargetDto;
  @ApiProperty({ enum: ON_ERROR })
  onError!: OnError;
  @ApiProperty({
    enum: CONVERSION_STATES,
    example: 'converting',
    description: 'The column has its new type when it is `done`. `stopping` becomes `failed` or `cancelled`.',
  })
  state!: ConversionState;
  /** Rows that there were at the beginning, those in the trash too. @example 1000000 */
  rows!: number;
  /** Of them, and of those made meanwhile, those that are ready. @example 250000 */
  rowsDone!: number;
  /** Of one that failed or was cancelled, and of one that is `stopping`. */
  error?: ConversionErrorDto;
  createdAt!: string;
  finishedAt!: string | null;
}

const STATES_AFTER = ['building', 'failed'] as const;

/** An index of the column that was asked for. */
export class ConvertedIndexDto {
  id!: string;
  columns!: IndexColumnDto[];
  unique!: boolean;
  @ApiProperty({
    enum: STATES_AFTER,
    example: 'building',
    description:
      'What it is after the conversion. `building`: it is built anew; a unique one holds all the time. `failed`: no index of its kind can have the new ' +
      'type; it waits for one that it can have.',
  })
  state!: (typeof STATES_AFTER)[number];
}

export class ConversionReportDto {
  /** Rows of the table, those in the trash too. @example 4 */
  rows!: number;
  /** Values that can be converted. @example 2 */
  convertible!: number;
  /** Values that cannot. @example 1 */
  failing!: number;
  /** Up to 20 of those. */
  samples!: ConversionSampleDto[];
  @ApiProperty({
    type: [ProblemItemDto],
    description:
      'Why the conversion would be refused as it is asked for: values that cannot be converted and may not be left empty, and, where the column is ' +
      'unique, values that several rows would have (`values_repeat`, with `values [{value,rows,rowIds}]`); where a unique index has it, those of its ' +
      'columns together (`values [{values,rows,rowIds}]`).',
  })
  obstacles!: ProblemItemDto[];
  @ApiProperty({ ...DEFAULT_DOC, description: 'The default that the column will have.', example: null })
  default!: ToldDefault;
  /** Whether the column has a default that the new type does not take. @example false */
  defaultDropped!: boolean;
  dependents!: DependentColumnDto[];
  /** Indexes that were asked for with this column. */
  indexes!: ConvertedIndexDto[];
  confirmToken!: string;
}
