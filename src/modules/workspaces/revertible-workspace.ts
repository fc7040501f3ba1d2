import { Injectable } from '@nestjs/common';
import type { Access, Id, Revertible } from '../../common/index.js';
import { WorkspacesService } from './workspaces.service.js';

/** How changes of a workspace's settings are taken back. */
@Injectable()
export class RevertibleWorkspace implements Revertible {
  readonly permission = 'workspace:update';
  readonly fields = ['name', 'timeZone', 'historyDays'];

  constructor(private readonly workspaces: WorkspacesService) {}

  update(access: Access, _id: Id, fields: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.workspaces.update(access, fields);
  }
}
