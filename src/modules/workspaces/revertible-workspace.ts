import { Injectable } from '@nestjs/common';
import type { Revertible } from '../../common/index.js';
import { MembersService } from './members/members.service.js';
import { WorkspacesService } from './workspaces.service.js';

/** How changes of a workspace's settings and of its members are taken back. */
@Injectable()
export class RevertibleWorkspace {
  readonly workspace: Revertible;
  readonly member: Revertible;

  constructor(workspaces: WorkspacesService, members: MembersService) {
    this.workspace = {
      permission: 'workspace:update',
      fields: () => ['name', 'timeZone', 'historyDays'],
      update: (access, _id, fields) => workspaces.update(access, fields),
    };
    this.member = {
      permission: 'members:manage',
      fields: () => ['role', 'attributes'],
      ways: { 'member.added': 'delete', 'member.removed': 'restore' },
      update: (access, id, fields) => members.update(access, id, fields),
      remove: (access, id) => members.remove(access, id),
      restore: (access, id, was) => members.putBack(access, id, was),
    };
  }
}
