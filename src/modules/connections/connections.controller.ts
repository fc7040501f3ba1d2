import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import {
  ApiProblems,
  created,
  CurrentAccess,
  IdPipe,
  LimitedBy,
  PageQuery,
  Requires,
  type Access,
  type Id,
} from '../../common/index.js';
import { ConnectionDto, ConnectionListDto, CreateConnectionDto, UpdateConnectionDto } from './connection.dto.js';
import { ConnectionsService } from './connections.service.js';

@ApiTags('Connections')
@ApiBearerAuth()
@Controller()
export class ConnectionsController {
  constructor(private readonly connections: ConnectionsService) {}

  @Get('workspaces/:workspaceId/connections')
  @Requires('connections:read')
  @ApiOperation({
    summary: 'List the connections of a workspace, oldest first',
    description: 'Everybody sees what there is; only admins see where it is.',
  })
  @ApiOkResponse({ type: ConnectionListDto })
  @ApiProblems('cursor_invalid')
  list(@CurrentAccess() access: Access, @Param('workspaceId', IdPipe) _workspaceId: Id, @Query() query: PageQuery) {
    return this.connections.list(access, query);
  }

  @Post('workspaces/:workspaceId/connections')
  @Requires('connections:manage')
  @LimitedBy('connect')
  @ApiOperation({
    summary: 'Connect an external database',
    description: 'Nothing is connected to yet. The password is kept encrypted and never given back.',
  })
  @ApiCreatedResponse({ type: ConnectionDto })
  @ApiProblems('name_taken', 'host_not_allowed', 'limit_reached')
  async create(
    @CurrentAccess() access: Access,
    @Param('workspaceId', IdPipe) _workspaceId: Id,
    @Body() body: CreateConnectionDto,
  ) {
    const connection = await this.connections.create(access, body);
    return created(`/connections/${connection.id}`, connection);
  }

  @Get('connections/:connectionId')
  @Requires('connections:read')
  @ApiOperation({ summary: 'Read a connection' })
  @ApiOkResponse({ type: ConnectionDto })
  get(@CurrentAccess() access: Access, @Param('connectionId', IdPipe) connectionId: Id) {
    return this.connections.get(access, connectionId);
  }

  @Patch('connections/:connectionId')
  @Requires('connections:manage')
  @LimitedBy('connect')
  @ApiOperation({
    summary: 'Change a connection',
    description: 'Another engine, host or port takes the password again: it is not sent where it was not given for.',
  })
  @ApiOkResponse({ type: ConnectionDto })
  @ApiProblems('name_taken', 'host_not_allowed')
  update(
    @CurrentAccess() access: Access,
    @Param('connectionId', IdPipe) connectionId: Id,
    @Body() body: UpdateConnectionDto,
  ) {
    return this.connections.update(access, connectionId, body);
  }

  @Delete('connections/:connectionId')
  @HttpCode(204)
  @Requires('connections:manage')
  @ApiOperation({ summary: 'Remove a connection', description: 'At once and for good; its database is not touched.' })
  @ApiNoContentResponse({ description: 'Removed.' })
  async remove(@CurrentAccess() access: Access, @Param('connectionId', IdPipe) connectionId: Id): Promise<void> {
    await this.connections.remove(access, connectionId);
  }
}
