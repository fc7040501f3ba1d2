import { Body, Controller, Delete, Get, HttpCode, Param, Patch } from '@nestjs/common';
import { ApiBearerAuth, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblems, CurrentAccess, IdPipe, Requires, type Access, type Id } from '../../../common/index.js';
import { VersionPipe } from '../../views/index.js';
import { ApiVersionDto, ApiVersionListDto, UpdateApiVersionDto } from './api-version.dto.js';
import { ApiVersionsService } from './api-versions.service.js';

const Version = (): MethodDecorator =>
  ApiParam({ name: 'version', schema: { type: 'integer', minimum: 1 }, example: 1 });

@ApiTags('Publishing')
@ApiBearerAuth()
@Controller('views/:viewId/api/versions')
export class ApiVersionsController {
  constructor(private readonly versions: ApiVersionsService) {}

  @Get()
  @Requires('views:publish')
  @ApiOperation({
    summary: 'List the versions of a published view, newest first',
    description: 'All of them, those that have ended by themselves included.',
  })
  @ApiOkResponse({ type: ApiVersionListDto })
  list(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id) {
    return this.versions.list(access, viewId);
  }

  @Patch(':version')
  @Requires('views:publish')
  @Version()
  @ApiOperation({
    summary: 'Say when a version of a published view ends',
    description: 'One that another has followed. Its readers are told in `Sunset`; from then on it is 404.',
  })
  @ApiOkResponse({ type: ApiVersionDto })
  @ApiProblems('newest_version')
  update(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Param('version', VersionPipe) version: number,
    @Body() body: UpdateApiVersionDto,
  ) {
    return this.versions.update(access, viewId, version, body);
  }

  @Delete(':version')
  @HttpCode(204)
  @Requires('views:publish')
  @Version()
  @ApiOperation({
    summary: 'End a version of a published view now',
    description: 'One that another has followed; its number is not given again.',
  })
  @ApiNoContentResponse({ description: 'It is 404.' })
  @ApiProblems('newest_version')
  async end(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Param('version', VersionPipe) version: number,
  ): Promise<void> {
    await this.versions.end(access, viewId, version);
  }
}
