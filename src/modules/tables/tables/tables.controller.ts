import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, created, CurrentAccess, IdPipe, Requires, type Access, type Id } from '../../../common/index.js';
import { HonoursRules } from '../rules/honours-rules.js';
import { TrashPageQuery } from '../trash.dto.js';
import { CreateTableDto, TableDto, TableListDto, UpdateTableDto } from './table.dto.js';
import { TablesService } from './tables.service.js';

@ApiTags('Tables')
@ApiBearerAuth()
@Controller()
export class TablesController {
  constructor(private readonly tables: TablesService) {}

  @Get('bases/:baseId/tables')
  @HonoursRules()
  @Requires('structure:read')
  @ApiOperation({ summary: 'List the tables of a base with their columns, in order of their positions' })
  @ApiOkResponse({ type: TableListDto })
  @ApiProblems('not_found', 'validation_failed', 'cursor_invalid')
  list(@CurrentAccess() access: Access, @Param('baseId', IdPipe) baseId: Id, @Query() query: TrashPageQuery) {
    return this.tables.list(access, baseId, query);
  }

  @Post('bases/:baseId/tables')
  @Requires('structure:change')
  @ApiOperation({ summary: 'Create a table with its columns' })
  @ApiCreatedResponse({ type: TableDto })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed', 'name_taken', 'limit_reached', 'schema_busy')
  async create(@CurrentAccess() access: Access, @Param('baseId', IdPipe) baseId: Id, @Body() body: CreateTableDto) {
    const table = await this.tables.create(access, baseId, body);
    return created(`/tables/${table.id}`, table);
  }

  @Get('tables/:tableId')
  @HonoursRules()
  @Requires('structure:read')
  @ApiOperation({ summary: 'Read a table with its columns' })
  @ApiOkResponse({ type: TableDto })
  @ApiProblems('not_found')
  get(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id) {
    return this.tables.get(access, tableId);
  }

  @Patch('tables/:tableId')
  @Requires('structure:change')
  @ApiOperation({ summary: 'Rename, describe or decorate a table', description: 'The key and the physical name stay.' })
  @ApiOkResponse({ type: TableDto })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed', 'name_taken', 'schema_busy')
  update(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Body() body: UpdateTableDto) {
    return this.tables.update(access, tableId, body);
  }

  @Delete('tables/:tableId')
  @HttpCode(204)
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Delete a table',
    description: 'For 30 days it can be restored with its rows and its change log; then it is purged.',
  })
  @ApiProblems('not_found', 'role_too_low', 'schema_busy')
  async remove(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id): Promise<void> {
    await this.tables.remove(access, tableId);
  }

  @Post('tables/:trashedTableId/restore')
  @HttpCode(200)
  @Requires('structure:change')
  @ApiOperation({ summary: 'Restore a deleted table' })
  @ApiOkResponse({ type: TableDto })
  @ApiProblems('not_found', 'role_too_low', 'name_taken', 'limit_reached', 'schema_busy')
  restore(@CurrentAccess() access: Access, @Param('trashedTableId', IdPipe) tableId: Id) {
    return this.tables.restore(access, tableId);
  }
}
