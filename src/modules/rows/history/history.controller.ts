import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, CurrentAccess, IdPipe, Requires, type Access, type Id } from '../../../common/index.js';
import { HonoursRules } from '../../tables/index.js';
import { HistoryDto, RowHistoryQuery, TableHistoryQuery } from './history.dto.js';
import { HistoryService } from './history.service.js';

@HonoursRules()
@ApiTags('History')
@ApiBearerAuth()
@Controller('tables/:tableId')
export class HistoryController {
  constructor(private readonly history: HistoryService) {}

  @Get('history')
  @Requires('rows:read')
  @ApiOperation({
    summary: 'What happened in a table, newest first',
    description:
      'Every change of its rows and its structure: who, when, by which means, from what to what. A page has fewer entries than asked for where they are very long. Where rules of the table keep somebody from part of it: changes of the rows that are seen today (of those in the trash, as they were last) in the columns that are seen, and none of the structure.',
  })
  @ApiOkResponse({ type: HistoryDto })
  @ApiProblems('not_found', 'validation_failed', 'cursor_invalid', 'cursor_mismatch')
  ofTable(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Query() query: TableHistoryQuery,
  ): Promise<HistoryDto> {
    return this.history.ofTable(access, tableId, query);
  }

  @Get('rows/:rowId/history')
  @Requires('rows:read')
  @ApiOperation({
    summary: 'What happened to a row, newest first',
    description: 'Also of a row in the trash, or purged, as far back as the change log is kept.',
  })
  @ApiOkResponse({ type: HistoryDto })
  @ApiProblems('not_found', 'validation_failed', 'cursor_invalid', 'cursor_mismatch')
  ofRow(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('rowId', IdPipe) rowId: Id,
    @Query() query: RowHistoryQuery,
  ): Promise<HistoryDto> {
    return this.history.ofRow(access, tableId, rowId, query);
  }
}
