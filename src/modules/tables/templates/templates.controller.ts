import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  created,
  CurrentAccess,
  IdPipe,
  PageQuery,
  Requires,
  SignedIn,
  type Access,
  type Id,
} from '../../../common/index.js';
import { HonoursRules } from '../rules/honours-rules.js';
import { BaseDto } from '../bases/base.dto.js';
import { EXAMPLES } from './examples.js';
import { ExportQuery, FromTemplateDto, TemplateDto, TemplateListDto } from './template.dto.js';
import { TemplatesService } from './templates.service.js';

@ApiTags('Templates')
@ApiBearerAuth()
@Controller()
export class TemplatesController {
  constructor(private readonly templates: TemplatesService) {}

  @Get('templates')
  @SignedIn({ tokens: 'read' })
  @ApiOperation({ summary: 'List the templates that come with the product' })
  @ApiOkResponse({ type: TemplateListDto })
  @ApiProblems('cursor_invalid')
  list(@Query() page: PageQuery) {
    return this.templates.list(page);
  }

  @Post('workspaces/:workspaceId/bases/from-template')
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Create a base from a template',
    description:
      'All tables, columns, links, sample rows and views at once, or nothing. Columns may be listed in any order, also before those that they lead to. ' +
      'The views are of the workspace and belong to the caller; one whose name is taken there is called after the base, too: `Open deals (CRM)`.',
  })
  @ApiBody({ type: FromTemplateDto, examples: EXAMPLES })
  @ApiCreatedResponse({ type: BaseDto })
  @ApiProblems(
    'not_found',
    'role_too_low',
    'validation_failed',
    'name_taken',
    'unique_violation',
    'limit_reached',
    'schema_busy',
  )
  async create(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Body() body: FromTemplateDto,
  ) {
    const base = await this.templates.create(access, body);
    return created(`/bases/${base.id}`, base);
  }

  @Get('bases/:baseId/template')
  @HonoursRules()
  @Requires('rows:read')
  @ApiOperation({
    summary: 'Export a base as a template',
    description:
      'With `withRows=true` the oldest rows too, at most 1,000 of a table and 5,000 in all. People, files and indexes are left out; a column that ' +
      'requires one of them is not required in a document with rows, so that every document can be used. ' +
      'Views are those of the workspace that read tables of this base and nothing else, and name nobody and no row by id; `viewsLeftOut` names the others that begin with a table of it. Private views stay with their owners. Rules of tables are no part of it; whoever sees part of a table gets what he sees of it, columns and rows.',
  })
  @ApiOkResponse({ type: TemplateDto })
  @ApiProblems('not_found', 'validation_failed')
  export(@CurrentAccess() access: Access, @Param('baseId', IdPipe) baseId: Id, @Query() { withRows }: ExportQuery) {
    return this.templates.export(access, baseId, withRows === 'true');
  }
}
