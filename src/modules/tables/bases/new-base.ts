import { IsNull, Not, type EntityManager } from 'typeorm';
import { deriveKey, foldName, newId, type Id } from '../../../common/index.js';
import { isUniqueViolation, type AuditEntry, type OutboxEvent } from '../../../database/main/index.js';
import { nameTaken } from '../columns/make-columns.js';
import { positionAfter } from '../in-order.js';
import { randomSuffix } from '../schema/structure.js';
import { BaseEntity } from './base.entity.js';

/** A base that is about to be; {@link placed} gives it its place. */
export function newBase(workspaceId: Id, name: string, description: string | null): BaseEntity {
  const at = new Date();
  return {
    id: newId(),
    workspaceId,
    name,
    nameFolded: foldName(name),
    description,
    color: null,
    icon: null,
    position: 0,
    schemaName: schemaNameOf(name),
    createdAt: at,
    updatedAt: at,
    deletedAt: null,
  };
}

/** @throws Problem `name_taken` */
export async function mustBeFree(
  manager: EntityManager,
  { id, workspaceId, name, nameFolded }: BaseEntity,
): Promise<void> {
  if (await manager.existsBy(BaseEntity, { id: Not(id), workspaceId, nameFolded, deletedAt: IsNull() }))
    throw nameTaken('/name', name);
}

/**
 * The base behind the others of its workspace.
 * @throws Problem `name_taken`
 */
export async function placed(manager: EntityManager, base: BaseEntity): Promise<BaseEntity> {
  await mustBeFree(manager, base);
  const siblings = await manager.findBy(BaseEntity, { workspaceId: base.workspaceId, deletedAt: IsNull() });
  return { ...base, position: positionAfter(siblings) };
}

/** The last word on names has the unique index. */
export async function tellingNameTaken<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isUniqueViolation(error, 'bases_name') ? nameTaken('/name', name) : error;
  }
}

/** PostgreSQL keeps schema names that begin with `pg_` for itself (manual 5.10). */
const schemaNameOf = (name: string): string =>
  `${deriveKey(name).slice(0, 40)}_${randomSuffix()}`.replace(/^pg_/, 'base_pg_');

export const baseView = ({ name, description, color, icon, position }: BaseEntity): object => ({
  name,
  description,
  color,
  icon,
  position,
});

export const baseAudit = (base: BaseEntity, action: string, before?: object, after?: object): AuditEntry => ({
  workspaceId: base.workspaceId,
  action,
  resource: { type: 'base', id: base.id, name: base.name },
  ...(before ? { before } : {}),
  ...(after ? { after } : {}),
});

export const baseChanged = (base: BaseEntity): OutboxEvent => ({
  topic: 'base.changed',
  payload: { baseId: base.id, workspaceId: base.workspaceId },
});
