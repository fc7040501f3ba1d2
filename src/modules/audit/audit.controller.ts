import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblems, CurrentAccess, Requires, type Access, type AppRequest } from '../../common/index.js';
import { AuditChainService } from './audit-chain.service.js';
import { AuditExport } from './audit-export.service.js';
import { AuditService } from './audit.service.js';
import { AuditCheckpointDto, AuditVerdictDto, VerifyAuditQuery } from './dto/audit-chain.dto.js';
import { AuditLogListDto } from './dto/audit-log.dto.js';
import { AuditLogFilters, AuditLogQuery } from './dto/audit-log-query.dto.js';

@ApiTags('Audit log')
@ApiParam({ name: 'workspaceId', format: 'uuid' })
@Controller('workspaces/:workspaceId/audit-logs')
export class AuditController {
  constructor(
    private readonly audit: AuditService,
    private readonly exports: AuditExport,
    private readonly chain: AuditChainService,
  ) {}

  @Get()
  @Requires('audit:read')
  @ApiOperation({
    summary: 'Who did what in the workspace, newest first',
    description:
      'Metadata and rows in one log. Filters are ANDed. `action` is an action or all that begin alike (`member.*`, `row.*`); `from` is inclusive, `to` is not. ' +
      'A page has fewer entries than asked for where they are very long. Sign-ins concern no workspace and are not in it.',
  })
  @ApiProblems('cursor_invalid', 'cursor_mismatch')
  list(@CurrentAccess() access: Access, @Query() query: AuditLogQuery): Promise<AuditLogListDto> {
    return this.audit.list(access, query);
  }

  @Get('export')
  @Requires('audit:read')
  @ApiOperation({
    summary: 'The audit log as a file',
    description: 'One entry in JSON a line, newest first, streamed. That it was taken is in the log, too.',
  })
  @ApiOkResponse({
    description: 'The file; a connection that ends early means that it is not whole.',
    content: { 'application/x-ndjson': { schema: { type: 'string' } } },
  })
  export(@CurrentAccess() access: Access, @Query() filters: AuditLogFilters, @Req() request: AppRequest) {
    return this.exports.export(access, filters, request);
  }

  @Get('verify')
  @Requires('audit:read')
  @ApiOperation({
    summary: 'Whether the log of metadata is what was written',
    description:
      'Computes its hash chain anew, from the first entry to the newest, and names the first that was changed, taken out or put in. With a checkpoint it also tells whether this is ' +
      'still the log that the checkpoint was made of. The log of the rows of a table has its own: `GET /tables/:id/history/verify`.',
  })
  @ApiOkResponse({ type: AuditVerdictDto })
  @ApiProblems('overloaded')
  verify(@CurrentAccess() access: Access, @Query() { checkpoint }: VerifyAuditQuery): Promise<AuditVerdictDto> {
    return this.chain.verify(access.workspaceId, checkpoint);
  }

  @Get('checkpoint')
  @Requires('audit:read')
  @ApiOperation({
    summary: 'Where the hash chain of the log of metadata stands, signed',
    description:
      'To be kept elsewhere: whoever can change the whole database can make the chain anew, but not the signature.',
  })
  @ApiOkResponse({ type: AuditCheckpointDto })
  checkpoint(@CurrentAccess() access: Access): Promise<AuditCheckpointDto> {
    return this.chain.checkpoint(access.workspaceId);
  }
}
