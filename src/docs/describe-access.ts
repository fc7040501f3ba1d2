import type { OpenAPIObject } from '@nestjs/swagger';
import {
  PERMISSIONS,
  ROLES,
  X_ACCESS,
  X_PERMISSION,
  X_TOKEN_SCOPE,
  type Permission,
  type Role,
  type TokenScope,
} from '../common/index.js';
import { extensionOf, operationsOf, type Operation } from './operations.js';

/** Says in the description of every operation that is not public what it needs: which permission, who has it, what the others get, and of personal tokens which scope. */
export function describeAccess(document: OpenAPIObject): void {
  for (const { operation } of operationsOf(document)) {
    const access = extensionOf(operation, X_ACCESS);
    if (access === 'public') continue;
    const permission = permissionOf(operation);
    const sentence = `${permission === undefined ? '' : `${sentenceOf(permission)} `}${tokensOf(operation)}`;
    operation.description = operation.description ? `${operation.description}\n\n${sentence}` : sentence;
  }
}

export const permissionOf = (operation: Operation): Permission | undefined =>
  extensionOf(operation, X_PERMISSION) as Permission | undefined;

/** The strongest role that does not have the permission; undefined where every member has it. */
export function tooWeakFor(permission: Permission): Role | undefined {
  return ROLES[ROLES.indexOf(PERMISSIONS[permission]) + 1];
}

function sentenceOf(permission: Permission): string {
  const least = PERMISSIONS[permission];
  const needs = `Needs the permission \`${permission}\`: the role ${least}${least === 'owner' ? '' : ' or a stronger one'}.`;
  const weaker = tooWeakFor(permission) === undefined ? '' : ' Weaker roles get 403,';
  const outsiders = 'whoever is no member of the workspace gets 404';
  return weaker === '' ? `${needs} ${upperFirst(outsiders)}.` : `${needs}${weaker} ${outsiders}.`;
}

function tokensOf(operation: Operation): string {
  const scope = extensionOf(operation, X_TOKEN_SCOPE) as TokenScope | undefined;
  return scope === undefined
    ? 'Personal tokens are refused.'
    : `Personal tokens need the scope \`${scope}\`${scope === 'manage' ? '' : ' or a wider one'}.`;
}

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
