import { Controller, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  CurrentAccess,
  IdPipe,
  IgnoresIdempotencyKey,
  Requires,
  Traits,
  type Access,
  type AppRequest,
  type Id,
} from '../../../common/index.js';
import { ImportAnswerDto, ImportRowsQuery } from './import.dto.js';
import { CSV, ImportService, NDJSON } from './import.service.js';

@ApiTags('Rows')
@ApiBearerAuth()
@IgnoresIdempotencyKey()
@Controller('tables/:tableId/import')
export class ImportController {
  constructor(private readonly imports: ImportService) {}

  @Post()
  @HttpCode(200)
  @Requires('rows:write')
  @Traits({ streamed: [CSV, NDJSON] })
  @ApiConsumes(CSV, NDJSON)
  @ApiBody({ schema: { type: 'string' } })
  @ApiOperation({
    summary: 'Import rows from a file',
    description:
      'CSV with a header line, or one JSON object of fields a line; columns are found by their keys, then by their names. ' +
      'In CSV nothing between two delimiters is null and `""` the empty text; a select is its key or label, a person an id or the address of a member, a list a JSON list or elements with commas between. ' +
      'Every thousand rows take a number of the live stream; with `onError=abort` all of them become visible together.',
  })
  @ApiOkResponse({ type: ImportAnswerDto })
  @ApiProblems(
    'not_found',
    'role_too_low',
    'bad_request',
    'validation_failed',
    'import_failed',
    'limit_reached',
    'payload_too_large',
    'unsupported_media_type',
    'schema_busy',
    'overloaded',
  )
  import(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Query() query: ImportRowsQuery,
    @Req() request: AppRequest,
  ) {
    return this.imports.import(access, tableId, query, request);
  }
}
