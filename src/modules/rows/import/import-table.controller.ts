import { Controller, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
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
import { ImportTableAnswerDto, ImportTableQuery } from './import.dto.js';
import { CSV, NDJSON } from './import.service.js';
import { ImportTableService } from './import-table.service.js';

@ApiTags('Tables')
@ApiBearerAuth()
@IgnoresIdempotencyKey()
@Controller('bases/:baseId/import')
export class ImportTableController {
  constructor(private readonly imports: ImportTableService) {}

  @Post()
  @Requires('structure:change')
  @Traits({ streamed: [CSV, NDJSON] })
  @ApiConsumes(CSV, NDJSON)
  @ApiBody({ schema: { type: 'string' } })
  @ApiOperation({
    summary: 'Create a table from a file',
    description:
      'A column for each of the header, or for each member of the objects; its type is the narrowest that all of its values have. ' +
      'Numbers that begin with a zero are texts. Where a line cannot be written no table is made.',
  })
  @ApiCreatedResponse({ type: ImportTableAnswerDto })
  @ApiProblems(
    'not_found',
    'role_too_low',
    'bad_request',
    'validation_failed',
    'import_failed',
    'name_taken',
    'limit_reached',
    'conflict',
    'payload_too_large',
    'unsupported_media_type',
    'schema_busy',
    'overloaded',
  )
  import(
    @CurrentAccess() access: Access,
    @Param('baseId', IdPipe) baseId: Id,
    @Query() query: ImportTableQuery,
    @Req() request: AppRequest,
  ) {
    return this.imports.import(access, baseId, query, request);
  }
}
