import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsObject,
  IsString,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { MayBeAbsent, PageDto } from '../../../common/index.js';
import { INDEX_KINDS, MAX_INDEX_COLUMNS, type IndexKind } from '../../../query/index.js';
import type { IndexStateName } from './table-index.entity.js';

/** Of one table, beside the automatic ones: each costs every write something. */
export const MAX_INDEXES = 20;

type ShownState = Exclude<IndexStateName, 'pending' | 'resting'>;
const SHOWN_STATES: readonly ShownState[] = ['building', 'ready', 'failed', 'dropping'];

const DIRECTIONS = ['asc', 'desc'] as const;
const KIND_DOC =
  '`sort`: pages in this order, and filters by the first columns. `filter`: the same by value, for choices, which sort by the order of their list. `search`: `contains` and its like, one column of text.';

export class IndexColumnInputDto {
  /** Id of a column of the table. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  @MayBeAbsent()
  @IsString()
  @MaxLength(64)
  columnId?: string;

  /** Or its key; both, where they name the same column, as lists and advice do. @example 'due' */
  @MayBeAbsent()
  @IsString()
  @MaxLength(64)
  field?: string;

  @ApiPropertyOptional({ enum: DIRECTIONS, default: 'asc' })
  @MayBeAbsent()
  @IsIn(DIRECTIONS)
  dir?: 'asc' | 'desc';
}

/** A new index. It is built in the background, while rows are read and written. */
export class CreateIndexDto {
  @ApiProperty({
    type: () => [IndexColumnInputDto],
    example: [{ field: 'due', dir: 'desc' }],
    maxItems: MAX_INDEX_COLUMNS,
  })
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_INDEX_COLUMNS)
  @IsArray()
  @Type(() => IndexColumnInputDto)
  columns!: IndexColumnInputDto[];

  @ApiPropertyOptional({ enum: INDEX_KINDS, default: 'sort', description: KIND_DOC })
  @MayBeAbsent()
  @IsIn(INDEX_KINDS)
  kind?: IndexKind;

  /**
   * No two rows may have the same values in all of these columns; rows in the trash do not count, and where a value is empty, rows are never
   * the same. Only for the kind `sort`.
   * @example false
   */
  @MayBeAbsent()
  @IsBoolean()
  unique?: boolean;
}

export class IndexColumnDto {
  /** Null: the id of the rows, which is no column. */
  columnId!: string | null;
  /** @example 'due' */
  field!: string;
  @ApiProperty({ enum: DIRECTIONS, example: 'asc' })
  dir!: 'asc' | 'desc';
}

/** Why an index cannot be built. */
export class IndexErrorDto {
  /** @example 'value_too_long' */
  code!: string;
  /** @example 'A row holds a value that is too long for an index.' */
  detail!: string;
}

export class IndexDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  tableId!: string;
  /** Name in PostgreSQL. @example '_ix_5b1f0c8e2a11_9d425b1f0c8e' */
  name!: string;
  @ApiProperty({ enum: INDEX_KINDS, example: 'sort', description: KIND_DOC })
  kind!: IndexKind;
  columns!: IndexColumnDto[];
  /** @example false */
  unique!: boolean;
  @ApiProperty({ enum: SHOWN_STATES, example: 'ready' })
  state!: ShownState;
  /** Belongs to the primary key or a unique column, and goes with it. @example false */
  automatic!: boolean;
  /** Rows are refused (422) whose values need more than about 2,600 bytes in it. @example false */
  limitsValues!: boolean;
  /** Only of a failed one. */
  error?: IndexErrorDto;
  /** Null: made by the server. */
  createdBy!: string | null;
  createdAt!: string;
}

export class IndexListDto {
  data!: IndexDto[];
  page!: PageDto;
}

/** An index that reads of late would have used. */
export class IndexAdviceDto {
  columns!: IndexColumnDto[];
  @ApiProperty({ enum: INDEX_KINDS, example: 'sort' })
  kind!: IndexKind;
  /** @example 'Reads sort by due without an index for it.' */
  reason!: string;
  /** Reads of the last 30 days that it would have helped. @example 1520 */
  uses!: number;
  /** The slowest of them, in milliseconds. @example 480 */
  worstMs!: number;
  /** @example '2026-11-22T20:45:00.000Z' */
  lastUsedAt!: string;
  /** Rows that the table has, about. @example 250000 */
  estimatedRows!: number;
}

export class IndexAdviceListDto {
  data!: IndexAdviceDto[];
  page!: PageDto;
}
