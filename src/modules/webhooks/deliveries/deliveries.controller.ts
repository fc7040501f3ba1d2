import { Controller, Get, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  CurrentAccess,
  IdPipe,
  IgnoresIdempotencyKey,
  LimitedBy,
  Requires,
  type Access,
  type AppRequest,
  type Id,
} from '../../../common/index.js';
import { LateAnswers } from '../../idempotency/index.js';
import { DeliveriesService } from './deliveries.service.js';
import { DeliveriesQuery, DeliveryDto, DeliveryListDto } from './delivery.dto.js';

/** An attempt takes as long as the receiver likes, up to the time limit: no transaction waits for it, also under an idempotency key. */
@ApiTags('Webhooks')
@ApiBearerAuth()
@Controller('workspaces/:workspaceId/webhooks/:webhookId')
export class DeliveriesController {
  constructor(
    private readonly deliveries: DeliveriesService,
    private readonly late: LateAnswers,
  ) {}

  @Get('deliveries')
  @Requires('webhooks:manage')
  @ApiOperation({
    summary: 'List the attempts to deliver a webhook, newest first',
    description: 'The last 500, for 30 days.',
  })
  @ApiOkResponse({ type: DeliveryListDto })
  @ApiProblems('cursor_invalid')
  list(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Param('webhookId', IdPipe) webhookId: Id,
    @Query() query: DeliveriesQuery,
  ) {
    return this.deliveries.list(access, webhookId, query);
  }

  @Post('deliveries/:deliveryId/redeliver')
  @HttpCode(200)
  @Requires('webhooks:manage')
  @LimitedBy('connect')
  @IgnoresIdempotencyKey()
  @ApiOperation({
    summary: 'Send again what an attempt was about',
    description:
      'Under the same `webhook-id`, as the change log has it now. 200 also when it fails; it moves nothing on.',
  })
  @ApiOkResponse({ type: DeliveryDto })
  @ApiProblems('changes_gone')
  redeliver(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Param('webhookId', IdPipe) webhookId: Id,
    @Param('deliveryId', IdPipe) deliveryId: Id,
    @Req() request: AppRequest,
  ) {
    return this.late.once(request, () => this.deliveries.redeliver(access, webhookId, deliveryId));
  }

  @Post('test')
  @HttpCode(200)
  @Requires('webhooks:manage')
  @LimitedBy('connect')
  @IgnoresIdempotencyKey()
  @ApiOperation({
    summary: 'Send a test message now',
    description: 'Signed like all others, with the type `test`. 200 also when it fails; the answer says why.',
  })
  @ApiOkResponse({ type: DeliveryDto })
  test(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Param('webhookId', IdPipe) webhookId: Id,
    @Req() request: AppRequest,
  ) {
    return this.late.once(request, () => this.deliveries.test(access, webhookId));
  }
}
