import { IsIn, IsOptional } from 'class-validator';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { PageQuery } from '../../common/index.js';

const TRASHED = {
  enum: ['true', 'false'],
  default: 'false',
  description: 'What is in the trash, instead of what is not.',
};

/** Of a list in pages. */
export class TrashPageQuery extends PageQuery {
  @ApiPropertyOptional(TRASHED)
  @IsOptional()
  @IsIn(TRASHED.enum)
  trashed?: 'true' | 'false';
}

/** When a thing was deleted, and for how long it can still be restored. */
export class InTrashDto {
  /** Only of what is in the trash. @example '2026-11-20T09:30:00.000Z' */
  deletedAt?: string;
  /** Only of what is in the trash: for so many days, begun ones counted, it can be restored. @example 25 */
  daysLeft?: number;
}
