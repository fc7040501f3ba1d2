import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
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
import { UndoDto, UndoneDto } from './undo.dto.js';
import { UndoService } from './undo.service.js';

@HonoursRules()
// Keys are kept by the base, in the transaction of the rows.
@IgnoresIdempotencyKey()
@ApiTags('History')
@ApiBearerAuth()
@Controller('tables/:tableId')
export class UndoController {
  constructor(
    private readonly undoing: UndoService,
    private readonly manners: Manners,
  ) {}

  @Post('undo')
  @HttpCode(200)
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Undo what one did last',
    description:
      'The last act of the caller in this table under the same `X-Client-Id` (without one, of those without one) that is not undone yet, of the last 24 hours, 100 acts and 20,000 changes of the table; imports are left to `revert`. It is a new change, of the source `undo`. What others have changed since stays as it is and is named in `conflicts`. Where nothing could be taken back (`rows` is 0), the line stays as it is; send the act in `skip` to go on to the one before it. 409 `nothing_to_undo`.',
  })
  @ApiBody({ type: UndoDto, required: false })
  @ApiOkResponse({ type: UndoneDto })
  @ApiProblems('not_found', 'role_too_low', 'ruled_out', 'validation_failed', 'nothing_to_undo', 'limit_reached', 'unique_violation', 'schema_busy') // prettier-ignore
  undo(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    return this.manners.run(request, tableId, (manner) => this.undoing.run('undo', access, tableId, body, manner));
  }

  @Post('redo')
  @HttpCode(200)
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Do again what one undid last',
    description:
      'Until the caller changes something else in this table under the same `X-Client-Id`. As undo, under the same limits; of the source `redo`, and can be undone. 409 `nothing_to_redo`.',
  })
  @ApiBody({ type: UndoDto, required: false })
  @ApiOkResponse({ type: UndoneDto })
  @ApiProblems('not_found', 'role_too_low', 'ruled_out', 'validation_failed', 'nothing_to_redo', 'limit_reached', 'unique_violation', 'schema_busy') // prettier-ignore
  redo(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    return this.manners.run(request, tableId, (manner) => this.undoing.run('redo', access, tableId, body, manner));
  }
}
