import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  created,
  CurrentAccess,
  CurrentCaller,
  PageQuery,
  Requires,
  SignedIn,
  type Access,
  type Answer,
  type Caller,
} from '../../common/index.js';
import { CreateWorkspaceDto, UpdateWorkspaceDto, WorkspaceDto, WorkspaceListDto } from './dto/workspaces.dto.js';
import { WorkspacesService } from './workspaces.service.js';

const WorkspaceIdParam = () => ApiParam({ name: 'workspaceId', format: 'uuid' });

@ApiTags('Workspaces')
@Controller('workspaces')
export class WorkspacesController {
  constructor(private readonly workspaces: WorkspacesService) {}

  @Post()
  @SignedIn()
  @ApiOperation({ summary: 'Create a workspace; you become its owner' })
  @ApiCreatedResponse({ type: WorkspaceDto })
  async create(@CurrentCaller() caller: Caller, @Body() body: CreateWorkspaceDto): Promise<Answer<WorkspaceDto>> {
    const workspace = await this.workspaces.create(caller, body);
    return created(`/workspaces/${workspace.id}`, workspace);
  }

  @Get()
  @SignedIn()
  @ApiOperation({ summary: 'The workspaces that you are a member of, oldest first' })
  @ApiProblems('cursor_invalid')
  list(@CurrentCaller() caller: Caller, @Query() query: PageQuery): Promise<WorkspaceListDto> {
    return this.workspaces.list(caller, query);
  }

  @Get(':workspaceId')
  @Requires('workspace:read')
  @WorkspaceIdParam()
  @ApiOperation({ summary: 'One workspace' })
  get(@CurrentAccess() access: Access): Promise<WorkspaceDto> {
    return this.workspaces.get(access);
  }

  @Patch(':workspaceId')
  @Requires('workspace:update')
  @WorkspaceIdParam()
  @ApiOperation({ summary: 'Rename a workspace' })
  update(@CurrentAccess() access: Access, @Body() body: UpdateWorkspaceDto): Promise<WorkspaceDto> {
    return this.workspaces.update(access, body);
  }

  @Delete(':workspaceId')
  @Requires('workspace:delete')
  @HttpCode(204)
  @WorkspaceIdParam()
  @ApiOperation({ summary: 'Delete a workspace with everything in it' })
  @ApiNoContentResponse({ description: 'Deleted.' })
  remove(@CurrentAccess() access: Access): Promise<void> {
    return this.workspaces.remove(access);
  }
}
