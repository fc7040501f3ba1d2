import { Injectable } from '@nestjs/common';
import { isId, must, notFound, type Id } from '../../../common/index.js';

/**
 * Finds the workspace that a thing is in; undefined when there is no such thing, or none that this person may know of whatever the role.
 * Called on every request: answer from memory.
 */
export type Locate = (id: Id, userId: Id) => Promise<Id | undefined>;

/** The workspace that a route leads to, and the word for what was asked for. */
export interface Located {
  readonly workspaceId: Id;
  readonly what: string;
}

/** Knows for each id parameter of routes (`tableId`, `baseId`, …) how to find the workspace. Modules register their own. */
@Injectable()
export class ResourceRegistry {
  private readonly locators = new Map<string, Locate>([['workspaceId', (id) => Promise.resolve(id)]]);

  /** Teaches one route parameter; once per parameter, at the start. */
  register(param: string, locate: Locate): void {
    if (this.locators.has(param)) throw new Error(`Route parameter ${param} is registered already.`);
    this.locators.set(param, locate);
  }

  /**
   * The workspace that the path's ids lead to. Throws `not_found` for what is not an id or names nothing, and for ids
   * that lead to different workspaces: a thing is not found below a workspace that it is not in.
   */
  async locate(params: Readonly<Record<string, string>>, userId: Id): Promise<Located> {
    let found: Located | undefined;
    for (const [param, id] of Object.entries(params)) {
      const locate = this.locators.get(param);
      if (!locate) continue;
      const what = param
        .replace(/Id$/, '')
        .replace(/^trashed/, '')
        .toLowerCase();
      const workspaceId = isId(id) ? await locate(id, userId) : undefined;
      if (workspaceId === undefined || (found && found.workspaceId !== workspaceId)) throw notFound(what);
      found = { workspaceId, what };
    }
    return must(found, 'a route with @Requires has a parameter that is registered');
  }
}
