import { mayDo, Problem, type Role } from '../../common/index.js';
import type { AuditEntry, OutboxEvent } from '../../database/main/index.js';
import { tlsOf } from './connection-target.js';
import type { ConnectionDto } from './connection.dto.js';
import type { ConnectionEntity } from './connection.entity.js';

/** A connection as somebody of this role sees it. */
export function toConnectionDto(connection: ConnectionEntity, role: Role): ConnectionDto {
  const { id, workspaceId, name, engine, access } = connection;
  const seen: ConnectionDto = { id, workspaceId, name, engine, access };
  if (!mayDo(role, 'connections:manage')) return seen;
  const { host, port, database, username, createdBy } = connection;
  return {
    ...seen,
    ...{ host, port, database, username, createdBy },
    tls: tlsOf(connection),
    createdAt: connection.createdAt.toISOString(),
    updatedAt: connection.updatedAt.toISOString(),
  };
}

type Described = Pick<
  ConnectionEntity,
  'name' | 'engine' | 'host' | 'port' | 'database' | 'username' | 'tlsMode' | 'tlsCa' | 'access'
>;

/** For the audit log. */
export const connectionView = (connection: Described): object => {
  const { name, engine, host, port, database, username, tlsMode, tlsCa, access } = connection;
  return { name, engine, host, port, database, username, tls: { mode: tlsMode, ca: tlsCa !== null }, access };
};

export const connectionAudit = (
  { workspaceId, id, name }: Pick<ConnectionEntity, 'id' | 'workspaceId' | 'name'>,
  action: string,
  change: Pick<AuditEntry, 'before' | 'after'>,
): AuditEntry => ({ workspaceId, action, resource: { type: 'connection', id, name }, ...change });

export const connectionChanged = ({ id, workspaceId }: ConnectionEntity): OutboxEvent => ({
  topic: 'connection.changed',
  payload: { connectionId: id, workspaceId },
});

export const nameTaken = (name: string): Problem => {
  const detail = `The name ${JSON.stringify(name)} is taken; letter case does not matter.`;
  return new Problem('name_taken', { detail, errors: [{ pointer: '/name', code: 'name_taken', detail }] });
};
