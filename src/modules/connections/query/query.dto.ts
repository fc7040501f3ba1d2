import { ApiProperty, ApiPropertyOptional, PickType } from '@nestjs/swagger';
import { AGGREGATE_FUNCTIONS, BUCKETS, COUNT_MODES } from '../../../query/index.js';

export class JoinTieDto {
  /** A column of an object in front of this one. @example 'c.id' */
  left!: string;
  /** A column of this object. @example 'o.customer_id' */
  right!: string;
}

/** Another object of the same database, put beside. */
export class JoinDto {
  @ApiPropertyOptional({ enum: ['inner', 'left'], default: 'inner' })
  type?: string;
  /** @example 'public.orders' */
  object!: string;
  /** @example 'o' */
  as?: string;
  /** Equal values, at most 5 pairs. */
  on!: JoinTieDto[];
}

export class SourceGroupDto {
  /** @example 'country' */
  field!: string;
  @ApiPropertyOptional({ enum: BUCKETS, example: 'month' })
  bucket?: string;
  /** @example 'land' */
  as?: string;
}

export class SourceAggregateDto {
  /** @example 'total' */
  as!: string;
  @ApiProperty({ enum: AGGREGATE_FUNCTIONS, example: 'sum' })
  fn!: string;
  /** @example 'balance' */
  field?: string;
}

export class SourceSortDto {
  /** @example 'balance' */
  field!: string;
  @ApiPropertyOptional({ enum: ['asc', 'desc'], default: 'asc' })
  dir?: string;
}

export class SourcePageInputDto {
  /** @example 100 */
  limit?: number;
  /** null is none: the first page. */
  cursor?: string | null;
}

/** A question to an external database, in the form of questions to tables of ours. */
export class ExternalQueryDto {
  /** An object of the schema. @example 'public.customers' */
  from!: string;
  /** Its alias, where others are joined; its name without it. @example 'c' */
  as?: string;
  @ApiPropertyOptional({
    type: [JoinDto],
    description: 'At most 8. A column of a key that several objects have is called `alias_key` in the answer.',
  })
  joins?: JoinDto[];
  @ApiPropertyOptional({ type: [String], example: ['id', 'name'] })
  fields?: string[];
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description:
      'As of rows: the operators of the product type that the schema names, with its rules for nulls, case and order.',
    example: { field: 'country', op: 'eq', value: 'DE' },
  })
  filter?: object | null;
  /** Words, each of which has to be found in a text; letter case is ignored. @example 'acme' */
  search?: string;
  @ApiPropertyOptional({ type: [SourceSortDto] })
  sort?: SourceSortDto[];
  @ApiPropertyOptional({ type: SourcePageInputDto, example: { limit: 100 } })
  page?: SourcePageInputDto;
  @ApiPropertyOptional({ enum: COUNT_MODES, default: 'none' })
  count?: string;
  @ApiPropertyOptional({ type: [SourceGroupDto], description: 'At most 5; groups come in the place of rows.' })
  groupBy?: SourceGroupDto[];
  @ApiPropertyOptional({ type: [SourceAggregateDto], description: 'At most 20.' })
  aggregates?: SourceAggregateDto[];
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, nullable: true })
  having?: object | null;
  @ApiPropertyOptional({ default: 'UTC', example: 'Europe/Berlin' })
  tz?: string;
}

/** A question for all rows that it is about. */
export class QueriedRowsDto extends PickType(ExternalQueryDto, [
  'from',
  'as',
  'joins',
  'fields',
  'filter',
  'search',
  'sort',
  'tz',
] as const) {}

export class SourceRowDto {
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: { id: 1, name: 'Acme', balance: '1200.50', since: '2026-12-01' },
  })
  fields?: Record<string, unknown>;
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'With groups: what the rows have in common.',
  })
  group?: Record<string, unknown>;
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'With groups: their aggregates.' })
  values?: Record<string, unknown>;
}

export class SourceDto {
  /** The connection. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** Milliseconds that it took. @example 3.2 */
  ms!: number;
  /** @example 50 */
  rows!: number;
  /** Always false: an answer that is too large is refused and never cut. @example false */
  truncated!: boolean;
}

export class SourcesMetaDto {
  sources!: SourceDto[];
}

export class SourceListPageDto {
  @ApiProperty({ example: 50 })
  limit!: number;
  nextCursor?: string;
  /** Of the page before this one. */
  prevCursor?: string;
}

export class SourceCountDto {
  @ApiProperty({ enum: ['bounded', 'estimated', 'exact'] })
  mode!: string;
  /** @example 3376 */
  value!: number;
  @ApiProperty({ enum: ['exact', 'atLeast', 'estimate'] })
  relation!: string;
}

export class ExternalRowsDto {
  data!: SourceRowDto[];
  page!: SourceListPageDto;
  count?: SourceCountDto;
  meta!: SourcesMetaDto;
}

export class RowVersionDto {
  /** @example 'rev' */
  column!: string;
  /** @example 3 */
  value!: number;
}

/** The change of one row of an external database. */
export class MutationDto {
  /** @example 'public.customers' */
  object!: string;
  @ApiProperty({ enum: ['insert', 'update', 'delete'], example: 'update' })
  op!: string;
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: { id: 1 },
    description: 'The primary key of the row; not with `insert`.',
  })
  key?: Record<string, unknown>;
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: { name: 'Acme' },
    description: 'Not with `delete`.',
  })
  values?: Record<string, unknown>;
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: { name: 'Acme Inc' },
    description: 'Only if the row holds these values still; otherwise 412.',
  })
  expected?: Record<string, unknown>;
  @ApiPropertyOptional({
    type: RowVersionDto,
    description: 'Only if this column of whole numbers has this value; an update lets it grow by one.',
  })
  version?: RowVersionDto;
}

export class MutatedDto {
  /** @example 'public.customers' */
  object!: string;
  @ApiProperty({ enum: ['insert', 'update', 'delete'] })
  op!: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'The fields before; null with `insert`.',
  })
  before!: Record<string, unknown> | null;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'The fields now; null with `delete`, unless a trigger kept the row.',
  })
  after!: Record<string, unknown> | null;
}
