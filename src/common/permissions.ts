import { ROLES, type Role } from './access.js';
import { Problem } from './errors/index.js';

/**
 * What may be done in a workspace, and the weakest role that may do it: the one table of rights. Routes and socket messages
 * name a permission, never a role. Which roles somebody may give to others is `GRANTABLE` beside the members.
 */
export const PERMISSIONS = {
  'workspace:read': 'viewer',
  'workspace:update': 'admin',
  'workspace:delete': 'owner',
  'workspace:transfer': 'owner',
  'members:read': 'viewer',
  'members:manage': 'admin',
  /** To go oneself; to make others go takes `members:manage` and is decided with the role of the member. */
  'members:leave': 'viewer',
  'invitations:manage': 'admin',
  'audit:read': 'admin',
  /** Bases, tables and columns. */
  'structure:read': 'viewer',
  'structure:change': 'admin',
  /** Who sees and changes which rows and columns of a table. */
  'rules:manage': 'admin',
  'rows:read': 'viewer',
  'rows:write': 'editor',
  /** That there are connections, and what is in their databases. */
  'connections:read': 'viewer',
  /** Also to see where they lead. */
  'connections:manage': 'admin',
  'external:read': 'viewer',
  'external:write': 'editor',
  'views:read': 'viewer',
  'views:write': 'editor',
  /** To show views to the world, and to see how. */
  'views:publish': 'admin',
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof PERMISSIONS;

/** Whether somebody of this role has the permission. */
export const mayDo = (role: Role, permission: Permission): boolean =>
  ROLES.indexOf(role) <= ROLES.indexOf(PERMISSIONS[permission]);

/** 403 for a member whose role does not have the permission. */
export const roleTooLow = (needed: Role, role: Role): Problem =>
  new Problem('role_too_low', { detail: `This needs the role ${needed}; yours is ${role}.` });
