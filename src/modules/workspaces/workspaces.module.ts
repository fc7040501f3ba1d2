import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MailModule } from '../mail/index.js';
import { UsersModule } from '../users/index.js';
import { AccessGuard } from './access/access.guard.js';
import { AccessService } from './access/access.service.js';
import { ResourceRegistry } from './access/resource-registry.js';
import { InvitationEntity } from './invitations/invitation.entity.js';
import { InvitationsController } from './invitations/invitations.controller.js';
import { InvitationsService } from './invitations/invitations.service.js';
import { MemberEntity } from './members/member.entity.js';
import { MembersController } from './members/members.controller.js';
import { MembersService } from './members/members.service.js';
import { WorkspaceEntity } from './workspace.entity.js';
import { WorkspacePurge } from './workspace-purge.js';
import { RevertibleWorkspace } from './revertible-workspace.js';
import { WorkspacesController } from './workspaces.controller.js';
import { WorkspacesService } from './workspaces.service.js';

/** Workspaces, their members, and the rights that follow from membership; brings the global guard of `@Requires` routes. */
@Module({
  imports: [TypeOrmModule.forFeature([WorkspaceEntity, MemberEntity, InvitationEntity]), UsersModule, MailModule],
  controllers: [WorkspacesController, MembersController, InvitationsController],
  providers: [
    WorkspacesService,
    MembersService,
    InvitationsService,
    RevertibleWorkspace,
    WorkspacePurge,
    AccessService,
    ResourceRegistry,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [AccessService, ResourceRegistry, RevertibleWorkspace, WorkspacePurge],
})
export class WorkspacesModule {
  constructor(registry: ResourceRegistry, members: MembersService, invitations: InvitationsService) {
    registry.register('memberId', (id) => members.workspaceOf(id));
    registry.register('invitationId', (id) => invitations.workspaceOf(id));
  }
}
