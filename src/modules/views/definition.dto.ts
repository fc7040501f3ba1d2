import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { JoinTieDto, SourceAggregateDto, SourceGroupDto, SourceSortDto } from '../connections/index.js';

/** A table of ours, or an object of a connection. */
export class DefinedSourceDto {
  /** Id of a table of this workspace. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  table?: string;
  @ApiPropertyOptional({ description: 'Id of a connection of this workspace, together with `object`.' })
  connection?: string;
  @ApiPropertyOptional({ description: 'As in the schema of the connection, such as `public.customers`.' })
  object?: string;
}

export class DefinedJoinDto {
  @ApiPropertyOptional({ enum: ['left', 'inner'], default: 'left' })
  type?: string;
  /** What it is called in the definition; the name of the table or object without it. @example 'c' */
  as?: string;
  @ApiProperty({
    type: DefinedSourceDto,
    example: { connection: '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a12', object: 'crm.customers' },
  })
  source!: DefinedSourceDto;
  @ApiProperty({ type: [JoinTieDto], description: 'Equal values, 1 to 5 pairs.' })
  on!: JoinTieDto[];
}

export class ComputedColumnDto {
  /** @example 'margin' */
  key!: string;
  /** @example 'Margin' */
  name?: string;
  @ApiProperty({ maxLength: 8_192, example: '{d.price} - {d.cost}' })
  formula!: string;
}

const COLUMN = {
  oneOf: [
    { type: 'string' },
    { type: 'object', required: ['field'], properties: { field: { type: 'string' }, as: { type: 'string' } } },
  ],
};

/** A question over tables and external objects in any mix. Columns are called by their key, or by `alias.key`. */
export class ViewDefinitionDto {
  source!: DefinedSourceDto;
  /** What the source is called in the definition. @example 'd' */
  as?: string;
  @ApiPropertyOptional({ type: [DefinedJoinDto], description: 'At most 8.' })
  joins?: DefinedJoinDto[];
  @ApiPropertyOptional({ type: [ComputedColumnDto], description: 'At most 50.' })
  computed?: ComputedColumnDto[];
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description:
      'As of rows; also `{link, quantifier, where}` on what the links of each table lead to, there with formulas and lookups, too. Whoever reads the view cannot see beyond it.',
    example: { field: 'status', op: 'eq', value: 'open' },
  })
  filter?: object | null;
  @ApiPropertyOptional({ type: [SourceSortDto], example: [{ field: 'margin', dir: 'desc' }] })
  sort?: SourceSortDto[];
  @ApiPropertyOptional({
    type: 'array',
    items: COLUMN,
    description:
      'What the view shows, all without it; nothing else can be reached by a filter, sort, search or group of a request. At most 250.',
    example: ['d.name', { field: 'c.country', as: 'country' }, 'margin'],
  })
  columns?: (string | object)[];
  @ApiPropertyOptional({ type: [SourceGroupDto], description: 'At most 5; groups come in the place of rows.' })
  groupBy?: SourceGroupDto[];
  @ApiPropertyOptional({ type: [SourceAggregateDto], description: 'At most 20.' })
  aggregates?: SourceAggregateDto[];
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, nullable: true, description: 'On the groups.' })
  having?: object | null;
}
