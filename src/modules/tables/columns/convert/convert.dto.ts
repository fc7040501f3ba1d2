import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsObject, IsString, MaxLength, ValidateNested } from 'class-validator';
import { MayBeAbsent } from '../../../../common/index.js';
import { COLUMN_TYPES, type ColumnTypeName } from '../../../../query/index.js';

export const ON_ERROR = ['abort', 'null'] as const;
export type OnError = (typeof ON_ERROR)[number];

/** What a column is to become. */
export class ConversionTargetDto {
  @ApiProperty({ enum: COLUMN_TYPES, example: 'decimal' })
  @IsIn(COLUMN_TYPES)
  type!: ColumnTypeName;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'As for a new column. Without `choices`, those of a select are made of the values that are there.',
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

export class ConversionReportDto {
  /** Rows of the table, those in the trash too. @example 4 */
  rows!: number;
  /** Values that can be converted. @example 2 */
  convertible!: number;
  /** Values that cannot. @example 1 */
  failing!: number;
  /** Up to 20 of those. */
  samples!: ConversionSampleDto[];
  dependents!: DependentColumnDto[];
  confirmToken!: string;
}
