import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  CurrentAccess,
  IdPipe,
  PageQuery,
  Requires,
  type Access,
  type Id,
} from '../../../../common/index.js';
import { HonoursRules } from '../../../tables/index.js';
import { ImportJobDto, ImportJobListDto } from './import-job.dto.js';
import { ImportJobsService } from './import-jobs.service.js';

@ApiTags('Rows')
@ApiBearerAuth()
@Controller()
export class ImportJobsController {
  constructor(private readonly imports: ImportJobsService) {}

  @Get('tables/:tableId/imports')
  @Requires('rows:read')
  @HonoursRules()
  @ApiOperation({
    summary: 'List the latest imports into a table',
    description:
      'The newest first, of the last seven days; those under way too. Members whom rules keep from part of the table are told of their own.',
  })
  @ApiOkResponse({ type: ImportJobListDto })
  @ApiProblems('not_found', 'validation_failed', 'cursor_invalid')
  list(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Query() page: PageQuery) {
    return this.imports.list(access, tableId, page);
  }

  @Get('imports/:importId')
  @Requires('rows:read')
  @ApiOperation({
    summary: 'Look how far an import is, and what became of it',
    description:
      'Kept for seven days. Those who follow the channel of the table are told the same by `import:progress`, every two seconds and at the end.',
  })
  @ApiOkResponse({ type: ImportJobDto })
  @ApiProblems('not_found', 'ruled_out')
  get(@CurrentAccess() access: Access, @Param('importId', IdPipe) importId: Id) {
    return this.imports.get(access, importId);
  }

  @Delete('imports/:importId')
  @HttpCode(202)
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Cancel an import',
    description:
      'It ends as soon as what is under way can be ended. With `onError=abort` nothing is written then, with `skip` what is written stays; whoever waits for it is answered `import_cancelled`.',
  })
  @ApiAcceptedResponse({ type: ImportJobDto })
  @ApiProblems('not_found', 'role_too_low', 'ruled_out', 'conflict')
  cancel(@CurrentAccess() access: Access, @Param('importId', IdPipe) importId: Id) {
    return this.imports.cancel(access, importId);
  }
}
