import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, UseGuards } from '@nestjs/common';
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
} from '../../../common/index.js';
import { ViewedAs, ViewedAsQuery } from '../../tables/index.js';
import { READING_PROBLEMS } from '../route-parts.js';
import { askedByBody, askedByUrl } from './asked.js';
import { ExternalLimitGuard } from './external-limit.guard.js';
import { StoredViews } from './stored-views.service.js';
import { ExplainedDto, ViewQueryDto, ViewRowsDto } from './view-data.dto.js';
import { ViewPageQuery } from './view-data-query.dto.js';

const QUERY_EXAMPLE = { filter: { field: 'name', op: 'contains', value: 'a' }, page: { limit: 100 } };
const DATA =
  "In the shape of rows. What is asked for is joined to the view's own filter by *and*, and can speak of nothing but what the view shows. " +
  '`meta` tells how the rows were put together.';

@ApiTags('Views')
@ApiBearerAuth()
@Controller('views/:viewId')
export class ViewDataController {
  constructor(private readonly views: StoredViews) {}

  @Get('data')
  @ViewedAs()
  @Requires('views:read')
  @UseGuards(ExternalLimitGuard)
  @ApiOperation({ summary: 'Read a page of a view', description: DATA })
  @ApiOkResponse({ type: ViewRowsDto })
  @ApiProblems('view_broken', ...READING_PROBLEMS)
  list(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Query() query: ViewPageQuery,
    @Req() request: AppRequest,
  ) {
    return this.views.data(access, viewId, () => askedByUrl(query), request);
  }

  @Post('data')
  @ViewedAs()
  @HttpCode(200)
  @Requires('views:read')
  @UseGuards(ExternalLimitGuard)
  @IgnoresIdempotencyKey()
  @ApiOperation({ summary: 'Read a page of a view, or groups of what it shows', description: DATA })
  @ApiBody({ type: ViewQueryDto, examples: { rows: { value: QUERY_EXAMPLE } } })
  @ApiOkResponse({ type: ViewRowsDto })
  @ApiProblems('view_broken', ...READING_PROBLEMS)
  query(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Body() body: unknown,
    @Query() _as: ViewedAsQuery,
    @Req() request: AppRequest,
  ) {
    return this.views.data(access, viewId, () => askedByBody(body), request);
  }

  @Post('explain')
  @HttpCode(200)
  @Requires('views:read')
  @UseGuards(ExternalLimitGuard)
  @IgnoresIdempotencyKey()
  @ApiOperation({
    summary: 'Tell how a page of a view is put together',
    description:
      'Answers the question and tells what was sent to which database, without values, what came back, and how long it took.',
  })
  @ApiBody({ type: ViewQueryDto, examples: { rows: { value: QUERY_EXAMPLE } } })
  @ApiOkResponse({ type: ExplainedDto })
  @ApiProblems('view_broken', ...READING_PROBLEMS)
  explain(
    @CurrentAccess() access: Access,
    @Param('viewId', IdPipe) viewId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    return this.views.explain(access, viewId, () => askedByBody(body), request);
  }
}
