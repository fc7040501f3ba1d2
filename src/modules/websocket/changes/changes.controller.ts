import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  CurrentAccess,
  IdPipe,
  Requires,
  type Access,
  type AppRequest,
  type Id,
} from '../../../common/index.js';
import { HonoursRules } from '../../tables/index.js';
import { DataChange, SchemaChange } from '../messages/index.js';
import { ChangesDto, ListChangesQuery } from './changes.dto.js';
import { ChangesService } from './changes.service.js';

@ApiTags('Rows')
@ApiBearerAuth()
@ApiExtraModels(DataChange, SchemaChange)
@HonoursRules()
@Controller('tables/:tableId/changes')
export class ChangesController {
  constructor(private readonly changes: ChangesService) {}

  @Get()
  @Requires('rows:read')
  @ApiOperation({
    summary: 'List what was changed, in the order in which it was',
    description:
      'The change log, numbered without a gap: the events of the live channel for those who have no socket. Read until `data` is empty; with `wait` the answer comes with the next change. 410: what follows `after` is no longer kept, read the rows anew.',
  })
  @ApiOkResponse({ type: ChangesDto })
  @ApiProblems('not_found', 'validation_failed', 'changes_gone')
  list(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Query() query: ListChangesQuery,
    @Req() request: AppRequest,
  ): Promise<ChangesDto> {
    return this.changes.list(access, tableId, query, request);
  }
}
