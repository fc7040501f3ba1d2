import { IsUUID } from 'class-validator';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ANY_CELL_SCHEMA, MayBeAbsent, PageQuery, type Id, type PageDto } from '../../../common/index.js';

const ID = '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11';

/** A page of a row's history. */
export class RowHistoryQuery extends PageQuery {}

/** Which part of a table's history; what is given is ANDed. */
export class TableHistoryQuery extends PageQuery {
  /** Who did it. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  @MayBeAbsent()
  @IsUUID('all', { message: 'actorId must be the id of a person.' })
  actorId?: Id;

  /** What was done as one act. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  @MayBeAbsent()
  @IsUUID('all', { message: 'changeSet must be an id.' })
  changeSet?: Id;
}

export class HistoryActorDto {
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    example: ID,
    description: 'Null for the system itself.',
  })
  id!: Id | null;
  /** As it was then. @example 'Ada Lovelace' */
  name!: string;
  /** What the client called itself. */
  clientId?: string;
}

export class HistoryColumnDto {
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    example: ID,
    description: 'Null where it is not known any more which column it was.',
  })
  id!: Id | null;
  /** @example 'unit_price' */
  key!: string;
  /** As it is now; as it was, of a column that has gone. @example 'Unit price' */
  name!: string;
  /** As it was called then, where that is another name. @example 'Price' */
  nameThen?: string;
}

export class FieldChangeDto {
  column!: HistoryColumnDto;
  @ApiProperty({
    ...ANY_CELL_SCHEMA,
    example: '1200.50',
    description: 'As rows have it; of long links `{$add,$remove}`.',
  })
  before!: unknown;
  @ApiProperty({ ...ANY_CELL_SCHEMA, example: '1300.00' })
  after!: unknown;
}

/** One change of a row, or of the structure of its table. */
export class HistoryEntryDto {
  /** Number in the table's live stream. @example 42 */
  seq!: number;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: ID, description: 'Null for the structure.' })
  rowId!: Id | null;
  @ApiProperty({ type: Number, nullable: true, example: 7, description: 'The version that the row got by it.' })
  version!: number | null;
  @ApiProperty({ enum: ['create', 'update', 'delete', 'restore', 'schema'], example: 'update' })
  op!: string;
  /** @example '2026-11-22T20:45:00.000Z' */
  at!: string;
  actor!: HistoryActorDto;
  @ApiProperty({ enum: ['api', 'import', 'system', 'revert', 'undo', 'redo'], example: 'api' })
  source!: string;
  /** What was done as one act has one. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  changeSet!: Id;
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    example: null,
    description: 'The change set that it undid.',
  })
  revertOf!: Id | null;
  /** @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  requestId!: string;
  @ApiProperty({ type: [FieldChangeDto], description: 'What people write; what is computed is left out.' })
  changes!: FieldChangeDto[];
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    description: 'Of the structure: what was done.',
    example: { 'column.created': { id: ID, key: 'due', name: 'Due', type: 'date', default: null } },
  })
  structure?: object;
}

export class HistoryDto {
  data!: HistoryEntryDto[];
  page!: PageDto;
}
