import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblems, CurrentAccess, IdPipe, Requires, type Access, type Id } from '../../../common/index.js';
import { MetadataRevertDto, MetadataRevertRequestDto } from './metadata-revert.dto.js';
import { MetadataRevert } from './metadata-revert.service.js';

@ApiTags('Audit log')
@ApiParam({ name: 'workspaceId', format: 'uuid' })
@Controller('workspaces/:workspaceId/audit-logs')
export class MetadataRevertController {
  constructor(private readonly reverts: MetadataRevert) {}

  @Post(':entryId/revert')
  @HttpCode(200)
  @Requires('audit:read')
  @ApiOperation({
    summary: 'Take back a change of metadata',
    description:
      'Of a workspace, base, table, column, index or view, of rules, members, and settings of publications, webhooks and connections: what was changed is set back, what was made goes into the trash, what was deleted comes out of it. ' +
      'First with `dryRun`, then with its `confirmToken`. Nothing is made or destroyed for good: a publication or webhook that was made is disabled or paused; keys, tokens and secrets are not brought back. ' +
      'What was changed once more since is a conflict, and stays unless it shall be overwritten. It is a change of its own, with an entry of its own, which can be taken back as well. A conversion of a column is ' +
      'taken back by restoring the old column, which is in the trash; changes of rows by `POST /tables/:id/revert`.',
  })
  @ApiOkResponse({ type: MetadataRevertDto })
  @ApiProblems(
    ...(['not_revertible', 'confirmation_required', 'confirmation_stale', 'name_taken', 'limit_reached'] as const),
    ...(['schema_busy', 'rows_in_the_way', 'conflict', 'already_member', 'last_owner'] as const),
    ...(['contract_broken', 'view_broken'] as const),
  )
  revert(
    @CurrentAccess() access: Access,
    @Param('entryId', IdPipe) entryId: Id,
    @Body() request: MetadataRevertRequestDto,
  ): Promise<MetadataRevertDto> {
    return this.reverts.run(access, entryId, request);
  }
}
