import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsObject, IsOptional, IsString } from 'class-validator';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsId, IsName, type Id } from '../../../../common/index.js';
import { QueriedRowsDto } from '../../../connections/index.js';
import { MODES, ON_ERROR, type ImportMode } from '../import.dto.js';

/** Rows of an external database. */
class ExternalSourceDto {
  /** Of the same workspace. @example '01982c5e-7a10-7c3f-9d42-5b1f0c8e2a11' */
  @IsId()
  connectionId!: Id;

  // Not of its class: it is read by hand, as the query of a connection is.
  @ApiProperty({
    type: QueriedRowsDto,
    description: 'As of `POST /connections/{connectionId}/query`; all of its rows are meant, not a page.',
    example: { from: 'public.customers', filter: { field: 'country', op: 'eq', value: 'DE' } },
  })
  @IsObject()
  query!: object;
}

export class ExternalTableDto extends ExternalSourceDto {
  /** Name of the new table. @example 'Customers' */
  @IsName()
  name!: string;
}

export class ExternalRowsImportDto extends ExternalSourceDto {
  @ApiPropertyOptional({
    enum: MODES,
    default: 'append',
    description:
      'append: each row is a new one. upsert: a row changes the one that has the same values in `matchOn`, if there is one.',
  })
  @IsOptional()
  @IsIn(MODES)
  mode?: ImportMode;

  /** Keys of 1 to 5 columns that tell rows apart. @example ['email'] */
  @IsOptional()
  @IsString({ each: true })
  @ArrayMaxSize(5)
  @IsArray()
  matchOn?: string[];

  @ApiPropertyOptional({
    enum: ON_ERROR,
    default: 'abort',
    description: 'abort: all rows or none. skip: rows that can be written are, a thousand at a time.',
  })
  @IsOptional()
  @IsIn(ON_ERROR)
  onError?: (typeof ON_ERROR)[number];

  /** Says what would happen; writes nothing. */
  @IsOptional()
  @IsBoolean()
  dryRun?: boolean;

  /** Passes over columns that the table does not have or that cannot be written. */
  @IsOptional()
  @IsBoolean()
  ignoreUnknown?: boolean;
}
