import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ProblemItemDto } from '../../common/errors/problem.dto.js';
import { PageDto } from '../../common/index.js';
import { COLUMN_TYPES, type ColumnOptions, type ColumnTypeName } from '../../query/index.js';
import { InTrashDto, TrashPageQuery } from '../tables/index.js';
import { ViewDefinitionDto } from './definition.dto.js';
import { ViewSettingsDto } from './settings.dto.js';
import { VISIBILITIES, type StoredJson, type Visibility } from './stored/view.entity.js';

export class ViewsQuery extends TrashPageQuery {}

const VISIBILITY = {
  enum: VISIBILITIES,
  example: 'workspace',
  description: '`private`: seen by its owner only, whatever roles others have.',
};

/** The body of a new view; read by hand, since names in it are those of tables. */
export class CreateViewDto {
  @ApiProperty({
    minLength: 1,
    maxLength: 255,
    example: 'Open deals',
    description: "Of workspace views, and of one person's private ones, each has another; letter case does not matter.",
  })
  name!: string;
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 10_000, example: 'What we may win this month' })
  description?: string | null;
  @ApiPropertyOptional({ ...VISIBILITY, default: 'workspace' })
  visibility?: Visibility;
  definition!: ViewDefinitionDto;
  @ApiPropertyOptional({ type: ViewSettingsDto, description: 'A grid without it.' })
  settings?: ViewSettingsDto;
}

/** What is not given stays. */
export class UpdateViewDto {
  @ApiPropertyOptional({ minLength: 1, maxLength: 255, example: 'Open deals' })
  name?: string;
  @ApiPropertyOptional({ type: String, nullable: true, maxLength: 10_000, description: 'null clears it.' })
  description?: string | null;
  @ApiPropertyOptional({ ...VISIBILITY, description: 'Only who owns a view can make it private.' })
  visibility?: Visibility;
  @ApiPropertyOptional({ type: ViewDefinitionDto, description: 'In the place of the one that was there.' })
  definition?: ViewDefinitionDto;
  @ApiPropertyOptional({ type: ViewSettingsDto, description: 'In the place of those that were there.' })
  settings?: ViewSettingsDto;
}

export class DuplicateViewDto {
  @ApiProperty({ minLength: 1, maxLength: 255, example: 'Open deals 2027', description: 'Name of the copy.' })
  name!: string;
}

/** A column that a view shows. */
export class ViewColumnDto {
  /** @example 'margin' */
  key!: string;
  /** @example 'Margin' */
  name!: string;
  @ApiProperty({ enum: COLUMN_TYPES, example: 'decimal' })
  type!: ColumnTypeName;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { scale: 2 } })
  options!: ColumnOptions;
  /** Whether a cell holds a list of such values. @example false */
  list!: boolean;
}

/** Why it cannot be told what a view shows: a column, table, object or connection that it speaks of has gone or is another now. */
export class ViewProblemDto {
  /** @example 'view_broken' */
  code!: string;
  /** @example 'There is no field "margin".' */
  detail!: string;
  errors!: ProblemItemDto[];
}

const SHOWN = 'Of a single view of rows.';

export class ViewDto extends InTrashDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  workspaceId!: string;
  /** @example 'Open deals' */
  name!: string;
  description!: string | null;
  @ApiProperty(VISIBILITY)
  visibility!: Visibility;
  /** Id of the person. */
  ownerId!: string;
  @ApiProperty({ type: ViewDefinitionDto, description: 'As it was sent.' })
  definition!: StoredJson;
  @ApiProperty({ type: ViewSettingsDto })
  settings!: StoredJson;
  /** One more with each change; also in `ETag`. @example 1 */
  version!: number;
  createdAt!: string;
  /** Id of the person. */
  createdBy!: string;
  updatedAt!: string;
  /** Id of the person. */
  updatedBy!: string;
  @ApiPropertyOptional({ type: [ViewColumnDto], description: SHOWN })
  columns?: ViewColumnDto[];
  @ApiPropertyOptional({ type: ViewProblemDto, description: 'In the place of `columns`.' })
  problem?: ViewProblemDto;
}

export class ViewListDto {
  data!: ViewDto[];
  page!: PageDto;
}

/** What a view was from one change to the next. */
export class ViewVersionItemDto {
  /** @example 1 */
  version!: number;
  /** @example 'Open deals' */
  name!: string;
  createdAt!: string;
  /** Id of the person who made it so. */
  createdBy!: string;
}

export class ViewVersionDto extends ViewVersionItemDto {
  description!: string | null;
  @ApiProperty({ type: ViewDefinitionDto })
  definition!: StoredJson;
  @ApiProperty({ type: ViewSettingsDto })
  settings!: StoredJson;
}

export class ViewVersionListDto {
  data!: ViewVersionItemDto[];
  page!: PageDto;
}
