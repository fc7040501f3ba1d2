import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  created,
  CurrentAccess,
  CurrentCaller,
  IdPipe,
  PageQuery,
  Requires,
  SignedIn,
  type Access,
  type Answer,
  type Caller,
  type Id,
} from '../../common/index.js';
import {
  CreateWorkspaceDto,
  TransferDto,
  UpdateWorkspaceDto,
  WorkspaceDto,
  WorkspaceListDto,
} from './dto/workspaces.dto.js';
import { MembersService } from './members/members.service.js';
import { WorkspacesService } from './workspaces.service.js';

const WorkspaceIdParam = () => ApiParam({ name: 'workspaceId', format: 'uuid' });

@ApiTags('Workspaces')
@Controller('workspaces')
export class WorkspacesController {
  constructor(
    private readonly workspaces: WorkspacesService,
    private readonly members: MembersService,
  ) {}

  @Post()
  @SignedIn()
  @ApiOperation({ summary: 'Create a workspace; you become its owner' })
  @ApiCreatedResponse({ type: WorkspaceDto })
  async create(@CurrentCaller() caller: Caller, @Body() body: CreateWorkspaceDto): Promise<Answer<WorkspaceDto>> {
    const workspace = await this.workspaces.create(caller, body);
    return created(`/workspaces/${workspace.id}`, workspace);
  }

  @Get()
  @SignedIn({ tokens: 'read' })
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
  @ApiOperation({
    summary: 'Delete a workspace with everything in it',
    description: 'Nobody can reach it any more. An owner can bring it back for 30 days; then it is purged.',
  })
  @ApiNoContentResponse({ description: 'Deleted.' })
  remove(@CurrentAccess() access: Access): Promise<void> {
    return this.workspaces.remove(access);
  }

  @Post(':workspaceId/transfer')
  @Requires('workspace:transfer')
  @HttpCode(200)
  @WorkspaceIdParam()
  @ApiOperation({
    summary: 'Hand the workspace over to another member',
    description: 'In one step the member becomes an owner and you become an admin. Other owners stay what they are.',
  })
  @ApiProblems('conflict')
  async transfer(@CurrentAccess() access: Access, @Body() { memberId }: TransferDto): Promise<WorkspaceDto> {
    await this.members.transfer(access, memberId);
    return this.workspaces.get({ ...access, role: 'admin' });
  }

  @Post(':trashedWorkspaceId/restore')
  @SignedIn()
  @HttpCode(200)
  @ApiParam({ name: 'trashedWorkspaceId', format: 'uuid' })
  @ApiOperation({
    summary: 'Bring a deleted workspace back',
    description: 'For its owners, until it is purged. Members, bases and rows are as they were.',
  })
  @ApiProblems('role_too_low')
  restore(
    @CurrentCaller() caller: Caller,
    @Param('trashedWorkspaceId', IdPipe) workspaceId: Id,
  ): Promise<WorkspaceDto> {
    return this.workspaces.restore(caller, workspaceId);
  }
}
