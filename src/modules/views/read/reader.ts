import type { Access } from '../../../common/index.js';

/** For whom a view is read: somebody in the workspace, or nobody in particular where the view is published, with the rights of those who publish. */
export type Reader = Pick<Access, 'workspaceId' | 'timeZone'> &
  (Pick<Access, 'principal' | 'role' | 'member'> | Nobody);

interface Nobody {
  readonly principal?: undefined;
}
