import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import {
  ApiProblems,
  ClaimsIdempotencyKey,
  CurrentAccess,
  expectedVersion,
  IdPipe,
  Requires,
  type Access,
  type Id,
} from '../../common/index.js';
import { DEFINITION_PROBLEMS, IfMatch, madeView, VIEW_ETAG, withTag } from './route-parts.js';
import { ViewLife } from './stored/view-life.service.js';
import { ViewsService } from './stored/views.service.js';
import { CreateViewDto, DuplicateViewDto, UpdateViewDto, ViewDto, ViewListDto, ViewsQuery } from './view.dto.js';

@ApiTags('Views')
@ApiBearerAuth()
@Controller()
export class ViewsController {
  constructor(
    private readonly views: ViewsService,
    private readonly life: ViewLife,
  ) {}

  @Get('workspaces/:workspaceId/views')
  @Requires('views:read')
  @ApiOperation({
    summary: 'List the views of a workspace, oldest first',
    description:
      "Those of the workspace and the caller's own private ones. What each shows is told by the view itself.",
  })
  @ApiOkResponse({ type: ViewListDto })
  @ApiProblems('cursor_invalid')
  list(@CurrentAccess() access: Access, @Param('workspaceId', IdPipe) _workspaceId: Id, @Query() query: ViewsQuery) {
    return this.views.list(access, query);
  }

  // Its sources may be looked at, some of which are databases of others that may take their time.
  @Post('workspaces/:workspaceId/views')
  @Requires('views:write')
  @ClaimsIdempotencyKey()
  @ApiOperation({
    summary: 'Store a view',
    description: 'The definition has to fit its sources as they are now: names are looked up, formulas typed.',
  })
  @ApiBody({ type: CreateViewDto })
  @ApiCreatedResponse({ type: ViewDto, headers: VIEW_ETAG })
  @ApiProblems('name_taken', 'limit_reached', ...DEFINITION_PROBLEMS)
  async create(@CurrentAccess() access: Access, @Param('workspaceId', IdPipe) _workspaceId: Id, @Body() body: unknown) {
    return madeView(await this.views.create(access, body));
  }

  @Get('views/:viewId')
  @Requires('views:read')
  @ApiOperation({
    summary: 'Read a view',
    description:
      'With the columns that it shows; or with `problem`, when its definition does not fit its sources any more.',
  })
  @ApiOkResponse({ type: ViewDto, headers: VIEW_ETAG })
  async get(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id) {
    return withTag(await this.views.get(access, viewId));
  }

  @Patch('views/:viewId')
  @Requires('views:write')
  @ClaimsIdempotencyKey()
  @IfMatch()
  @ApiOperation({
    summary: 'Change a view',
    description:
      'A definition and settings are replaced as a whole. Each change makes a version; the last 100 are kept.',
  })
  @ApiBody({ type: UpdateViewDto })
  @ApiOkResponse({ type: ViewDto, headers: VIEW_ETAG })
  @ApiProblems('name_taken', 'version_mismatch', 'view_broken', ...DEFINITION_PROBLEMS)
  async update(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Body() body: unknown,
    @Headers('If-Match') ifMatch?: string,
  ) {
    const { expectedVersion: version } = expectedVersion(ifMatch);
    return withTag(await this.views.update(access, viewId, body, version));
  }

  @Delete('views/:viewId')
  @HttpCode(204)
  @Requires('views:write')
  @IfMatch()
  @ApiOperation({ summary: 'Delete a view', description: 'For 30 days it can be restored; then it is purged.' })
  @ApiNoContentResponse({ description: 'In the trash.' })
  @ApiProblems('version_mismatch')
  async remove(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Headers('If-Match') ifMatch?: string,
  ): Promise<void> {
    await this.views.remove(access, viewId, expectedVersion(ifMatch).expectedVersion);
  }

  @Post('views/:viewId/duplicate')
  @Requires('views:write')
  @ApiOperation({ summary: 'Duplicate a view', description: 'The copy belongs to the caller.' })
  @ApiBody({ type: DuplicateViewDto })
  @ApiCreatedResponse({ type: ViewDto, headers: VIEW_ETAG })
  @ApiProblems('name_taken', 'limit_reached')
  async duplicate(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id, @Body() body: unknown) {
    return madeView(await this.life.duplicate(access, viewId, body));
  }

  @Post('views/:trashedViewId/restore')
  @HttpCode(200)
  @Requires('views:write')
  @ApiOperation({ summary: 'Restore a deleted view' })
  @ApiOkResponse({ type: ViewDto, headers: VIEW_ETAG })
  @ApiProblems('name_taken', 'limit_reached')
  async restore(@CurrentAccess() access: Access, @Param('trashedViewId', IdPipe) viewId: Id) {
    return withTag(await this.life.restore(access, viewId));
  }
}
