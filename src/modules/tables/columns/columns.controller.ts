import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBearerAuth,
  ApiBody,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import {
  accepted,
  ApiProblems,
  created,
  CurrentAccess,
  IdPipe,
  Requires,
  type Access,
  type Id,
} from '../../../common/index.js';
import { HonoursRules } from '../rules/honours-rules.js';
import {
  ColumnDto,
  ColumnListDto,
  ColumnsQuery,
  CreateColumnDto,
  RestoreColumnDto,
  UpdateColumnDto,
} from './column.dto.js';
import { BackgroundConversions } from './convert/background/background-conversions.service.js';
import { Conversions } from './convert/conversions.service.js';
import { ColumnConversionDto, ConversionReportDto, ConvertColumnDto } from './convert/convert.dto.js';
import { CONVERSION_ANSWERS, CONVERT_ANSWERS, CONVERT_BODIES, PROGRESS_ANSWERS } from './convert/examples.js';
import { ColumnTrash } from './column-trash.service.js';
import { ColumnsService } from './columns.service.js';

@ApiTags('Columns')
@ApiBearerAuth()
@Controller('tables/:tableId/columns')
export class ColumnsController {
  constructor(
    private readonly columns: ColumnsService,
    private readonly trash: ColumnTrash,
    private readonly conversions: Conversions,
    private readonly background: BackgroundConversions,
  ) {}

  @Get()
  @HonoursRules()
  @Requires('structure:read')
  @ApiOperation({ summary: 'List the columns of a table in order, or those in its trash' })
  @ApiOkResponse({ type: ColumnListDto })
  @ApiProblems('not_found', 'cursor_invalid')
  list(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Query() { trashed, ...page }: ColumnsQuery,
  ) {
    return (trashed === 'true' ? this.trash : this.columns).list(access, tableId, page);
  }

  @Post()
  @Requires('structure:change')
  @ApiOperation({ summary: 'Add a column', description: 'Its key is derived from the name and never changes.' })
  @ApiCreatedResponse({ type: ColumnDto })
  @ApiProblems(
    'not_found',
    'role_too_low',
    'validation_failed',
    'name_taken',
    'unique_violation',
    'limit_reached',
    'schema_busy',
  )
  async create(@CurrentAccess() access: Access, @Param('tableId', IdPipe) tableId: Id, @Body() body: CreateColumnDto) {
    const column = await this.columns.create(access, tableId, body);
    return created(`/tables/${tableId}/columns`, column);
  }

  @Patch(':columnId')
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Change a column',
    description:
      'Name, description, place, default, choices and other options, required, unique. What the rows do not allow is refused with ' +
      'the number of rows or values in the way and some of them. A choice that is left out is removed, if no row holds it.',
  })
  @ApiBody({
    type: UpdateColumnDto,
    examples: {
      change: {
        summary: 'Another name and place',
        value: { name: 'Price per unit', description: 'Without tax', required: false, unique: false, position: 0 },
      },
      clear: { summary: 'No default any more', value: { default: null } },
    },
  })
  @ApiOkResponse({ type: ColumnDto })
  @ApiProblems('not_found', 'role_too_low', 'validation_failed', 'name_taken', 'rows_in_the_way', 'schema_busy')
  update(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('columnId', IdPipe) columnId: Id,
    @Body() body: UpdateColumnDto,
  ) {
    return this.columns.update(access, tableId, columnId, body);
  }

  @Delete(':columnId')
  @HttpCode(204)
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Delete a column',
    description: 'Its values are kept: for 30 days it can be restored, then it is purged.',
  })
  @ApiProblems('not_found', 'role_too_low', 'schema_busy')
  async remove(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('columnId', IdPipe) columnId: Id,
  ): Promise<void> {
    await this.columns.remove(access, tableId, columnId);
  }

  @Post(':columnId/restore')
  @HttpCode(200)
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Restore a deleted column with its values',
    description:
      'Rows made meanwhile have none. If its key was given to another column, it comes back under a new one.',
  })
  @ApiOkResponse({ type: ColumnDto })
  @ApiProblems(
    'not_found',
    'role_too_low',
    'validation_failed',
    'name_taken',
    'rows_in_the_way',
    'limit_reached',
    'schema_busy',
  )
  restore(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('columnId', IdPipe) columnId: Id,
    @Body() body: RestoreColumnDto,
  ) {
    return this.trash.restore(access, tableId, columnId, body);
  }

  @Post(':columnId/convert')
  @HttpCode(200)
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Give a column another type',
    description:
      'First with `dryRun`: how many values can be converted, which cannot, and a `confirmToken`. Then with that token: the column has the new ' +
      'type, under the same id and key. The old column stays in the trash of the table. Columns of large tables are converted in the ' +
      'background (202), while rows are read and written with the old type; `GET …/conversion` says how far it is. ' +
      'A column that has no values of its own (a lookup, rollup, count, formula, number or stamp) becomes one with the values that it shows at that ' +
      'moment; of links and files these are the titles of the rows and the names of the files. A row in the trash has no links: what they are converted to ' +
      'is empty there, and when it is restored, it has none in the old column; its history tells them. The other end of a link goes to the trash with it, and ' +
      'columns that follow the link are in its way (`link_in_the_way`). Rules are in the way where they keep from somebody what the values are made of ' +
      '(`rules_in_the_way`), unless the column itself is hidden from them. No column becomes a link, an attachment or a computed one.',
  })
  @ApiBody({ type: ConvertColumnDto, examples: CONVERT_BODIES })
  @ApiOkResponse({ content: CONVERT_ANSWERS, description: 'The column, or the report of a dry run' })
  @ApiAcceptedResponse({
    type: ColumnConversionDto,
    description: 'Begun; it goes on in the background',
    examples: CONVERSION_ANSWERS,
  })
  @ApiExtraModels(ConversionReportDto)
  @ApiProblems(
    'not_found',
    'role_too_low',
    'validation_failed',
    'confirmation_required',
    'confirmation_stale',
    'rows_in_the_way',
    'unique_violation',
    'schema_busy',
  )
  async convert(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('columnId', IdPipe) columnId: Id,
    @Body() body: ConvertColumnDto,
  ) {
    if (body.dryRun === true) return this.conversions.tryOut(tableId, columnId, body);
    const made = await this.conversions.convert(access, tableId, columnId, body);
    return 'columnId' in made ? accepted(`/tables/${tableId}/columns/${columnId}/conversion`, made) : made;
  }

  @Get(':columnId/conversion')
  @Requires('structure:read')
  @ApiOperation({
    summary: 'How far the conversion of a column is',
    description:
      'The latest one that went on, or goes on, in the background. While its table or base is in the trash it rests, and goes on when that is restored.',
  })
  @ApiOkResponse({ type: ColumnConversionDto, examples: PROGRESS_ANSWERS })
  @ApiProblems('not_found')
  conversion(@Param('tableId', IdPipe) tableId: Id, @Param('columnId', IdPipe) columnId: Id) {
    return this.background.find(tableId, columnId);
  }

  @Delete(':columnId/conversion')
  @HttpCode(202)
  @Requires('structure:change')
  @ApiOperation({
    summary: 'Cancel a conversion in the background',
    description:
      'After a 202 the column stays as it is. One that is over, or whose column is just being given its new type, is 409 `conflict`.',
  })
  @ApiAcceptedResponse({ type: ColumnConversionDto })
  @ApiProblems('not_found', 'role_too_low', 'conflict')
  cancelConversion(
    @CurrentAccess() access: Access,
    @Param('tableId', IdPipe) tableId: Id,
    @Param('columnId', IdPipe) columnId: Id,
  ) {
    return this.background.cancel(access, tableId, columnId);
  }
}
