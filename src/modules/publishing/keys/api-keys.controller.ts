import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import {
  ApiProblems,
  created,
  CurrentAccess,
  IdPipe,
  PageQuery,
  Requires,
  type Access,
  type Answer,
  type Id,
} from '../../../common/index.js';
import { ApiKeyListDto, CreateApiKeyDto, CreatedApiKeyDto, RotateApiKeyDto } from './api-key.dto.js';
import { ApiKeysService } from './api-keys.service.js';

@ApiTags('Publishing')
@ApiBearerAuth()
@Controller('views/:viewId/api/keys')
export class ApiKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Get()
  @Requires('views:publish')
  @ApiOperation({
    summary: 'List the keys of a published view, oldest first',
    description: 'Never the keys themselves.',
  })
  @ApiOkResponse({ type: ApiKeyListDto })
  @ApiProblems('cursor_invalid')
  list(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id, @Query() query: PageQuery) {
    return this.keys.list(access, viewId, query);
  }

  @Post()
  @Requires('views:publish')
  @ApiOperation({
    summary: 'Make a key for a published view',
    description:
      'It opens this view and nothing else; with `filter` and `columns`, a part of it. The answer has the key, this once.',
  })
  @ApiCreatedResponse({ type: CreatedApiKeyDto })
  @ApiProblems('limit_reached', 'view_broken', 'filter_invalid')
  async create(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id, @Body() body: CreateApiKeyDto) {
    return made(await this.keys.create(access, viewId, body), viewId);
  }

  @Post(':keyId/rotate')
  @Requires('views:publish')
  @ApiOperation({
    summary: 'Put a new key in the place of one',
    description:
      'It opens the same. The old one goes on to work for as long as it takes to hand the new one out, and expires then.',
  })
  @ApiCreatedResponse({ type: CreatedApiKeyDto })
  @ApiProblems('limit_reached')
  async rotate(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Param('keyId', IdPipe) keyId: Id,
    @Body() { overlapSeconds }: RotateApiKeyDto,
  ) {
    return made(await this.keys.rotate(access, viewId, keyId, overlapSeconds), viewId);
  }

  @Delete(':keyId')
  @HttpCode(204)
  @Requires('views:publish')
  @ApiOperation({
    summary: 'Revoke a key',
    description:
      'It opens nothing any more: here at once, on every other node within a second (5 s while Redis is down).',
  })
  @ApiNoContentResponse({ description: 'It is gone.' })
  async revoke(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Param('keyId', IdPipe) keyId: Id,
  ): Promise<void> {
    await this.keys.revoke(access, viewId, keyId);
  }
}

const made = (key: CreatedApiKeyDto, viewId: Id): Answer<CreatedApiKeyDto> =>
  created(`/views/${viewId}/api/keys/${key.id}`, key);
