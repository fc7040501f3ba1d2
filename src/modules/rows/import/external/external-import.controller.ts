import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentAccess, IdPipe, LimitedBy, Requires, type Access, type Id } from '../../../../common/index.js';
import { HonoursRules } from '../../../tables/index.js';
import { ImportJobDto } from '../jobs/import-job.dto.js';
import { TakesExternalRows } from './describe-external-import.js';
import { ExternalRowsImportDto, ExternalTableDto } from './external-import.dto.js';
import { ExternalImports } from './external-import.service.js';

@ApiTags('Rows')
@ApiBearerAuth()
@Controller()
export class ExternalImportController {
  constructor(private readonly imports: ExternalImports) {}

  @Post('tables/:tableId/import/external')
  @HttpCode(202)
  @Requires('rows:write')
  @HonoursRules()
  @LimitedBy('external')
  @TakesExternalRows()
  @ApiOperation({
    summary: 'Import rows from an external database',
    description:
      'In the background, all rows that the query finds; columns are found by the keys of the query, then by the names of the table. ' +
      'All rows are read before the first is written, each page for itself: what changes there meanwhile is read before or after. ' +
      'Of moments that are finer there the milliseconds are kept. ' +
      'When the external database fails, the import ends as `failed` with its problem and nothing is written.',
  })
  @ApiAcceptedResponse({ type: ImportJobDto, description: '`Location` is where to look how far it is.' })
  rows(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Body() body: ExternalRowsImportDto) {
    return this.imports.rows(access, tableId, body);
  }

  @Post('bases/:baseId/import/external')
  @HttpCode(202)
  @Requires('structure:change')
  @LimitedBy('external')
  @TakesExternalRows()
  @ApiOperation({
    summary: 'Create a table from an external database',
    description:
      'In the background, with a column for each of the query, of the type that the schema of the connection names. ' +
      'Of moments that are finer there the milliseconds are kept. ' +
      'Where a row cannot be written, or the external database fails, no table is made.',
  })
  @ApiAcceptedResponse({ type: ImportJobDto, description: '`Location` is where to look how far it is.' })
  table(@CurrentAccess() access: Access, @Param('baseId', IdPipe) baseId: Id, @Body() body: ExternalTableDto) {
    return this.imports.table(access, baseId, body);
  }
}
