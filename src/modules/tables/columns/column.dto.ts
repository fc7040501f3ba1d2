import { IsBoolean, IsIn, IsInt, IsObject, IsOptional, Min } from 'class-validator';
import { ApiExtraModels, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ANY_CELL_SCHEMA, IsName, IsText, MAX_LIMIT, MayBeAbsent, PageDto } from '../../../common/index.js';
import { COLUMN_TYPES, columnType, type ColumnOptions, type ColumnTypeName } from '../../../query/index.js';
import { InTrashDto, TrashPageQuery } from '../trash.dto.js';
import type { ToldDefault } from './told-default.js';

/** Of a table; those in its trash are not counted. */
export const MAX_COLUMNS = 250;
const MAX_DESCRIPTION = 10_000;

const OPTIONS_DOC = {
  type: 'object' as const,
  additionalProperties: true,
  description: [
    'By type: `text {maxLength}`, `decimal {scale}`, `percent {scale}`, `currency {code,scale}`, `rating {max}`, `duration {format}`,',
    '`single_select` and `multi_select` `{choices:[{label,key?,color?}]}` (a color is a name, such as those of CSS, or #rrggbb), `user {multiple}`, `link {tableId,multiple?,inverseName?}`,',
    '`lookup {linkColumnId,columnId}`, `rollup {linkColumnId,columnId,fn}`, `count {linkColumnId}`, `formula {formula}`; the others take none.',
    'Columns are named by id, or by key.',
  ].join(' '),
  example: { choices: [{ label: 'Open' }, { label: 'Won' }] },
};

export const DEFAULT_DOC = {
  description:
    'Value of new rows that do not give one; in the form of a cell. `now` (date, datetime) and `me` (user) are taken when the row is made.',
  ...ANY_CELL_SCHEMA,
};

/** What each type is, for people who choose one. */
const TYPES_DOC = COLUMN_TYPES.map((name) => `\`${name}\`: ${columnType(name).summary}`).join('\n\n');

/** A new column. Its key is derived from the name and never changes. */
export class CreateColumnDto {
  /** @example 'Unit price' */
  @IsName()
  name!: string;

  /** @example 'Without tax' */
  @IsOptional()
  @IsText(MAX_DESCRIPTION)
  description?: string | null;

  @ApiProperty({ enum: COLUMN_TYPES, example: 'decimal', description: TYPES_DOC })
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

  @ApiPropertyOptional({ ...DEFAULT_DOC, example: null })
  @IsOptional()
  default?: unknown;

  @ApiPropertyOptional({ ...OPTIONS_DOC, example: { scale: 2 } })
  @MayBeAbsent()
  @IsObject()
  options?: Record<string, unknown>;
}

/** What may change of a column; what is left out stays. The type changes by conversion, the key never. */
export class UpdateColumnDto {
  /** @example 'Price per unit' */
  @MayBeAbsent()
  @IsName()
  name?: string;

  /** null clears it. */
  @IsOptional()
  @IsText(MAX_DESCRIPTION)
  description?: string | null;

  /** To switch it on, every row outside the trash needs a value. @example false */
  @MayBeAbsent()
  @IsBoolean()
  required?: boolean;

  /** To switch it on, no two rows outside the trash may have the same value. @example false */
  @MayBeAbsent()
  @IsBoolean()
  unique?: boolean;

  @ApiPropertyOptional({ ...DEFAULT_DOC, description: 'For rows made from now on; null clears it.' })
  @IsOptional()
  default?: unknown;

  /** Where the column shall stand, counted from 0; the others move. Past the end is the end. @example 0 */
  @MayBeAbsent()
  @IsInt()
  @Min(0)
  position?: number;

  @ApiPropertyOptional({ ...OPTIONS_DOC, example: { scale: 2 } })
  @MayBeAbsent()
  @IsObject()
  options?: Record<string, unknown>;
}

/** Without a limit all columns that a table may have. */
export class ColumnsQuery extends TrashPageQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: MAX_COLUMNS })
  override limit: number = MAX_COLUMNS;
}

/** How a column comes out of the trash. */
export class RestoreColumnDto {
  /** Neither required nor unique any more, where the rows that are there now would not allow it; a unique index is `failed` then. @example false */
  @MayBeAbsent()
  @IsBoolean()
  relax?: boolean;
}

export class ChoiceDto {
  /** @example 'open' */
  key!: string;
  /** @example 'Open' */
  label!: string;
  /** A name, such as those of CSS, or #rrggbb. @example 'green' */
  color?: string;
}

@ApiExtraModels(ChoiceDto)
export class ColumnDto extends InTrashDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** JSON key and physical name. @example 'unit_price' */
  key!: string;
  /** @example 'Unit price' */
  name!: string;
  description!: string | null;
  @ApiProperty({ enum: COLUMN_TYPES, example: 'decimal' })
  type!: ColumnTypeName;
  required!: boolean;
  unique!: boolean;
  @ApiProperty({ ...DEFAULT_DOC, example: null })
  default!: ToldDefault;
  @ApiProperty({ ...OPTIONS_DOC, example: { scale: 2 } })
  options!: ColumnOptions;
  /** @example 0 */
  position!: number;
}

export class ColumnListDto {
  data!: ColumnDto[];
  page!: PageDto;
}
