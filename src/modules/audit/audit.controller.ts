import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiProblems, CurrentAccess, Requires, type Access } from '../../common/index.js';
import { AuditService } from './audit.service.js';
import { AuditLogListDto } from './dto/audit-log.dto.js';
import { AuditLogQuery } from './dto/audit-log-query.dto.js';

@ApiTags('Audit log')
@ApiParam({ name: 'workspaceId', format: 'uuid' })
@Controller('workspaces/:workspaceId/audit-logs')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @Requires('audit:read')
  @ApiOperation({
    summary: 'Who did what in the workspace, newest first',
    description:
      'Filters are ANDed. `action` is an action or all that begin alike (`member.*`); `from` is inclusive, `to` is not. Sign-ins concern no workspace and are not in it.',
  })
  @ApiProblems('cursor_invalid', 'cursor_mismatch')
  list(@CurrentAccess() access: Access, @Query() query: AuditLogQuery): Promise<AuditLogListDto> {
    return this.audit.list(access, query);
  }
}
