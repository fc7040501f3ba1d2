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

/** A question to a view: rows, or groups of what it shows. */
export class ViewQueryDto {
  @ApiPropertyOptional({ type: [String], description: 'Keys of what the view shows; all without it.' })
  fields?: string[];
  @ApiPropertyOptional({ ...FILTER, description: 'As of rows, on what the view shows.' })
  filter?: object | null;
  @ApiPropertyOptional({ description: 'Words, each of which has to be found in a text; letter case is ignored.' })
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
}

/** A definition that is tried. */
export class PreviewDto {
  definition!: ViewDefinitionDto;
  page?: SourcePageInputDto;
  @ApiPropertyOptional({ example: 'Europe/Berlin', description: 'Without it, the time zone of the workspace.' })
  tz?: string;
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

export class ViewRowsDto {
  data!: SourceRowDto[];
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
