import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsId, MayBeAbsent, PageQuery } from '../../../common/index.js';
import { COUNT_MODES, type CountMode } from '../../../query/index.js';

/** The query string of a page of rows, of a table or of a view. */
export class ViewDataQuery extends PageQuery {
  /** Keys of the columns to return, separated by commas; all without it. @example 'name,amount' */
  @IsOptional()
  @IsString()
  @MaxLength(16_000)
  fields?: string;

  /** Text form of the filter. @example 'and(amount.gte.100,status.in.(open,won))' */
  @IsOptional()
  @IsString()
  @MaxLength(100_000)
  filter?: string;

  /** Words, each of which has to be found in a text of the row, written or computed, or the label of a choice; letter case is ignored. @example 'acme' */
  @IsOptional()
  @IsString()
  @MaxLength(400)
  search?: string;

  /** Time zone that days, weeks and so on of the filter are meant in; without it the workspace's. @example 'Europe/Berlin' */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  tz?: string;

  /** Id of a member: what that member would get. For admins; it is audited. */
  @MayBeAbsent()
  @IsId({ example: null })
  as?: string;

  /** At most 5 column keys, `-` for descending; null is the smallest value, what tells rows apart breaks ties. @example '-amount,name' */
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  sort?: string;

  @ApiPropertyOptional({
    enum: COUNT_MODES,
    default: 'none',
    description: 'bounded counts exactly up to 10,000. A count of more than 5 s is given up for an estimate.',
  })
  @IsOptional()
  @IsIn(COUNT_MODES)
  count?: CountMode;
}

/** The query string of a page of a view. */
export class ViewPageQuery extends ViewDataQuery {
  @ApiPropertyOptional({
    enum: ['true', 'false'],
    description: 'true: with `subtotals`, where the view shows groups of two or more levels.',
  })
  @IsOptional()
  @IsIn(['true', 'false'])
  rollup?: 'true' | 'false';
}
