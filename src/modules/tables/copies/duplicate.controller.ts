import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, created, CurrentAccess, IdPipe, Requires, type Access, type Id } from '../../../common/index.js';
import { BaseDto } from '../bases/base.dto.js';
import { TableDto } from '../tables/table.dto.js';
import { DuplicateDto } from './duplicate.dto.js';
import { DuplicateService } from './duplicate.service.js';

@ApiTags('Bases')
@ApiBearerAuth()
@Controller('bases/:baseId/duplicate')
export class DuplicateBaseController {
  constructor(private readonly duplicates: DuplicateService) {}

  @Post()
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Duplicate a base',
    description:
      'Tables, columns and links that lead to each other as in the original; with `withRows` its rows (at most 1,000,000) as they were at one moment, under their ids. Views of the workspace that read tables of this base and nothing else are copied, too, and called after the copy: `Open deals (CRM 2027)`. Writes to the original go on; changes of its structure wait.',
  })
  @ApiCreatedResponse({ type: BaseDto })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed', 'name_taken', 'limit_reached', 'schema_busy')
  async duplicate(@CurrentAccess() access: Access, @Param('baseId', IdPipe) baseId: Id, @Body() body: DuplicateDto) {
    const base = await this.duplicates.base(access, baseId, body);
    return created(`/bases/${base.id}`, base);
  }
}

@ApiTags('Tables')
@ApiBearerAuth()
@Controller('tables/:tableId/duplicate')
export class DuplicateTableController {
  constructor(private readonly duplicates: DuplicateService) {}

  @Post()
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Duplicate a table',
    description:
      'Links to other tables become links of the copy, shown over there in new columns that are called like the copy; links of the table to itself lead to the copy. Views of the workspace that read this table and nothing else are copied, too.',
  })
  @ApiCreatedResponse({ type: TableDto })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed', 'name_taken', 'limit_reached', 'schema_busy')
  async duplicate(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Body() body: DuplicateDto) {
    const table = await this.duplicates.table(access, tableId, body);
    return created(`/tables/${table.id}`, table);
  }
}
