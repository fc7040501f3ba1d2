import { Body, Controller, Headers, HttpCode, Param, Post, Req } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiExtraModels,
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
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
import { REVERT_ANSWER, REVERT_PROBLEMS, RevertDoneDto, RevertDryRunDto, RevertedRowDto, RevertRowDto, RevertTableDto } from './revert.dto.js'; // prettier-ignore
import { RowRevert } from './row-revert.service.js';
import { TableRevert } from './table-revert.service.js';

@HonoursRules()
// Keys are kept by the base, in the transaction of the rows.
@IgnoresIdempotencyKey()
@ApiTags('History')
@ApiBearerAuth()
@ApiExtraModels(RevertDryRunDto, RevertDoneDto)
@Controller('tables/:tableId')
export class RevertController {
  constructor(
    private readonly rows: RowRevert,
    private readonly tables: TableRevert,
    private readonly manners: Manners,
  ) {}

  @Post('rows/:rowId/revert')
  @HttpCode(200)
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Give a row what it held in an older version',
    description:
      'As a new version. What cannot be put back (a column that has gone or was converted, a person who left, a row that was deleted) stays as it is and is named in `skipped`. 410: the change log does not reach back so far.',
  })
  @ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'Do it only if the row has this version',
    example: '"7"',
  })
  @ApiBody({ type: RevertRowDto })
  @ApiOkResponse({ type: RevertedRowDto })
  @ApiProblems(
    'not_found',
    'role_too_low',
    'ruled_out',
    'bad_request',
    'validation_failed',
    'version_mismatch',
    'unique_violation',
    'changes_gone',
    'limit_reached',
    'schema_busy',
  )
  revertRow(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('rowId', IdPipe) rowId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
    @Headers('If-Match') ifMatch?: string,
  ) {
    return this.manners.run(request, tableId, (manner) => this.rows.run(access, tableId, rowId, body, ifMatch, manner));
  }

  @Post('revert')
  @HttpCode(200)
  @Requires('changes:revert')
  @ApiOperation({
    summary: 'Undo changes of rows',
    description:
      'One act (`changeSet`), a range of numbers (`fromSeq`, `toSeq`), or what a person did within a time (`actorId`, `from`, `to`). First with `dryRun`: how many rows would change, what others changed since, what cannot be put back, and a `confirmToken`. Then the same body with the token; it is refused (409) when one of the rows, or the structure of the table, has changed meanwhile. A unique value that another row has by now is left out and named, as what cannot be put back. What others changed since stays, unless `onConflict` is `overwrite`. All or nothing, in one transaction and one change set, which can itself be undone; at most 20,000 changes and 64 MiB of what they changed at once.',
  })
  @ApiBody({ type: RevertTableDto })
  @ApiOkResponse(REVERT_ANSWER)
  @ApiProblems(...REVERT_PROBLEMS)
  revertTable(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    return this.manners.run(request, tableId, (manner) => this.tables.run(access, tableId, body, manner));
  }
}
