import { Controller, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentAccess, IdPipe, Requires, type Access, type AppRequest, type Id } from '../../../common/index.js';
import { HonoursRules } from '../../tables/index.js';
import { TakesFile } from './describe-import.js';
import { ImportAnswerDto, ImportRowsQuery } from './import.dto.js';
import { ImportService } from './import.service.js';

@ApiTags('Rows')
@ApiBearerAuth()
@Controller('tables/:tableId/import')
export class ImportController {
  constructor(private readonly imports: ImportService) {}

  @Post()
  @HttpCode(200)
  @Requires('rows:write')
  @HonoursRules()
  @TakesFile()
  @ApiOperation({
    summary: 'Import rows from a file',
    description:
      'CSV with a header line, or one JSON object of fields a line; columns are found by their keys, then by their names. ' +
      'In CSV nothing between two delimiters is null and `""` the empty text; a select is its key or label, a person an id or the address of a member, a list a JSON list or elements with commas between. ' +
      'Every thousand rows take a number of the live stream; with `onError=abort` all of them become visible together. ' +
      'The same file under the same `Idempotency-Key` is imported once: one that was cut off goes on behind what is written.',
  })
  @ApiOkResponse({ type: ImportAnswerDto })
  import(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Query() query: ImportRowsQuery,
    @Req() request: AppRequest,
  ) {
    return this.imports.rows(access, tableId, query, request);
  }
}
