import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  CurrentAccess,
  IdPipe,
  IgnoresIdempotencyKey,
  Requires,
  type Access,
  type AppRequest,
  type Id,
} from '../../../../common/index.js';
import { HonoursRules } from '../../../tables/index.js';
import { Manners } from '../../write/manner.js';
import { BaseRevert } from './base-revert.service.js';
import {
  BASE_REVERT_ANSWER,
  REVERT_PROBLEMS,
  BaseRevertDoneDto,
  BaseRevertDryRunDto,
  RevertBaseDto,
} from './revert.dto.js';

@HonoursRules()
// Keys are kept by the base, in the transaction of the rows.
@IgnoresIdempotencyKey()
@ApiTags('History')
@ApiBearerAuth()
@ApiExtraModels(BaseRevertDryRunDto, BaseRevertDoneDto)
@Controller('bases/:baseId')
export class BaseRevertController {
  constructor(
    private readonly bases: BaseRevert,
    private readonly manners: Manners,
  ) {}

  @Post('revert')
  @HttpCode(200)
  @Requires('changes:revert')
  @ApiOperation({
    summary: 'Undo changes of rows of all tables of a base',
    description:
      'One act (`changeSet`), or what a person did within a time (`actorId`, `from`, `to`), in whichever tables it was: as `POST /tables/:tableId/revert`, first with `dryRun`, then with its `confirmToken`. All tables or nothing, in one transaction and one change set, which can itself be undone; the limits hold for all tables in sum. Where both ends of a link were changed, the end that holds one row at most, or else the one that the link was made at, says which links there will be. Tables in the trash are left out and named.',
  })
  @ApiBody({ type: RevertBaseDto })
  @ApiOkResponse(BASE_REVERT_ANSWER)
  @ApiProblems(...REVERT_PROBLEMS)
  revert(
    @CurrentAccess() access: Access,
    @Param('baseId', IdPipe) baseId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    return this.manners.runInBase(request, baseId, (manner) => this.bases.run(access, baseId, body, manner));
  }
}
