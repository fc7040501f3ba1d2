import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Req } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
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
} from '../../common/index.js';
import { HonoursRules, ViewedAs, ViewedAsQuery } from '../tables/index.js';
import { asksForGroups, groupRequest, moment, requestFromBody, requestFromUrl } from '../../query/index.js';
import { GroupListDto } from './read/groups.dto.js';
import { GroupsReader } from './read/groups-reader.service.js';
import { ListRowsQuery, QueryRowsDto, ReadRowQuery, RowDto, RowListDto } from './read/rows-query.dto.js';
import { RowsReader } from './read/rows-reader.service.js';
import { ByFilter } from './write/by-filter.service.js';
import {
  BY_FILTER_ANSWER,
  BulkDeleteDto,
  BulkUpdateDto,
  ByFilterDoneDto,
  ByFilterDryRunDto,
} from './write/by-filter.dto.js';
import { BulkService } from './write/bulk.service.js';
import { BulkAnswerDto, BulkDto, CreateRowDto, UpdateRowDto } from './write/row.dto.js';
import { Manners } from './write/manner.js';
import { RowRestore } from './write/row-restore.service.js';
import { RowsWriter } from './write/rows-writer.service.js';

const ROW_ETAG = {
  ETag: { description: 'The version of the row', schema: { type: 'string' as const, example: '"1"' } },
};
/** Of rows: what groups take is not all for rows, so the examples of all members together are no request. */
const QUERY_EXAMPLE = {
  filter: { field: 'amount', op: 'gte', value: 100 },
  sort: [{ field: 'amount', dir: 'desc' }],
  page: { limit: 100 },
};
const LIVE_SEQ = {
  'Live-Seq': { description: "Number of this change in the table's live stream", schema: { type: 'integer' as const } },
};
const BY_FILTER_PROBLEMS = [
  'not_found',
  'role_too_low',
  'ruled_out',
  'validation_failed',
  'filter_invalid',
  'limit_reached',
  'confirmation_required',
  'confirmation_stale',
  'schema_busy',
] as const;
const IfMatch = () =>
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'Do it only if the row has this version',
    example: '"1"',
  });

const PrefersMinimal = () =>
  ApiHeader({
    name: 'Prefer',
    required: false,
    description: '`return=minimal`: without the rows in the answer (RFC 7240)',
    example: 'return=minimal',
  });

const WithoutRow = () =>
  ApiNoContentResponse({
    description: 'With `Prefer: return=minimal`, or where rules keep the row that it became from the caller.',
    headers: { ...ROW_ETAG, ...LIVE_SEQ },
  });

// Keys are kept by the base, in the transaction of the rows.
@IgnoresIdempotencyKey()
@HonoursRules()
@ApiTags('Rows')
@ApiBearerAuth()
@ApiExtraModels(ByFilterDryRunDto, ByFilterDoneDto, QueryRowsDto)
@Controller('tables/:tableId/rows')
export class RowsController {
  constructor(
    private readonly reader: RowsReader,
    private readonly groups: GroupsReader,
    private readonly writer: RowsWriter,
    private readonly bulkService: BulkService,
    private readonly byFilter: ByFilter,
    private readonly restores: RowRestore,
    private readonly manners: Manners,
  ) {}

  @Get()
  @Requires('rows:read')
  @ViewedAs()
  @ApiOperation({
    summary: 'List rows',
    description:
      'Filter, sort and page by URL. `meta` says where the live stream stood when the page was read. With `asOf` the rows as they were then, as far as the change log is kept: ' +
      'what is computed from links, and columns that are younger, have come back or got another type since are left out (`meta.leftOut`), and refused where they are named; links are told, and nothing is filtered by them.',
  })
  @ApiOkResponse({ type: RowListDto })
  @ApiProblems(
    'not_found',
    'invalid_syntax',
    'filter_invalid',
    'sort_invalid',
    'cursor_invalid',
    'cursor_mismatch',
    'validation_failed',
    'limit_reached',
    'schema_busy',
    'changes_gone',
  )
  list(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Query() query: ListRowsQuery) {
    return this.reader.list(access, tableId, requestFromUrl(query));
  }

  @Post('query')
  @HttpCode(200)
  @Requires('rows:read')
  @ViewedAs()
  @ApiOperation({
    summary: 'List rows, or groups of them, asked by a JSON body',
    description:
      'With `groupBy` or `aggregates` the answer has groups, which are filtered, sorted and paged as rows are, forward only. ' +
      '`sum` is exact; `avg` is rounded to 10 digits behind the point.',
  })
  @ApiBody({ schema: { allOf: [{ $ref: getSchemaPath(QueryRowsDto) }], example: QUERY_EXAMPLE } })
  @ApiOkResponse({ schema: { anyOf: [RowListDto, GroupListDto].map((type) => ({ $ref: getSchemaPath(type) })) } })
  @ApiExtraModels(RowListDto, GroupListDto)
  @ApiProblems(
    'not_found',
    'filter_invalid',
    'sort_invalid',
    'cursor_invalid',
    'cursor_mismatch',
    'validation_failed',
    'limit_reached',
    'schema_busy',
    'changes_gone',
  )
  query(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Body() body: unknown,
    @Query() _as: ViewedAsQuery,
  ) {
    if (asksForGroups(body)) return this.groups.list(access, tableId, groupRequest(body, ['asOf']));
    return this.reader.list(access, tableId, requestFromBody(body));
  }

  @Post()
  @Requires('rows:write')
  @ApiOperation({ summary: 'Create a row' })
  @PrefersMinimal()
  @ApiBody({ type: CreateRowDto })
  @ApiCreatedResponse({
    type: RowDto,
    headers: { ...ROW_ETAG, ...LIVE_SEQ },
    description:
      'Created; its path is in `Location`. There is no body with `Prefer: return=minimal`, nor where rules keep the row from the caller.',
  })
  @ApiProblems('not_found', 'role_too_low', 'ruled_out', 'validation_failed', 'unique_violation', 'schema_busy')
  create(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    return this.manners.run(request, tableId, (manner) => this.writer.create(access, tableId, body, manner));
  }

  @Post('bulk')
  @HttpCode(200)
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Create, update, upsert and delete up to 1,000 rows',
    description: 'One call is one transaction and takes one number of the live stream.',
  })
  @PrefersMinimal()
  @ApiBody({ type: BulkDto })
  @ApiOkResponse({ type: BulkAnswerDto, headers: LIVE_SEQ })
  @ApiProblems(
    'not_found',
    'role_too_low',
    'validation_failed',
    'bulk_failed',
    'unique_violation',
    'payload_too_large',
    'schema_busy',
  )
  bulk(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    return this.manners.run(request, tableId, (manner) => this.bulkService.run(access, tableId, body, manner));
  }

  @Post('bulk-update')
  @HttpCode(200)
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Change all rows that a filter finds',
    description:
      'First with `dryRun`: how many rows, ten of them, and a `confirmToken`. Then the same body with the token; it is refused (409) when one of the rows, or the structure of the table, has changed meanwhile. All or nothing, in one transaction and one change set.',
  })
  @ApiBody({ type: BulkUpdateDto })
  @ApiOkResponse(BY_FILTER_ANSWER)
  @ApiProblems(...BY_FILTER_PROBLEMS, 'unique_violation')
  bulkUpdate(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    return this.manners.run(request, tableId, (manner) => this.byFilter.run(access, tableId, 'update', body, manner));
  }

  @Post('bulk-delete')
  @HttpCode(200)
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Delete all rows that a filter finds',
    description: 'With a dry run first, as bulk-update.',
  })
  @ApiBody({ type: BulkDeleteDto })
  @ApiOkResponse(BY_FILTER_ANSWER)
  @ApiProblems(...BY_FILTER_PROBLEMS)
  bulkDelete(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
  ) {
    return this.manners.run(request, tableId, (manner) => this.byFilter.run(access, tableId, 'delete', body, manner));
  }

  @Get(':rowId')
  @Requires('rows:read')
  @ViewedAs()
  @ApiOperation({
    summary: 'Read a row',
    description: 'With `asOf` as it was then, without `ETag`; what is left out is as with lists.',
  })
  @ApiOkResponse({ type: RowDto, headers: ROW_ETAG })
  @ApiProblems('not_found', 'validation_failed', 'changes_gone', 'schema_busy')
  get(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('rowId', IdPipe) rowId: Id,
    @Query() { asOf }: ReadRowQuery,
  ) {
    return this.reader.get(access, tableId, rowId, asOf === undefined ? undefined : moment(asOf));
  }

  @Patch(':rowId')
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Change fields of a row',
    description:
      'Absent fields stay; null clears. Numbers take `{"$inc": 1}`, lists `{"$add": […], "$remove": […]}`. A change that changes nothing makes no version.',
  })
  @PrefersMinimal()
  @IfMatch()
  @ApiBody({ type: UpdateRowDto })
  @ApiOkResponse({ type: RowDto, headers: { ...ROW_ETAG, ...LIVE_SEQ } })
  @WithoutRow()
  @ApiProblems(
    'not_found',
    'role_too_low',
    'ruled_out',
    'bad_request',
    'validation_failed',
    'version_mismatch',
    'merge_conflict',
    'unique_violation',
    'schema_busy',
  )
  update(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('rowId', IdPipe) rowId: Id,
    @Body() body: unknown,
    @Req() request: AppRequest,
    @Headers('If-Match') ifMatch?: string,
  ) {
    return this.manners.run(request, tableId, (manner) =>
      this.writer.update(access, tableId, rowId, body, ifMatch, manner),
    );
  }

  @Delete(':rowId')
  @HttpCode(204)
  @Requires('rows:write')
  @ApiOperation({ summary: 'Delete a row' })
  @IfMatch()
  @ApiNoContentResponse({ headers: LIVE_SEQ })
  @ApiProblems('not_found', 'role_too_low', 'ruled_out', 'bad_request', 'version_mismatch', 'schema_busy')
  remove(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('rowId', IdPipe) rowId: Id,
    @Req() request: AppRequest,
    @Headers('If-Match') ifMatch?: string,
  ) {
    return this.manners.run(request, tableId, (manner) => this.writer.remove(access, tableId, rowId, ifMatch, manner));
  }

  @Post(':rowId/restore')
  @HttpCode(200)
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Take a row out of the trash',
    description: 'With the values that it had, and those of its links that are still possible.',
  })
  @PrefersMinimal()
  @ApiOkResponse({ type: RowDto, headers: { ...ROW_ETAG, ...LIVE_SEQ } })
  @WithoutRow()
  @ApiProblems('not_found', 'role_too_low', 'ruled_out', 'conflict', 'unique_violation', 'schema_busy')
  restore(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('rowId', IdPipe) rowId: Id,
    @Req() request: AppRequest,
  ) {
    return this.manners.run(request, tableId, (manner) => this.restores.restore(access, tableId, rowId, manner));
  }
}
