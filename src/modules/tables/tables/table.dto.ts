import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsObject, IsOptional, ValidateNested } from 'class-validator';
import { IsName, IsText, MayBeAbsent, PageDto } from '../../../common/index.js';
import { AppearanceDto } from '../appearance.dto.js';
import { ColumnDto, CreateColumnDto, MAX_COLUMNS } from '../columns/column.dto.js';
import { InTrashDto } from '../trash.dto.js';

export const MAX_DESCRIPTION = 10_000;

/** The columns that the examples of rows and filters speak of. */
const EXAMPLE_COLUMNS = [
  { name: 'Name', type: 'text', required: true },
  { name: 'Amount', type: 'decimal', options: { scale: 2 } },
  { name: 'Qty', type: 'integer' },
  { name: 'Active', type: 'boolean' },
  { name: 'Due', type: 'date' },
  { name: 'Status', type: 'single_select', options: { choices: [{ label: 'Open' }, { label: 'Won' }] } },
];

/** A new table, with its columns in one call. */
export class CreateTableDto extends AppearanceDto {
  /** @example 'Deals' */
  @IsName()
  name!: string;

  /** @example 'What we are about to sell' */
  @IsOptional()
  @IsText(MAX_DESCRIPTION)
  description?: string;

  @ApiPropertyOptional({ type: [CreateColumnDto], example: EXAMPLE_COLUMNS })
  @MayBeAbsent()
  // The nested check takes a list in the place of a column for a list of columns.
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @ArrayMaxSize(MAX_COLUMNS)
  @IsArray()
  @Type(() => CreateColumnDto)
  columns?: CreateColumnDto[];
}

export class UpdateTableDto extends AppearanceDto {
  /** @example 'Opportunities' */
  @MayBeAbsent()
  @IsName()
  name?: string;

  /** null clears it. */
  @IsOptional()
  @IsText(MAX_DESCRIPTION)
  description?: string | null;
}

/** Where the table lies in the mini-DB, for operators. */
export class PhysicalDto {
  /** @example 'crm_k3f9a2' */
  schema!: string;
  /** @example 'deals' */
  table!: string;
}

export class TableDto extends InTrashDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  baseId!: string;
  workspaceId!: string;
  /** @example 'deals' */
  key!: string;
  /** @example 'Deals' */
  name!: string;
  description!: string | null;
  /** @example 'teal' */
  color!: string | null;
  /** @example '🤝' */
  icon!: string | null;
  /** @example 1 */
  position!: number;
  /** @example 1 */
  schemaVersion!: number;
  columns!: ColumnDto[];
  physical!: PhysicalDto;
  createdAt!: string;
  updatedAt!: string;
}

export class TableListDto {
  data!: TableDto[];
  page!: PageDto;
}
