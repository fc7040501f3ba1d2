import type { OpenAPIObject } from '@nestjs/swagger';
import { PERMISSIONS, ROLES, X_PERMISSION, type Permission, type Role } from '../common/index.js';
import { extensionOf, operationsOf, type Operation } from './operations.js';

/** Says in the description of every operation that needs a permission which one, who has it, and what the others get. */
export function describeAccess(document: OpenAPIObject): void {
  for (const { operation } of operationsOf(document)) {
    const permission = permissionOf(operation);
    if (permission === undefined) continue;
    const sentence = sentenceOf(permission);
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

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
