import { IsBoolean, IsIn, IsObject, IsOptional } from 'class-validator';
import { ApiExtraModels, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsName, MayBeAbsent, PageDto } from '../../../common/index.js';
import { COLUMN_TYPES, type ColumnOptions, type ColumnTypeName } from '../../../query/index.js';

const OPTIONS_DOC = {
  type: 'object' as const,
  additionalProperties: true,
  description:
    'By type: text `{maxLength}`, decimal `{scale}`, single_select `{choices:[{label,key?,color?}]}`; the others take none.',
  example: { choices: [{ label: 'Open' }, { label: 'Won' }] },
};

/** A new column. Its key is derived from the name and never changes. */
export class CreateColumnDto {
  /** @example 'Unit price' */
  @IsName()
  name!: string;

  @ApiProperty({ enum: COLUMN_TYPES, example: 'decimal' })
  @IsIn(COLUMN_TYPES)
  type!: ColumnTypeName;

  /** Rows must have a value. @example false */
  @MayBeAbsent()
  @IsBoolean()
  required?: boolean;

  /** No two live rows may have the same value. @example false */
  @MayBeAbsent()
  @IsBoolean()
  unique?: boolean;

  /** Value of new rows that do not give one; in the form of a cell. */
  @ApiPropertyOptional({
    description: 'Value of new rows that do not give one; in the form of a cell.',
    example: null,
    nullable: true,
    oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }],
  })
  @IsOptional()
  default?: unknown;

  @ApiPropertyOptional({ ...OPTIONS_DOC, example: { scale: 2 } })
  @MayBeAbsent()
  @IsObject()
  options?: Record<string, unknown>;
}

/** What may change of a column; the type changes by conversion, the key never. */
export class UpdateColumnDto {
  /** @example 'Price per unit' */
  @MayBeAbsent()
  @IsName()
  name?: string;

  @ApiPropertyOptional({ ...OPTIONS_DOC, example: { scale: 2 } })
  @MayBeAbsent()
  @IsObject()
  options?: Record<string, unknown>;
}

export class ChoiceDto {
  /** @example 'open' */
  key!: string;
  /** @example 'Open' */
  label!: string;
  /** @example 'green' */
  color?: string;
}

@ApiExtraModels(ChoiceDto)
export class ColumnDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** JSON key and physical name. @example 'unit_price' */
  key!: string;
  /** @example 'Unit price' */
  name!: string;
  @ApiProperty({ enum: COLUMN_TYPES, example: 'decimal' })
  type!: ColumnTypeName;
  required!: boolean;
  unique!: boolean;
  @ApiProperty({ nullable: true, oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }], example: null })
  default!: string | number | boolean | null;
  @ApiProperty({ ...OPTIONS_DOC, example: { scale: 2 } })
  options!: ColumnOptions;
  /** @example 0 */
  position!: number;
}

export class ColumnListDto {
  data!: ColumnDto[];
  page!: PageDto;
}
