import { ApiProperty, ApiPropertyOptional, getSchemaPath, OmitType, type ApiResponseOptions } from '@nestjs/swagger';
import { ANY_CELL_SCHEMA, type Id } from '../../../../common/index.js';
import { RowDto } from '../../read/rows-query.dto.js';
import { BulkMetaDto } from '../../write/row.dto.js';
import { HistoryColumnDto } from '../history.dto.js';

const ID = '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11';

export class RevertRowDto {
  /** The version whose values the row is to have. */
  @ApiProperty({ type: Number, minimum: 1, example: 3 })
  toVersion!: number;
}

export class SkippedFieldDto {
  column?: HistoryColumnDto;
  @ApiProperty({ enum: ['column_gone', 'column_converted', 'value_not_possible'], example: 'column_gone' })
  code!: string;
}

export class RevertedRowDto extends RowDto {
  @ApiProperty({ type: [SkippedFieldDto], description: 'What could not be put back, and stays as it is.' })
  skipped!: SkippedFieldDto[];
}

export class RevertTableDto {
  @ApiPropertyOptional({ format: 'uuid', description: 'What was done as one act; as the history has it.', example: ID })
  changeSet?: Id;
  @ApiPropertyOptional({ minimum: 1, description: 'With `toSeq`: these numbers of the stream, both included.' })
  fromSeq?: number;
  @ApiPropertyOptional({ minimum: 1 })
  toSeq?: number;
  @ApiPropertyOptional({ format: 'uuid', description: 'With `from` and `to`: what a person did within a time.' })
  actorId?: Id;
  @ApiPropertyOptional({ format: 'date-time', description: 'Not before this time.' })
  from?: string;
  @ApiPropertyOptional({ format: 'date-time', description: 'Before this time.' })
  to?: string;
  @ApiPropertyOptional({
    enum: ['skip', 'overwrite'],
    default: 'skip',
    description: 'What becomes of fields that others changed since: they stay, or are overwritten too.',
  })
  onConflict?: string;
  @ApiPropertyOptional({ default: false, description: 'Only say what would be done.', example: true })
  dryRun?: boolean;
  /** From the dry run. */
  confirmToken?: string;
}

export class RevertConflictDto {
  @ApiProperty({ format: 'uuid', example: ID })
  rowId!: Id;
  @ApiPropertyOptional({ type: HistoryColumnDto, description: 'Absent where it is about the row itself.' })
  column?: HistoryColumnDto;
  @ApiProperty({ enum: ['changed_since', 'deleted_since', 'restored_since'], example: 'changed_since' })
  code!: string;
  @ApiPropertyOptional({ ...ANY_CELL_SCHEMA, description: 'What would be put back.', example: 7 })
  value?: unknown;
  @ApiPropertyOptional({ ...ANY_CELL_SCHEMA, description: 'What is there.', example: 5 })
  current?: unknown;
}

export class RevertSkippedDto extends SkippedFieldDto {
  @ApiProperty({ format: 'uuid', example: ID })
  rowId!: Id;
  @ApiProperty({
    enum: [
      ...['column_gone', 'column_converted', 'value_not_possible', 'value_taken'],
      ...['row_value_taken', 'row_value_missing', 'row_purged'],
    ],
    description:
      '`value_taken`: another row has the unique value; the field stays as it is, or is empty in a row that comes back. `row_value_taken`, `row_value_missing`: the row stays in the trash, since another one has what it cannot be without, or since it has nothing in a required column.',
    example: 'column_gone',
  })
  override code!: string;
  @ApiPropertyOptional({
    type: [String],
    description:
      'Where a value is taken because columns are unique together: their keys, or none where one of them is not yours to see.',
    example: ['first_name', 'last_name'],
  })
  together?: readonly string[];
}

export class RevertCountsDto {
  /** @example 1 */
  conflicts!: number;
  /** @example 0 */
  skipped!: number;
}

/** Of a dry run. */
export class RevertDryRunDto {
  /** Rows that would change. @example 49 */
  rows!: number;
  @ApiProperty({ type: [RevertConflictDto], description: 'The first 1,000 of them.' })
  conflicts!: RevertConflictDto[];
  @ApiProperty({ type: [RevertSkippedDto], description: 'What cannot be put back; the first 1,000 of it.' })
  skipped!: RevertSkippedDto[];
  /** All there are. */
  counts!: RevertCountsDto;
  /** Holds for 15 minutes, and as long as neither one of the rows changes nor the structure of a table. */
  confirmToken!: string;
}

export class RevertDoneDto {
  /** Rows that changed. @example 49 */
  rows!: number;
  @ApiProperty({ type: [RevertConflictDto] })
  conflicts!: RevertConflictDto[];
  @ApiProperty({ type: [RevertSkippedDto] })
  skipped!: RevertSkippedDto[];
  counts!: RevertCountsDto;
  /** Of the revert, which can itself be reverted. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  changeSet!: Id;
  meta!: BulkMetaDto;
}

/** What is undone in a base: {@link RevertTableDto} without the numbers, which each table has for itself. */
export class RevertBaseDto extends OmitType(RevertTableDto, ['fromSeq', 'toSeq']) {}

export class TableRevertPlanDto extends OmitType(RevertDryRunDto, ['confirmToken']) {
  @ApiProperty({ format: 'uuid', example: ID })
  tableId!: Id;
  /** @example Deals */
  name!: string;
}

/** Of a dry run over a base. */
export class BaseRevertDryRunDto {
  /** Rows that would change, in all tables. @example 49 */
  rows!: number;
  /** All there are, in all tables. */
  counts!: RevertCountsDto;
  @ApiProperty({
    type: [TableRevertPlanDto],
    description: 'Tables of which rows were changed, by their ids. The lists hold the first 1,000 in sum.',
  })
  tables!: TableRevertPlanDto[];
  @ApiProperty({
    type: 'array',
    items: { type: 'string', format: 'uuid' },
    description: 'Tables that were changed and are in the trash: nothing is undone there until they are restored.',
    example: [],
  })
  inTrash!: Id[];
  /** Holds for 15 minutes, and as long as neither one of the rows changes nor the structure of a table. */
  confirmToken!: string;
}

export class TableRevertedDto extends TableRevertPlanDto {
  meta!: BulkMetaDto;
}

export class BaseRevertDoneDto extends OmitType(BaseRevertDryRunDto, ['confirmToken', 'tables']) {
  @ApiProperty({ type: [TableRevertedDto] })
  tables!: TableRevertedDto[];
  /** Of the revert, which can itself be reverted. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  changeSet!: Id;
}

export const BASE_REVERT_ANSWER: ApiResponseOptions = {
  schema: { oneOf: [BaseRevertDryRunDto, BaseRevertDoneDto].map((type) => ({ $ref: getSchemaPath(type) })) },
};

export const REVERT_ANSWER: ApiResponseOptions = {
  schema: { oneOf: [RevertDryRunDto, RevertDoneDto].map((type) => ({ $ref: getSchemaPath(type) })) },
};

/** How a revert of many changes is refused, of a table or of a base. */
export const REVERT_PROBLEMS = [
  'not_found',
  'role_too_low',
  'ruled_out',
  'validation_failed',
  'limit_reached',
  'confirmation_required',
  'confirmation_stale',
  'unique_violation',
  'schema_busy',
] as const;
