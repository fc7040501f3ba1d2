import { ApiProperty } from '@nestjs/swagger';
import { CountDto, RowsMetaDto, RowsPageDto } from './rows-query.dto.js';

export class GroupDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { status: 'open', due_month: '2026-12-01' },
    description: 'What the rows of the group have in common: values, the first days of spans, or null.',
  })
  group!: Record<string, unknown>;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { total: '1200.50' } })
  values!: Record<string, unknown>;
}

/** The answer to a query with `groupBy` or `aggregates`. */
export class GroupListDto {
  data!: GroupDto[];
  page!: RowsPageDto;
  /** Of the groups. */
  count?: CountDto;
  meta!: RowsMetaDto;
}
