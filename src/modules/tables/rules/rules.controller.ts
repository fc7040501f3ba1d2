import { Body, Controller, Get, Headers, Param, Put, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  Answer,
  ApiProblems,
  CurrentAccess,
  expectedVersion,
  IdPipe,
  Requires,
  type Access,
  type Id,
} from '../../../common/index.js';
import { ExplainRules } from './explain.service.js';
import { ExplainedRulesDto, ExplainRulesQuery, PutRulesDto, RulesDto } from './rules.dto.js';
import { RulesService } from './rules.service.js';

const ETAG = { ETag: { description: 'The version of the rules', schema: { type: 'string' as const, example: '"3"' } } };

@ApiTags('Rules')
@ApiBearerAuth()
@Controller('tables/:tableId/rules')
export class RulesController {
  constructor(
    private readonly rules: RulesService,
    private readonly explanations: ExplainRules,
  ) {}

  @Get()
  @Requires('rules:manage')
  @ApiOperation({ summary: 'The rules of a table: who sees and changes which rows and columns' })
  @ApiOkResponse({ type: RulesDto, headers: ETAG })
  @ApiProblems('not_found', 'role_too_low')
  async get(@Param('tableId', IdPipe) tableId: Id): Promise<Answer<RulesDto>> {
    return withVersion(await this.rules.get(tableId));
  }

  @Put()
  @Requires('rules:manage')
  @ApiOperation({
    summary: 'Give a table other rules',
    description:
      'A rule is for whoever has one of its roles or is one of its members; owners and admins are never kept from anything. Where no rule is for somebody the role ' +
      'decides; of several each adds rows, and a column is hidden where all hide it. Rules hold for everything that shows or changes rows, at once on every node.',
  })
  @ApiHeader({ name: 'If-Match', required: false, description: 'Only if the rules have this version', example: '"3"' })
  @ApiOkResponse({ type: RulesDto, headers: ETAG })
  @ApiProblems('not_found', 'role_too_low', 'bad_request', 'validation_failed', 'version_mismatch', 'schema_busy')
  async put(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Body() body: PutRulesDto,
    @Headers('If-Match') ifMatch?: string,
  ): Promise<Answer<RulesDto>> {
    return withVersion(await this.rules.put(access, tableId, body, expectedVersion(ifMatch).expectedVersion));
  }

  @Get('explain')
  @Requires('rules:manage')
  @ApiOperation({
    summary: 'What a member sees of the table, and why',
    description: 'With `rowId` also which rule lets the member read, change or delete that row.',
  })
  @ApiOkResponse({ type: ExplainedRulesDto })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed')
  explain(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Query() query: ExplainRulesQuery,
  ): Promise<ExplainedRulesDto> {
    return this.explanations.explain(access, tableId, query);
  }
}

const withVersion = (rules: RulesDto): Answer<RulesDto> =>
  new Answer(rules, { headers: { etag: `"${rules.version}"` } });
