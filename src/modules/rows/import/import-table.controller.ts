import { Controller, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentAccess, IdPipe, Requires, type Access, type AppRequest, type Id } from '../../../common/index.js';
import { TakesFile } from './describe-import.js';
import { ImportTableAnswerDto, ImportTableQuery } from './import.dto.js';
import { ImportService } from './import.service.js';

@ApiTags('Tables')
@ApiBearerAuth()
@Controller('bases/:baseId/import')
export class ImportTableController {
  constructor(private readonly imports: ImportService) {}

  @Post()
  @Requires('structure:change')
  @TakesFile('name_taken', 'conflict')
  @ApiOperation({
    summary: 'Create a table from a file',
    description:
      'A column for each of the header, or for each member of the objects; its type is the narrowest that all of its values have. ' +
      'Numbers that begin with a zero are texts. Where a line cannot be written no table is made.',
  })
  @ApiCreatedResponse({ type: ImportTableAnswerDto })
  import(
    @CurrentAccess() access: Access,
    @Param('baseId', IdPipe) baseId: Id,
    @Query() query: ImportTableQuery,
    @Req() request: AppRequest,
  ) {
    return this.imports.table(access, baseId, query, request);
  }
}
