import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiBody,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import {
  Answer,
  ApiProblems,
  CurrentAccess,
  IdPipe,
  IgnoresIdempotencyKey,
  Requires,
  type Access,
  type Id,
} from '../../common/index.js';
import { requestFromBody, requestFromUrl } from './read/read-request.js';
import { ListRowsQuery, QueryRowsDto, RowDto, RowListDto } from './read/rows-query.dto.js';
import { RowsReader } from './read/rows-reader.service.js';
import { BulkService } from './write/bulk.service.js';
import { BulkAnswerDto, BulkDto, CreateRowDto, UpdateRowDto } from './write/row.dto.js';
import { RowsWriter } from './write/rows-writer.service.js';

const ROW_ETAG = {
  ETag: { description: 'The version of the row', schema: { type: 'string' as const, example: '"1"' } },
};
const LIVE_SEQ = {
  'Live-Seq': { description: "Number of this change in the table's live stream", schema: { type: 'integer' as const } },
};
const IfMatch = () =>
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'Do it only if the row has this version',
    example: '"1"',
  });

@IgnoresIdempotencyKey()
@ApiTags('Rows')
@ApiBearerAuth()
@Controller('tables/:tableId/rows')
export class RowsController {
  constructor(
    private readonly reader: RowsReader,
    private readonly writer: RowsWriter,
    private readonly bulkService: BulkService,
  ) {}

  @Get()
  @Requires('rows:read')
  @ApiOperation({
    summary: 'List rows',
    description: 'Filter, sort and page by URL. `meta` says where the live stream stood when the page was read.',
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
  )
  list(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Query() query: ListRowsQuery) {
    return this.reader.list(access, tableId, requestFromUrl(query));
  }

  @Post('query')
  @HttpCode(200)
  @Requires('rows:read')
  @ApiOperation({ summary: 'List rows, asked by a JSON body' })
  @ApiBody({ type: QueryRowsDto })
  @ApiOkResponse({ type: RowListDto })
  @ApiProblems(
    'not_found',
    'filter_invalid',
    'sort_invalid',
    'cursor_invalid',
    'cursor_mismatch',
    'validation_failed',
    'limit_reached',
  )
  query(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Body() body: unknown) {
    return this.reader.list(access, tableId, requestFromBody(body));
  }

  @Post()
  @Requires('rows:write')
  @ApiOperation({ summary: 'Create a row' })
  @ApiBody({ type: CreateRowDto })
  @ApiCreatedResponse({ type: RowDto, headers: { ...ROW_ETAG, ...LIVE_SEQ } })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed', 'unique_violation', 'schema_busy')
  create(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Body() body: unknown) {
    return this.writer.create(access, tableId, body);
  }

  @Post('bulk')
  @HttpCode(200)
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Create, update, upsert and delete up to 1,000 rows',
    description: 'One call is one transaction and takes one number of the live stream.',
  })
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
  bulk(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Body() body: unknown) {
    return this.bulkService.run(access, tableId, body);
  }

  @Get(':rowId')
  @Requires('rows:read')
  @ApiOperation({ summary: 'Read a row' })
  @ApiOkResponse({ type: RowDto, headers: ROW_ETAG })
  @ApiProblems('not_found')
  get(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Param('rowId', IdPipe) rowId: Id) {
    return this.reader.get(access, tableId, rowId);
  }

  @Patch(':rowId')
  @Requires('rows:write')
  @ApiOperation({
    summary: 'Change fields of a row',
    description: 'Absent fields stay; null clears. A change that changes nothing makes no version.',
  })
  @IfMatch()
  @ApiBody({ type: UpdateRowDto })
  @ApiOkResponse({ type: RowDto, headers: { ...ROW_ETAG, ...LIVE_SEQ } })
  @ApiProblems(
    'not_found',
    'role_too_low',
    'bad_request',
    'validation_failed',
    'version_mismatch',
    'unique_violation',
    'schema_busy',
  )
  update(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('rowId', IdPipe) rowId: Id,
    @Body() body: unknown,
    @Headers('If-Match') ifMatch?: string,
  ) {
    return this.writer.update(access, tableId, rowId, body, ifMatch);
  }

  @Delete(':rowId')
  @HttpCode(204)
  @Requires('rows:write')
  @ApiOperation({ summary: 'Delete a row' })
  @IfMatch()
  @ApiNoContentResponse({ headers: LIVE_SEQ })
  @ApiProblems('not_found', 'role_too_low', 'bad_request', 'version_mismatch', 'schema_busy')
  async remove(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('rowId', IdPipe) rowId: Id,
    @Headers('If-Match') ifMatch?: string,
  ) {
    const { seq } = await this.writer.remove(access, tableId, rowId, ifMatch);
    return new Answer(undefined, { status: 204, headers: { 'live-seq': String(seq) } });
  }
}
