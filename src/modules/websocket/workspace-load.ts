import { Problem, type Id } from '../../common/index.js';

/** How many channels of each workspace the sockets of this node follow: one workspace does not take the node from all others. */
export class WorkspaceLoad {
  private readonly followed = new Map<Id, number>();

  /** @param most channels of one workspace, counted for each socket */
  constructor(private readonly most: number) {}

  /** @throws Problem `limit_reached` */
  mustHaveRoom(workspaceId: Id): void {
    if ((this.followed.get(workspaceId) ?? 0) < this.most) return;
    throw new Problem('limit_reached', {
      detail: `The sockets of a workspace may follow ${this.most} channels together; end some of them.`,
    });
  }

  add(workspaceId: Id): void {
    this.followed.set(workspaceId, (this.followed.get(workspaceId) ?? 0) + 1);
  }

  remove(workspaceId: Id): void {
    const left = (this.followed.get(workspaceId) ?? 0) - 1;
    if (left > 0) this.followed.set(workspaceId, left);
    else this.followed.delete(workspaceId);
  }
}
