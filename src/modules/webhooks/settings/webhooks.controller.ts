import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
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
  LimitedBy,
  PageQuery,
  Requires,
  type Access,
  type Id,
} from '../../../common/index.js';
import {
  CreatedWebhookDto,
  CreateWebhookDto,
  RotateWebhookSecretDto,
  UpdateWebhookDto,
  WebhookDto,
  WebhookListDto,
  WebhookSecretDto,
} from './webhook.dto.js';
import { WebhooksService } from './webhooks.service.js';

@ApiTags('Webhooks')
@ApiBearerAuth()
@Controller('workspaces/:workspaceId/webhooks')
export class WebhooksController {
  constructor(private readonly webhooks: WebhooksService) {}

  @Get()
  @Requires('webhooks:manage')
  @ApiOperation({ summary: 'List the webhooks of a workspace, oldest first', description: 'Never their secrets.' })
  @ApiOkResponse({ type: WebhookListDto })
  @ApiProblems('cursor_invalid')
  list(@CurrentAccess() access: Access, @Param('workspaceId', IdPipe) _workspaceId: Id, @Query() query: PageQuery) {
    return this.webhooks.list(access, query);
  }

  @Post()
  @Requires('webhooks:manage')
  @LimitedBy('connect')
  @ApiOperation({
    summary: 'Have an address told of changes',
    description:
      'From now on, each change of the chosen tables is sent there as a signed message, in order, until it is taken (docs/WEBHOOKS.md). The answer has the secret, this once.',
  })
  @ApiCreatedResponse({ type: CreatedWebhookDto })
  @ApiProblems('host_not_allowed', 'limit_reached')
  async create(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) workspaceId: Id,
    @Body() body: CreateWebhookDto,
  ) {
    const webhook = await this.webhooks.create(access, body);
    return created(`/workspaces/${workspaceId}/webhooks/${webhook.id}`, webhook);
  }

  @Get(':webhookId')
  @Requires('webhooks:manage')
  @ApiOperation({ summary: 'Read a webhook' })
  @ApiOkResponse({ type: WebhookDto })
  get(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Param('webhookId', IdPipe) webhookId: Id,
  ) {
    return this.webhooks.get(access, webhookId);
  }

  @Patch(':webhookId')
  @Requires('webhooks:manage')
  @LimitedBy('connect')
  @ApiOperation({
    summary: 'Change, pause or resume a webhook',
    description: 'What it has not told of yet is told under the new settings.',
  })
  @ApiOkResponse({ type: WebhookDto })
  @ApiProblems('host_not_allowed')
  update(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Param('webhookId', IdPipe) webhookId: Id,
    @Body() body: UpdateWebhookDto,
  ) {
    return this.webhooks.update(access, webhookId, body);
  }

  @Delete(':webhookId')
  @HttpCode(204)
  @Requires('webhooks:manage')
  @ApiOperation({ summary: 'Remove a webhook', description: 'For good, with the list of its deliveries.' })
  @ApiNoContentResponse({ description: 'Removed.' })
  async remove(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Param('webhookId', IdPipe) webhookId: Id,
  ): Promise<void> {
    await this.webhooks.remove(access, webhookId);
  }

  @Post(':webhookId/secret')
  @HttpCode(200)
  @Requires('webhooks:manage')
  @ApiOperation({
    summary: 'Put a new secret in the place of the present one',
    description: 'For a while messages are signed with both, so that receivers can be told without missing one.',
  })
  @ApiOkResponse({ type: WebhookSecretDto })
  rotate(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Param('webhookId', IdPipe) webhookId: Id,
    @Body() { overlapSeconds }: RotateWebhookSecretDto,
  ) {
    return this.webhooks.rotate(access, webhookId, overlapSeconds);
  }
}
