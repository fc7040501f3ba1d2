import { Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  ApiProblems,
  created,
  CurrentAccess,
  CurrentCaller,
  IdPipe,
  LimitedBy,
  PageQuery,
  Public,
  Requires,
  SignedIn,
  type Access,
  type Answer,
  type Caller,
  type Id,
} from '../../../common/index.js';
import { InvitationDto, InvitationListDto, InvitationPreviewDto } from '../dto/invitations.dto.js';
import { AcceptedDto } from '../dto/members.dto.js';
import { InvitationsService } from './invitations.service.js';

@ApiTags('Invitations')
@Controller()
export class InvitationsController {
  constructor(private readonly invitations: InvitationsService) {}

  @Get('workspaces/:workspaceId/invitations')
  @Requires('invitations:manage')
  @ApiParam({ name: 'workspaceId', format: 'uuid' })
  @ApiOperation({ summary: 'The open invitations of a workspace, oldest first' })
  @ApiProblems('cursor_invalid')
  list(@CurrentAccess() access: Access, @Query() query: PageQuery): Promise<InvitationListDto> {
    return this.invitations.list(access, query);
  }

  @Get('workspaces/:workspaceId/invitations/:invitationId')
  @Requires('invitations:manage')
  @ApiParam({ name: 'workspaceId', format: 'uuid' })
  @ApiParam({ name: 'invitationId', format: 'uuid' })
  @ApiOperation({ summary: 'One open invitation' })
  get(@CurrentAccess() access: Access, @Param('invitationId', IdPipe) invitationId: Id): Promise<InvitationDto> {
    return this.invitations.get(access, invitationId);
  }

  @Delete('workspaces/:workspaceId/invitations/:invitationId')
  @Requires('invitations:manage')
  @HttpCode(204)
  @ApiParam({ name: 'workspaceId', format: 'uuid' })
  @ApiParam({ name: 'invitationId', format: 'uuid' })
  @ApiOperation({ summary: 'Revoke an invitation', description: 'Its link no longer works.' })
  @ApiNoContentResponse({ description: 'Revoked.' })
  revoke(@CurrentAccess() access: Access, @Param('invitationId', IdPipe) invitationId: Id): Promise<void> {
    return this.invitations.revoke(access, invitationId);
  }

  @Get('invitations/:token')
  @Public()
  @LimitedBy('auth')
  @ApiParam({ name: 'token', description: 'The last part of the link.' })
  @ApiOperation({ summary: 'What an invitation link is for; no sign-in needed' })
  @ApiProblems('not_found')
  preview(@Param('token') token: string): Promise<InvitationPreviewDto> {
    return this.invitations.preview(token);
  }

  @Post('invitations/:token/accept')
  @SignedIn()
  @LimitedBy('auth')
  @ApiParam({ name: 'token', description: 'The last part of the link.' })
  @ApiOperation({
    summary: 'Accept an invitation',
    description: 'Signed in with the address that was invited. A link works once.',
  })
  @ApiCreatedResponse({ type: AcceptedDto })
  @ApiProblems('already_member', 'invitation_for_other')
  async accept(@CurrentCaller() caller: Caller, @Param('token') token: string): Promise<Answer<AcceptedDto>> {
    const member = await this.invitations.accept(caller, token);
    return created(`/workspaces/${member.workspaceId}/members/${member.id}`, member);
  }
}
