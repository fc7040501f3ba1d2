import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  CurrentAccess,
  IdPipe,
  LimitedBy,
  Requires,
  type Access,
  type Id,
} from '../../../common/index.js';
import { ConnectionSchemaDto, SchemaQuery } from './schema.dto.js';
import { ConnectionSchemas } from './schemas.service.js';
import { toSchemaDto } from './to-schema-dto.js';

@ApiTags('Connections')
@ApiBearerAuth()
@Controller()
export class ConnectionSchemaController {
  constructor(private readonly schemas: ConnectionSchemas) {}

  @Get('connections/:connectionId/schema')
  @Requires('connections:read')
  @LimitedBy('external')
  @ApiOperation({
    summary: 'What is in the database of a connection',
    description:
      'As it was found the last time, unless that is too old or `refresh=true`; `drift` is how it differed then from the time before.',
  })
  @ApiOkResponse({ type: ConnectionSchemaDto })
  @ApiProblems('host_not_allowed', 'source_unreachable', 'source_failed', 'source_busy', 'source_timeout')
  async schema(
    @CurrentAccess() { workspaceId }: Access,
    @Param('connectionId', IdPipe) connectionId: Id,
    @Query() { refresh }: SchemaQuery,
  ): Promise<ConnectionSchemaDto> {
    const asked = refresh === 'true' ? 'refresh' : 'find';
    return toSchemaDto(await this.schemas[asked](workspaceId, connectionId));
  }
}
