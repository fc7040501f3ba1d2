import type { Access } from '../../../common/index.js';

/** For whom a view is read: somebody in the workspace, or nobody in particular where the view is published. */
export type Reader = Pick<Access, 'workspaceId' | 'timeZone'> & Partial<Pick<Access, 'principal'>>;
