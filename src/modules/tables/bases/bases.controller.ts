import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems, created, CurrentAccess, IdPipe, Requires, type Access, type Id } from '../../../common/index.js';
import { HonoursRules } from '../rules/honours-rules.js';
import { TrashPageQuery } from '../trash.dto.js';
import { BaseTrash } from './base-trash.service.js';
import { BaseDto, BaseListDto, CreateBaseDto, UpdateBaseDto } from './base.dto.js';
import { BasesService } from './bases.service.js';

@ApiTags('Bases')
@ApiBearerAuth()
@Controller()
export class BasesController {
  constructor(
    private readonly bases: BasesService,
    private readonly trash: BaseTrash,
  ) {}

  @Get('workspaces/:workspaceId/bases')
  @Requires('structure:read')
  @ApiOperation({ summary: 'List the bases of a workspace, in order of their positions' })
  @ApiOkResponse({ type: BaseListDto })
  @ApiProblems('not_found', 'validation_failed', 'cursor_invalid')
  list(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Query() query: TrashPageQuery,
  ) {
    return this.bases.list(access, query);
  }

  @Post('workspaces/:workspaceId/bases')
  @Requires('structure:change')
  @ApiOperation({ summary: 'Create a base' })
  @ApiCreatedResponse({ type: BaseDto })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed', 'name_taken', 'schema_busy')
  async create(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Body() body: CreateBaseDto,
  ) {
    const base = await this.bases.create(access, body);
    return created(`/bases/${base.id}`, base);
  }

  @Get('bases/:baseId')
  @HonoursRules()
  @Requires('structure:read')
  @ApiOperation({ summary: 'Read a base' })
  @ApiOkResponse({ type: BaseDto })
  @ApiProblems('not_found')
  get(@Param('baseId', IdPipe) baseId: Id) {
    return this.bases.get(baseId);
  }

  @Patch('bases/:baseId')
  @Requires('structure:change')
  @ApiOperation({ summary: 'Rename, describe or decorate a base' })
  @ApiOkResponse({ type: BaseDto })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed', 'name_taken')
  update(@CurrentAccess() access: Access, @Param('baseId', IdPipe) baseId: Id, @Body() body: UpdateBaseDto) {
    return this.bases.update(access, baseId, body);
  }

  @Delete('bases/:baseId')
  @HttpCode(204)
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Delete a base with its tables',
    description: 'For 30 days it can be restored; then it is purged.',
  })
  @ApiProblems('not_found', 'role_too_low', 'schema_busy')
  async remove(@CurrentAccess() access: Access, @Param('baseId', IdPipe) baseId: Id): Promise<void> {
    await this.bases.remove(access, baseId);
  }

  @Post('bases/:trashedBaseId/restore')
  @HttpCode(200)
  @Requires('structure:change')
  @ApiOperation({ summary: 'Restore a deleted base with its tables' })
  @ApiOkResponse({ type: BaseDto })
  @ApiProblems('not_found', 'role_too_low', 'name_taken')
  restore(@CurrentAccess() access: Access, @Param('trashedBaseId', IdPipe) baseId: Id) {
    return this.trash.restore(access, baseId);
  }
}
