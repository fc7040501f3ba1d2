import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentAccess, IdPipe, Requires, type Access, type Id } from '../../../common/index.js';
import { UsageDto, UsageQuery } from './usage.dto.js';
import { UsageService } from './usage.service.js';

@ApiTags('Publishing')
@ApiBearerAuth()
@Controller('views/:viewId/api/usage')
export class UsageController {
  constructor(private readonly usage: UsageService) {}

  @Get()
  @Requires('views:publish')
  @ApiOperation({
    summary: 'Tell how a published view was read',
    description: 'By hour, version and key, for 90 days.',
  })
  @ApiOkResponse({ type: UsageDto })
  of(@CurrentAccess() access: Access, @Param('viewId', IdPipe) viewId: Id, @Query() query: UsageQuery) {
    return this.usage.of(access, viewId, query);
  }
}
