import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  CurrentAccess,
  IdPipe,
  Requires,
  type Access,
  type AppRequest,
  type Id,
} from '../../../common/index.js';
import { HonoursRules, ViewedAs } from '../../tables/index.js';
import { ExportQuery } from './export-query.dto.js';
import { ExportService } from './export.service.js';

@HonoursRules()
@ApiTags('Rows')
@ApiBearerAuth()
@Controller('tables/:tableId/export')
export class ExportController {
  constructor(private readonly exports: ExportService) {}

  @Get()
  @Requires('rows:read')
  @ViewedAs()
  @ApiOperation({
    summary: 'Export rows as a file',
    description:
      'CSV (RFC 4180, UTF-8) that the import takes as it is, or one row in JSON a line. All rows that the filter finds, as they are at one moment; with `asOf` as they were then, without what a list of rows leaves out. ' +
      'In CSV nothing between two commas is null and `""` the empty text; lists are JSON lists, selects their keys, and texts that a spreadsheet would take for a formula get a leading apostrophe.',
  })
  @ApiOkResponse({
    description: 'The file; a connection that ends early means that it is not whole.',
    content: { 'text/csv': { schema: { type: 'string' } }, 'application/x-ndjson': { schema: { type: 'string' } } },
  })
  @ApiProblems(
    'not_found',
    'invalid_syntax',
    'filter_invalid',
    'sort_invalid',
    'validation_failed',
    'overloaded',
    'schema_busy',
    'changes_gone',
  )
  export(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Query() query: ExportQuery,
    @Req() request: AppRequest,
  ) {
    return this.exports.export(access, tableId, query, request);
  }
}
