import { Controller, Get, Headers, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  ClaimsIdempotencyKey,
  CurrentAccess,
  expectedVersion,
  IdPipe,
  PageQuery,
  Requires,
  type Access,
  type Id,
} from '../../common/index.js';
import { DEFINITION_PROBLEMS, IfMatch, VIEW_ETAG, withTag } from './route-parts.js';
import { ViewLife } from './stored/view-life.service.js';
import { VersionPipe } from './version.pipe.js';
import { ViewDto, ViewVersionDto, ViewVersionListDto } from './view.dto.js';

const Version = (): MethodDecorator =>
  ApiParam({ name: 'version', schema: { type: 'integer', minimum: 1 }, example: 1 });

@ApiTags('Views')
@ApiBearerAuth()
@Controller('views/:viewId/versions')
export class ViewVersionsController {
  constructor(private readonly life: ViewLife) {}

  @Get()
  @Requires('views:read')
  @ApiOperation({
    summary: 'List the last 100 versions of a view, newest first',
    description: 'Who changed it, and when.',
  })
  @ApiOkResponse({ type: ViewVersionListDto })
  @ApiProblems('cursor_invalid')
  list(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id, @Query() query: PageQuery) {
    return this.life.list(access, viewId, query);
  }

  @Get(':version')
  @Requires('views:read')
  @Version()
  @ApiOperation({ summary: 'Read a version of a view' })
  @ApiOkResponse({ type: ViewVersionDto })
  get(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Param('version', VersionPipe) version: number,
  ) {
    return this.life.get(access, viewId, version);
  }

  @Post(':version/restore')
  @HttpCode(200)
  @Requires('views:write')
  @ClaimsIdempotencyKey()
  @Version()
  @IfMatch()
  @ApiOperation({
    summary: 'Make a view what it was in a version',
    description: 'Name, description, definition and settings, as a new version; who sees it stays as it is.',
  })
  @ApiOkResponse({ type: ViewDto, headers: VIEW_ETAG })
  @ApiProblems('name_taken', 'version_mismatch', 'view_broken', ...DEFINITION_PROBLEMS)
  async restore(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Param('version', VersionPipe) version: number,
    @Headers('If-Match') ifMatch?: string,
  ) {
    const { expectedVersion: expected } = expectedVersion(ifMatch);
    return withTag(await this.life.restoreVersion(access, viewId, version, expected));
  }
}
