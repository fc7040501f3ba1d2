import { ROLES, TOKEN_SCOPES, type Access, type Role, type TokenGrant, type TokenScope } from './access.js';
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
  /** To undo what others did, in many rows at once. One row, and what oneself did, is `rows:write`. */
  'changes:revert': 'admin',
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
  /** To have addresses told of changes, and to see which are. */
  'webhooks:manage': 'admin',
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof PERMISSIONS;

/** Whether somebody of this role has the permission. */
export const mayDo = (role: Role, permission: Permission): boolean =>
  ROLES.indexOf(role) <= ROLES.indexOf(PERMISSIONS[permission]);

/**
 * The weakest scope that a personal token needs for each permission, whoever its person is. What is not about data, and what lets
 * others in or shows who did what, is `manage`, also where it only reads.
 */
export const SCOPES = {
  'workspace:read': 'read',
  'workspace:update': 'manage',
  'workspace:delete': 'manage',
  'workspace:transfer': 'manage',
  'members:read': 'read',
  'members:manage': 'manage',
  'members:leave': 'manage',
  'invitations:manage': 'manage',
  'audit:read': 'manage',
  'structure:read': 'read',
  'structure:change': 'manage',
  'rules:manage': 'manage',
  'rows:read': 'read',
  'rows:write': 'write',
  'changes:revert': 'write',
  'connections:read': 'read',
  'connections:manage': 'manage',
  'external:read': 'read',
  'external:write': 'write',
  'views:read': 'read',
  'views:write': 'write',
  'views:publish': 'manage',
  'webhooks:manage': 'manage',
} as const satisfies Record<Permission, TokenScope>;

/** Throws `token_scope_too_low` for a personal token whose scope does not cover this one. A session covers all. */
export function requireScope(token: TokenGrant | undefined, needed: TokenScope): void {
  if (!token || TOKEN_SCOPES.indexOf(token.scope) >= TOKEN_SCOPES.indexOf(needed)) return;
  throw new Problem('token_scope_too_low', {
    detail: `This needs a personal token of the scope ${needed}; that of this one is ${token.scope}.`,
  });
}

/** Throws `role_too_low` or `token_scope_too_low`: the one judgement of whether an access includes a permission. */
export function requirePermission(access: Pick<Access, 'role' | 'principal'>, needed: Permission): void {
  if (!mayDo(access.role, needed)) throw roleTooLow(PERMISSIONS[needed], access.role);
  requireScope(access.principal.token, SCOPES[needed]);
}

/** 403 for a member whose role does not have the permission. */
export const roleTooLow = (needed: Role, role: Role): Problem =>
  new Problem('role_too_low', { detail: `This needs the role ${needed}; yours is ${role}.` });
