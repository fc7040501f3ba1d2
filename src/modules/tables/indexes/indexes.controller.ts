import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  CurrentAccess,
  IdPipe,
  PageQuery,
  Requires,
  type Access,
  type Id,
} from '../../../common/index.js';
import { HonoursRules } from '../rules/honours-rules.js';
import { IndexAdvice } from './index-advice.js';
import { CreateIndexDto, IndexAdviceListDto, IndexDto, IndexListDto } from './index.dto.js';
import { IndexesService } from './indexes.service.js';

@ApiTags('Indexes')
@ApiBearerAuth()
@Controller('tables/:tableId/indexes')
export class IndexesController {
  constructor(
    private readonly indexes: IndexesService,
    private readonly advice: IndexAdvice,
  ) {}

  @Get()
  @HonoursRules()
  @Requires('structure:read')
  @ApiOperation({
    summary: 'List the indexes of a table',
    description:
      'Those of its primary key and unique columns, too, first of all. Whoever sees part of the table by its rules is told those all of whose columns he sees, and none that failed.',
  })
  @ApiOkResponse({ type: IndexListDto })
  @ApiProblems('not_found', 'cursor_invalid')
  list(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Query() page: PageQuery) {
    return this.indexes.list(access, tableId, page);
  }

  @Post()
  @HttpCode(202)
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Add an index',
    description: 'It is built in the background, while rows are read and written; `state` says how far it is.',
  })
  @ApiBody({
    type: CreateIndexDto,
    examples: {
      sort: { summary: 'For pages in this order', value: { columns: [{ field: 'due', dir: 'desc' }], kind: 'sort' } },
      unique: {
        summary: 'No two rows of the same',
        value: { columns: [{ field: 'name' }, { field: 'due' }], unique: true },
      },
    },
  })
  @ApiAcceptedResponse({ type: IndexDto })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed', 'conflict', 'limit_reached', 'not_implemented')
  create(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Body() body: CreateIndexDto) {
    return this.indexes.create(access, tableId, body);
  }

  @Get('advice')
  @Requires('structure:read')
  @ApiOperation({
    summary: 'Which indexes would help',
    description:
      'From how the table was filtered and sorted in the last 30 days. Nothing for less than about 10,000 rows.',
  })
  @ApiOkResponse({ type: IndexAdviceListDto })
  @ApiProblems('not_found', 'cursor_invalid')
  listAdvice(@Param('tableId', IdPipe) tableId: Id, @Query() page: PageQuery) {
    return this.advice.list(tableId, page);
  }

  @Delete(':indexId')
  @HttpCode(202)
  @Requires('structure:change')
  @ApiOperation({ summary: 'Drop an index', description: 'In the background; until then its state is `dropping`.' })
  @ApiAcceptedResponse()
  @ApiProblems('not_found', 'role_too_low', 'conflict')
  async remove(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('indexId', IdPipe) indexId: Id,
  ): Promise<void> {
    await this.indexes.remove(access, tableId, indexId);
  }
}
