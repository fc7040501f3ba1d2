import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
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
} from '../../common/index.js';
import { LateAnswers } from '../idempotency/index.js';
import { ConnectionTestDto, TestConnectionDto } from './connection.dto.js';
import { ConnectionTests } from './connection-tests.service.js';

/** A try takes as long as the other side likes, up to the time limit: no transaction waits for it, also under an idempotency key. */
@ApiTags('Connections')
@ApiBearerAuth()
@Controller()
export class ConnectionTestsController {
  constructor(
    private readonly tests: ConnectionTests,
    private readonly late: LateAnswers,
  ) {}

  @Post('workspaces/:workspaceId/connections/test')
  @HttpCode(200)
  @Requires('connections:manage')
  @LimitedBy('connect')
  @IgnoresIdempotencyKey()
  @ApiOperation({
    summary: 'Try to sign in to an external database',
    description: 'Nothing is kept but an entry in the audit log. 200 also when it fails; `error` says why.',
  })
  @ApiOkResponse({ type: ConnectionTestDto })
  @ApiProblems('host_not_allowed')
  testUnsaved(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Body() body: TestConnectionDto,
    @Req() request: AppRequest,
  ) {
    return this.late.once(request, () => this.tests.testUnsaved(access, body));
  }

  @Post('connections/:connectionId/test')
  @HttpCode(200)
  @Requires('connections:manage')
  @LimitedBy('connect')
  @IgnoresIdempotencyKey()
  @ApiOperation({
    summary: 'Try to sign in to the database of a connection',
    description: '200 also when it fails; `error` says why. It is audited.',
  })
  @ApiOkResponse({ type: ConnectionTestDto })
  @ApiProblems('host_not_allowed')
  testSaved(
    @CurrentAccess() access: Access,
    @Param('connectionId', IdPipe) connectionId: Id,
    @Req() request: AppRequest,
  ) {
    return this.late.once(request, () => this.tests.testSaved(access, connectionId));
  }
}
