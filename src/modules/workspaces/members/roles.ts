import { Problem, type Role } from '../../../common/index.js';

/** Which roles somebody of a role may give to others and take from them. What a role may otherwise do stands at the routes. */
export const GRANTABLE: Readonly<Record<Role, readonly Role[]>> = {
  owner: ['owner', 'admin', 'editor', 'viewer'],
  admin: ['editor', 'viewer'],
  editor: [],
  viewer: [],
};

/** Whether somebody of this role may give the other one. */
export const mayGrant = (acting: Role, role: Role): boolean => GRANTABLE[acting].includes(role);

/** Throws `role_too_low` unless `acting` may give or take every one of the roles. */
export function requireGrant(acting: Role, ...roles: readonly Role[]): void {
  const refused = roles.find((role) => !mayGrant(acting, role));
  if (refused === undefined) return;
  throw new Problem('role_too_low', { detail: `The role ${acting} can neither give nor take the role ${refused}.` });
}
