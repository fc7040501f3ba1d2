import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { ApiProperty, ApiPropertyOptional, PickType } from '@nestjs/swagger';
import { ViewDataQuery } from '../../views/index.js';
import { AggregateDto, GroupByDto } from './group-by.dto.js';
import { COUNT_MODES, type CountMode } from '../../../query/index.js';

/** The query string of a list of rows. */
export class ListRowsQuery extends ViewDataQuery {
  /** Keys of at most 10 links, separated by commas: `expanded` of each row names the rows that they lead to. */
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  expand?: string;

  @ApiPropertyOptional({ enum: ['true', 'false'], description: 'true: the rows in the trash instead.' })
  @IsOptional()
  @IsIn(['true', 'false'])
  trashed?: 'true' | 'false';

  /** The rows as they were: behind a number of the table's log, or at a time (RFC 3339). */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  asOf?: string;
}

/** The query string of one row. */
export class ReadRowQuery extends PickType(ListRowsQuery, ['asOf', 'as'] as const) {}

export class SortDto {
  /** @example 'amount' */
  field!: string;
  @ApiPropertyOptional({ enum: ['asc', 'desc'], default: 'asc' })
  dir?: 'asc' | 'desc';
}

export class PageInputDto {
  /** @example 100 */
  limit?: number;
  /** null is none: the first page. */
  cursor?: string | null;
}

/** The same question as a JSON body. */
export class QueryRowsDto {
  @ApiPropertyOptional({ type: [String], example: ['name', 'amount'] })
  fields?: string[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description:
      'A condition `{field, op, value}` or `{field, op, valueField}`, or `{and:[…]}`, `{or:[…]}`, `{not:…}`. Into JSON cells: `{field, path: ["a", "0"], op, value}`.',
    example: {
      and: [
        { field: 'amount', op: 'gte', value: 100 },
        { field: 'status', op: 'in', value: ['open', 'won'] },
      ],
    },
  })
  filter?: object | null;

  /** Words, each of which has to be found in a text of the row, written or computed, or the label of a choice; letter case is ignored. @example 'acme' */
  search?: string;

  @ApiPropertyOptional({
    type: [String],
    example: [],
    description: 'Keys of at most 10 links: `expanded` of each row names the rows that they lead to.',
  })
  expand?: string[];

  /** The rows in the trash, instead of those that are there. @example false */
  trashed?: boolean;

  @ApiPropertyOptional({
    oneOf: [{ type: 'integer' }, { type: 'string', format: 'date-time' }],
    description: "The rows as they were: behind a number of the table's log, or at a time. Groups are made of these.",
    example: 42,
  })
  asOf?: number | string;

  @ApiPropertyOptional({ type: [SortDto] })
  sort?: SortDto[];

  @ApiPropertyOptional({ type: PageInputDto, example: { limit: 100 } })
  page?: PageInputDto;

  @ApiPropertyOptional({ enum: COUNT_MODES, default: 'none', description: 'Of the rows, or of the groups.' })
  count?: CountMode;

  /** Time zone (IANA) that days, weeks and so on of the filter are meant in; without it the workspace's. @example 'Europe/Berlin' */
  @ApiPropertyOptional({
    type: () => [GroupByDto],
    description:
      'At most 5. The answer has groups in the place of rows; `fields` does not go together with it. Without it, `aggregates` are of all rows.',
  })
  groupBy?: GroupByDto[];

  @ApiPropertyOptional({ type: () => [AggregateDto], description: 'At most 20.' })
  aggregates?: AggregateDto[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    description: 'A filter of the groups, by the names of groups and aggregates; `sort` speaks of these, too.',
    example: { field: 'total', op: 'gt', value: '100' },
  })
  having?: object | null;

  @ApiPropertyOptional({
    default: 'UTC',
    example: 'Europe/Berlin',
    description: 'In which days and hours begin: an IANA name of the form Region/City, or UTC.',
  })
  tz?: string;
}

export class RowDto {
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  id!: string;
  /** Grows with each change of the row. @example 1 */
  version!: number;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { name: 'Acme', amount: '1200.50', qty: 3, active: true, due: '2026-12-01', status: 'open' },
  })
  fields!: Record<string, unknown>;
  createdAt!: string;
  createdBy!: string | null;
  updatedAt!: string;
  updatedBy!: string | null;
}

/** A row of a list; with `trashed` it tells when and by whom it was deleted. */
export class ListedRowDto extends RowDto {
  deletedAt?: string;
  deletedBy?: string | null;
  @ApiPropertyOptional({
    type: 'object',
    description: 'With `expand`: by key of the link, in its order. The title is the text of the first column of text.',
    additionalProperties: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'title'],
        properties: { id: { type: 'string' }, title: { type: 'string', nullable: true } },
      },
    },
    example: { company: [{ id: '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11', title: 'Acme' }] },
  })
  expanded?: Record<string, { id: string; title: string | null }[]>;
}

export class CountDto {
  @ApiProperty({ enum: ['bounded', 'estimated', 'exact'] })
  mode!: string;
  /** @example 3376 */
  value!: number;
  /** `estimate` also where the count that was asked for took too long. */
  @ApiProperty({ enum: ['exact', 'atLeast', 'estimate'] })
  relation!: string;
}

/** Where the table stood when the page was read; what `subscribe` takes as `from`. */
export class RowsMetaDto {
  /** @example 1 */
  schemaVersion!: number;
  epoch!: string;
  /** @example 42 */
  seq!: number;
  /** With `asOf`: keys of columns that cannot be told of then, so that their fields are left out. @example ['company'] */
  leftOut?: string[];
}

export class RowsPageDto {
  @ApiProperty({ example: 50 })
  limit!: number;
  /** Of the page behind; absent at the end. */
  nextCursor?: string;
  /** Of the page before, as `cursor`; absent on the first page. */
  prevCursor?: string;
}

export class RowListDto {
  data!: ListedRowDto[];
  page!: RowsPageDto;
  count?: CountDto;
  meta!: RowsMetaDto;
}
