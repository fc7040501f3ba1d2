import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, created, CurrentAccess, IdPipe, Requires, type Access, type Id } from '../../../common/index.js';
import { ColumnDto, ColumnListDto, CreateColumnDto, UpdateColumnDto } from './column.dto.js';
import { ColumnsService } from './columns.service.js';

@ApiTags('Columns')
@ApiBearerAuth()
@Controller('tables/:tableId/columns')
export class ColumnsController {
  constructor(private readonly columns: ColumnsService) {}

  @Get()
  @Requires('structure:read')
  @ApiOperation({ summary: 'List the columns of a table, in order' })
  @ApiOkResponse({ type: ColumnListDto })
  @ApiProblems('not_found')
  list(@Param('tableId', IdPipe) tableId: Id) {
    return this.columns.list(tableId);
  }

  @Post()
  @Requires('structure:change')
  @ApiOperation({ summary: 'Add a column', description: 'Its key is derived from the name and never changes.' })
  @ApiCreatedResponse({ type: ColumnDto })
  @ApiProblems(
    'not_found',
    'role_too_low',
    'validation_failed',
    'name_taken',
    'unique_violation',
    'limit_reached',
    'schema_busy',
  )
  async create(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Body() body: CreateColumnDto) {
    const column = await this.columns.create(access, tableId, body);
    return created(`/tables/${tableId}/columns`, column);
  }

  @Patch(':columnId')
  @Requires('structure:change')
  @ApiOperation({ summary: 'Rename a column, or change how its choices look' })
  @ApiOkResponse({ type: ColumnDto })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed', 'name_taken', 'schema_busy')
  update(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('columnId', IdPipe) columnId: Id,
    @Body() body: UpdateColumnDto,
  ) {
    return this.columns.update(access, tableId, columnId, body);
  }

  @Delete(':columnId')
  @HttpCode(204)
  @Requires('structure:change')
  @ApiOperation({ summary: 'Delete a column', description: 'Its values are kept in the database under another name.' })
  @ApiProblems('not_found', 'role_too_low', 'schema_busy')
  async remove(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('columnId', IdPipe) columnId: Id,
  ): Promise<void> {
    await this.columns.remove(access, tableId, columnId);
  }
}
