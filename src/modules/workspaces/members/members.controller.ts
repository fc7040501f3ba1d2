import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiExtraModels,
  ApiNoContentResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import {
  ApiProblems,
  created,
  CurrentAccess,
  IdPipe,
  PageQuery,
  Requires,
  type Access,
  type Answer,
  type Id,
} from '../../../common/index.js';
import { AddMemberDto, InvitedDto, MemberDto, MemberListDto, UpdateMemberDto } from '../dto/members.dto.js';
import { MembersService } from './members.service.js';

@ApiTags('Members')
@ApiParam({ name: 'workspaceId', format: 'uuid' })
@Controller('workspaces/:workspaceId/members')
export class MembersController {
  constructor(private readonly members: MembersService) {}

  @Get()
  @Requires('members:read')
  @ApiOperation({ summary: 'The members of a workspace, oldest membership first' })
  @ApiProblems('cursor_invalid')
  list(@CurrentAccess() access: Access, @Query() query: PageQuery): Promise<MemberListDto> {
    return this.members.list(access, query);
  }

  @Post()
  @Requires('members:manage')
  @ApiOperation({
    summary: 'Add somebody who has an account, invite anybody else',
    description:
      'Somebody with an account is a member at once (`status: active`). For any other address an invitation is made (`status: invited`); its link is in `inviteUrl`, this once, and is mailed when a mail server is configured. A new invitation replaces an open one for the same address. Only an owner can give `admin` and `owner`.',
  })
  @ApiExtraModels(MemberDto, InvitedDto)
  @ApiCreatedResponse({ schema: { oneOf: [MemberDto, InvitedDto].map((dto) => ({ $ref: getSchemaPath(dto) })) } })
  @ApiProblems('already_member', 'conflict')
  async add(@CurrentAccess() access: Access, @Body() body: AddMemberDto): Promise<Answer<MemberDto | InvitedDto>> {
    const made = await this.members.add(access, body);
    const where = made.status === 'invited' ? 'invitations' : 'members';
    return created(`/workspaces/${access.workspaceId}/${where}/${made.id}`, made);
  }

  @Get(':memberId')
  @Requires('members:read')
  @ApiParam({ name: 'memberId', format: 'uuid' })
  @ApiOperation({ summary: 'One member' })
  get(@CurrentAccess() access: Access, @Param('memberId', IdPipe) memberId: Id): Promise<MemberDto> {
    return this.members.get(access, memberId);
  }

  @Patch(':memberId')
  @Requires('members:manage')
  @ApiParam({ name: 'memberId', format: 'uuid' })
  @ApiOperation({
    summary: 'Give a member another role, or other attributes',
    description: 'Only an owner can give or take `admin` and `owner`. A workspace keeps at least one owner.',
  })
  @ApiProblems('last_owner')
  update(
    @CurrentAccess() access: Access,
    @Param('memberId', IdPipe) memberId: Id,
    @Body() body: UpdateMemberDto,
  ): Promise<MemberDto> {
    return this.members.update(access, memberId, body);
  }

  @Delete(':memberId')
  @Requires('members:leave')
  @HttpCode(204)
  @ApiParam({ name: 'memberId', format: 'uuid' })
  @ApiOperation({
    summary: 'Remove a member (admins), or leave (anybody)',
    description: 'A workspace keeps at least one owner.',
  })
  @ApiNoContentResponse({ description: 'Removed.' })
  @ApiProblems('role_too_low', 'last_owner')
  remove(@CurrentAccess() access: Access, @Param('memberId', IdPipe) memberId: Id): Promise<void> {
    return this.members.remove(access, memberId);
  }
}
