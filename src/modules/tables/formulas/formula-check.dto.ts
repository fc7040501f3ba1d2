import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsId, IsText, MayBeAbsent, type Id } from '../../../common/index.js';
import { COLUMN_TYPES, type ColumnOptions, type ColumnTypeName } from '../../../query/index.js';

/** More than a formula may have, so that one which is too long is told so like any other flaw. */
const MAX_TEXT = 20_000;

/** A formula as somebody types it. */
export class CheckFormulaDto {
  /** @example '{unit_price} * {qty}' */
  @ApiProperty({ example: '{unit_price} * {qty}' })
  @IsText(MAX_TEXT)
  formula!: string;

  /** The table whose columns it reads; without it there are none. */
  @MayBeAbsent()
  @IsId()
  tableId?: Id;

  /** The formula column of the table that is to have it: then also told is what would lead back to it, and what else could not bear it. */
  @MayBeAbsent()
  @IsId()
  columnId?: Id;

  /** Where the person types, in UTF-16 code units from the beginning: asks for what can stand there. @example 20 */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MAX_TEXT)
  position?: number;
}

export class FormulaResultDto {
  @ApiProperty({ enum: COLUMN_TYPES, example: 'decimal' })
  type!: ColumnTypeName;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { scale: 2 } })
  options!: ColumnOptions;
  /** Whether a cell holds a list of such values. @example false */
  list!: boolean;
}

export class FormulaFlawDto {
  /** @example 'wrong_type' */
  code!: string;
  /** @example '+ takes numbers, and {name} is a text.' */
  detail!: string;
  /** UTF-16 code units from the beginning of the formula. Absent where something else than a place in it is wrong. @example 4 */
  position?: number;
  /** @example 6 */
  length?: number;
  /** What would fit there, where that can be said in a few words. @example 'a number' */
  expected?: string;
  /** Of a formula of a table that could not be computed any more. */
  columnId?: string;
  /** Where that one is. */
  tableId?: string;
}

export class FormulaCompletionDto {
  @ApiProperty({ enum: ['function', 'column', 'constant'], example: 'column' })
  kind!: string;
  /** What a list shows. @example 'unit_price' */
  label!: string;
  /** What takes the place of the text between `from` and `to`. @example '{unit_price}' */
  insert!: string;
  /** @example 0 */
  from!: number;
  /** @example 3 */
  to!: number;
  @ApiPropertyOptional({
    type: [String],
    description: 'How a function is called, all ways.',
    example: ['ROUND(number)'],
  })
  signatures?: readonly string[];
  /** What a function does. */
  summary?: string;
  /** A call of the function. @example 'ROUND(2.567, 1)' */
  example?: string;
  /** The display name of a column. @example 'Unit price' */
  name?: string;
  @ApiPropertyOptional({ enum: COLUMN_TYPES, description: 'What a column holds.', example: 'decimal' })
  type?: ColumnTypeName;
}

export class FormulaCheckDto {
  /** Whether a column could have the formula. @example true */
  ok!: boolean;
  @ApiProperty({ type: FormulaResultDto, nullable: true, description: 'What it gives; null where it is flawed.' })
  result!: FormulaResultDto | null;
  /** All that can be said at once of what is wrong with it. */
  errors!: FormulaFlawDto[];
  @ApiProperty({ type: [FormulaCompletionDto], description: 'Best first; empty where no position was asked about.' })
  completions!: FormulaCompletionDto[];
}
