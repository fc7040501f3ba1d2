import { Body, Controller, HttpCode, Param, Post, Req, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  CurrentAccess,
  IdPipe,
  IgnoresIdempotencyKey,
  Requires,
  type Access,
  type AppRequest,
} from '../../../common/index.js';
import { parseViewDefinition } from '../../../query/index.js';
import { whileConnected } from '../../connections/index.js';
import { READING_PROBLEMS } from '../route-parts.js';
import { previewOf } from './asked.js';
import { PreviewDto, ViewRowsDto } from './view-data.dto.js';
import { ExternalLimitGuard } from './external-limit.guard.js';
import { ViewReader } from './view-reader.service.js';

@ApiTags('Views')
@ApiBearerAuth()
@Controller('workspaces/:workspaceId/views')
export class ViewPreviewController {
  constructor(private readonly reader: ViewReader) {}

  @Post('preview')
  @HttpCode(200)
  @Requires('views:write')
  @UseGuards(ExternalLimitGuard)
  @IgnoresIdempotencyKey()
  @ApiOperation({ summary: 'Try a definition', description: 'A page of what a view of this definition would show.' })
  @ApiBody({ type: PreviewDto })
  @ApiOkResponse({ type: ViewRowsDto })
  @ApiProblems(...READING_PROBLEMS)
  preview(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: string,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    const { definition, asked } = previewOf(body);
    const parsed = parseViewDefinition(definition, '/definition');
    return whileConnected(request, (signal) => this.reader.data(access, parsed, asked, '/definition', signal));
  }
}
