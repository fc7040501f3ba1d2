import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { COLUMN_TYPES, OBJECT_KINDS, type ColumnTypeName, type ObjectKind } from '../../../query/index.js';

export class SchemaQuery {
  @ApiPropertyOptional({ enum: ['true', 'false'], default: 'false', description: 'Look into the database now.' })
  @IsOptional()
  @IsIn(['true', 'false'])
  refresh?: 'true' | 'false';
}

export class FoundColumnDto {
  /** Its name; in a collection a path with dots. @example 'city' */
  key!: string;
  /** @example 'character varying(80)' */
  nativeType!: string;
  @ApiProperty({ enum: COLUMN_TYPES, example: 'text', description: 'What it is in filters, sorts and answers.' })
  type!: ColumnTypeName;
  @ApiProperty({ type: 'object', additionalProperties: true, example: {} })
  options!: object;
  nullable!: boolean;
  primaryKey!: boolean;
  @ApiPropertyOptional({ type: [String], description: 'Native types that were found side by side, in a collection.' })
  mixed?: readonly string[];
}

export class FoundReferenceDto {
  @ApiProperty({ type: [String], example: ['customer_id'] })
  columns!: readonly string[];
  /** @example 'public' */
  schema!: string;
  /** @example 'customers' */
  name!: string;
  @ApiProperty({ type: [String], example: ['id'] })
  references!: readonly string[];
}

export class FoundObjectDto {
  /** @example 'public' */
  schema!: string;
  /** @example 'orders' */
  name!: string;
  @ApiProperty({ enum: OBJECT_KINDS, example: 'table' })
  kind!: ObjectKind;
  columns!: FoundColumnDto[];
  @ApiProperty({ type: [String], example: ['id'] })
  primaryKey!: readonly string[];
  @ApiProperty({
    type: 'array',
    items: { type: 'array', items: { type: 'string' } },
    description: 'Other keys, of columns that are never null.',
    example: [['number']],
  })
  uniqueKeys!: readonly (readonly string[])[];
  @ApiProperty({ type: [FoundReferenceDto] })
  foreignKeys!: readonly FoundReferenceDto[];
  @ApiProperty({ type: 'integer', nullable: true, description: 'As the database thinks.', example: 1200 })
  estimatedRows!: number | null;
}

export class DriftPlaceDto {
  /** @example 'public.orders' */
  object!: string;
  /** Where it is about a column. @example 'city' */
  column?: string;
}

export class DriftChangeDto extends DriftPlaceDto {
  @ApiProperty({ enum: ['kind', 'nativeType', 'nullable', 'primaryKey'], example: 'nativeType' })
  what!: string;
  /** @example 'integer' */
  before!: string;
  /** @example 'bigint' */
  after!: string;
}

export class DriftRenameDto extends DriftPlaceDto {
  /** Its name before. @example 'town' */
  from!: string;
}

export class DriftDto {
  @ApiProperty({ type: [DriftPlaceDto] })
  added!: readonly DriftPlaceDto[];
  @ApiProperty({ type: [DriftPlaceDto] })
  removed!: readonly DriftPlaceDto[];
  @ApiProperty({ type: [DriftChangeDto] })
  changed!: readonly DriftChangeDto[];
  @ApiProperty({ type: [DriftRenameDto], description: 'Probably the same under another name.' })
  renamed!: readonly DriftRenameDto[];
}

export class ConnectionSchemaDto {
  objects!: FoundObjectDto[];
  /** @example '2026-11-26T12:00:00.000Z' */
  discoveredAt!: string;
  /** Against what was found the time before. */
  drift!: DriftDto;
}
