import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import {
  Answer,
  ApiProblems,
  created,
  CurrentAccess,
  IdPipe,
  Requires,
  type Access,
  type Id,
} from '../../../common/index.js';
import { PublishDto, UpdateViewApiDto, ViewApiDto } from './view-api.dto.js';
import { ViewApisService } from './view-apis.service.js';

@ApiTags('Publishing')
@ApiBearerAuth()
@Controller('views/:viewId/api')
export class ViewApiController {
  constructor(private readonly apis: ViewApisService) {}

  @Post()
  @Requires('views:publish')
  @ApiOperation({
    summary: 'Publish a view as it is now',
    description:
      'What is published is the view of this moment: later changes of it are not shown before it is published again, by the same call, which answers 200 then. ' +
      'What was published before has to be there still, as it was: columns may come, none may go, and what could be asked can be asked. ' +
      'With `asNewVersion`, what would break it gets an address of its own (201), and readers keep what they have.',
  })
  @ApiCreatedResponse({ type: ViewApiDto })
  @ApiOkResponse({ type: ViewApiDto, description: 'It was published already, and is again.' })
  @ApiProblems('name_taken', 'view_broken', 'contract_broken', 'limit_reached', 'filter_invalid')
  async publish(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id, @Body() body: PublishDto) {
    const { api, isNew, isBeside } = await this.apis.publish(access, viewId, body);
    return isNew || isBeside ? created(`/views/${viewId}/api`, api) : new Answer(api, { status: 200 });
  }

  @Get()
  @Requires('views:publish')
  @ApiOperation({ summary: 'Tell how a view is published' })
  @ApiOkResponse({ type: ViewApiDto })
  get(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id) {
    return this.apis.get(access, viewId);
  }

  @Patch()
  @Requires('views:publish')
  @ApiOperation({
    summary: 'Change how a view is published',
    description: 'What is not given stays. What is shown of the view stays what was published.',
  })
  @ApiOkResponse({ type: ViewApiDto })
  @ApiProblems('name_taken', 'view_broken', 'contract_broken')
  update(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id, @Body() body: UpdateViewApiDto) {
    return this.apis.update(access, viewId, body);
  }

  @Delete()
  @HttpCode(204)
  @Requires('views:publish')
  @ApiOperation({
    summary: 'Publish a view no longer',
    description:
      'Its address, its keys and what is known of its use are gone for good. To take it away for a while, disable it.',
  })
  @ApiNoContentResponse({ description: 'It is not published any more.' })
  async remove(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id): Promise<void> {
    await this.apis.remove(access, viewId);
  }
}
