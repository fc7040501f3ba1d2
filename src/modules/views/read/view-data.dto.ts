import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { COUNT_MODES } from '../../../query/index.js';
import {
  SourceAggregateDto,
  SourceCountDto,
  SourceGroupDto,
  SourceListPageDto,
  SourcePageInputDto,
  SourceRowDto,
  SourceSortDto,
} from '../../connections/index.js';
import { ViewDefinitionDto } from '../definition.dto.js';
import { TIERS, type Tier } from './execution/outcome.js';

const FILTER = { type: 'object', additionalProperties: true, nullable: true } as const;

const ROLLUP = {
  default: false,
  description:
    'With groups: their subtotals, too, by the first groups only, one less for each level. They are of all rows, also of groups that `having` of the request leaves out; where that of the view does, there are none.',
} as const;

/** A question to a view: rows, or groups of what it shows. */
export class ViewQueryDto {
  @ApiPropertyOptional({ type: [String], description: 'Keys of what the view shows; all without it.' })
  fields?: string[];
  @ApiPropertyOptional({
    ...FILTER,
    description: 'As of rows, on what the view shows; not on what lies behind its links.',
  })
  filter?: object | null;
  @ApiPropertyOptional({
    description: 'Words, each of which has to be found in a text, stored or computed; letter case is ignored.',
  })
  search?: string;
  @ApiPropertyOptional({ type: [SourceSortDto], description: "In the place of the view's own order." })
  sort?: SourceSortDto[];
  page?: SourcePageInputDto;
  @ApiPropertyOptional({ enum: COUNT_MODES, default: 'none' })
  count?: string;
  @ApiPropertyOptional({ type: [SourceGroupDto], description: 'At most 5; of a view of rows.' })
  groupBy?: SourceGroupDto[];
  @ApiPropertyOptional({ type: [SourceAggregateDto], description: 'At most 20; of a view of rows.' })
  aggregates?: SourceAggregateDto[];
  @ApiPropertyOptional({ ...FILTER, description: 'On the groups.' })
  having?: object | null;
  @ApiPropertyOptional({ example: 'Europe/Berlin', description: 'Without it, the time zone of the workspace.' })
  tz?: string;
  @ApiPropertyOptional(ROLLUP)
  rollup?: boolean;
}

/** A definition that is tried. */
export class PreviewDto {
  definition!: ViewDefinitionDto;
  page?: SourcePageInputDto;
  @ApiPropertyOptional({ example: 'Europe/Berlin', description: 'Without it, the time zone of the workspace.' })
  tz?: string;
  @ApiPropertyOptional(ROLLUP)
  rollup?: boolean;
}

/** What was asked of one database. */
export class ViewSourceDto {
  @ApiProperty({ type: [String], example: ['d', 'c'], description: 'Aliases of the sources that it answered for.' })
  as!: string[];
  @ApiProperty({ type: String, nullable: true, description: 'A connection; null is the mini-DB.' })
  connection!: string | null;
  /** How many rows came back. @example 50 */
  rows!: number;
  /** Milliseconds that it took. @example 3.2 */
  ms!: number;
}

const TIER = {
  enum: TIERS,
  example: 'push-down',
  description:
    '`push-down`: one database answers all of it. `lookup-join`: a page of one, and what belongs to its rows from others. `join-engine`: rows are copied into PostgreSQL and joined there.',
};

export class ViewMetaDto {
  @ApiProperty(TIER)
  tier!: Tier;
  sources!: ViewSourceDto[];
}

/** What rows come to that are alike in the first of the groups only. */
export class SubtotalDto {
  @ApiProperty({ example: 1, description: 'By how many of the groups, in their order; 0 are all rows.' })
  level!: number;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { status: 'open' } })
  group!: Record<string, unknown>;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { total: '1200.50' } })
  values!: Record<string, unknown>;
}

export class ViewRowsDto {
  data!: SourceRowDto[];
  @ApiPropertyOptional({
    type: [SubtotalDto],
    description:
      'With `rollup`: of the groups of this page, level by level from all rows on, in the order of the page.',
  })
  subtotals?: SubtotalDto[];
  page!: SourceListPageDto;
  count?: SourceCountDto;
  meta!: ViewMetaDto;
}

export class ExplainedSourceDto extends ViewSourceDto {
  /** Of the connection. @example 'Shop' */
  name!: string;
  @ApiProperty({ example: 'select … where "city" = $1', description: 'What was sent, without values.' })
  text!: string;
}

export class ExplainedDto {
  @ApiProperty(TIER)
  tier!: Tier;
  /** Why it is done like this. @example 'All sources are tables of the mini-DB, which answers with one statement.' */
  reason!: string;
  sources!: ExplainedSourceDto[];
  /** @example 50 */
  rows!: number;
  /** @example 3.4 */
  ms!: number;
}
