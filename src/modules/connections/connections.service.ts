import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Not, Repository, type EntityManager } from 'typeorm';
import {
  foldName,
  idOfCursor,
  idPage,
  newId,
  notFound,
  Problem,
  type Access,
  type Id,
  type PageQuery,
} from '../../common/index.js';
import { actorOf, AuditedTransaction, isUniqueViolation } from '../../database/main/index.js';
import { ExternalEngines } from '../../engines/index.js';
import { changedConnection, toTls } from './changed-connection.js';
import type { ConnectionDto, ConnectionListDto, CreateConnectionDto, UpdateConnectionDto } from './connection.dto.js';
import { ConnectionEntity } from './connection.entity.js';
import { CredentialVault } from './credentials/credential-vault.js';
import {
  connectionAudit,
  connectionChanged,
  connectionView,
  nameTaken,
  toConnectionDto,
} from './describe-connection.js';
import { ConnectionSchemaEntity } from './schema/connection-schema.entity.js';

/** Of one workspace. */
const MAX_CONNECTIONS = 100;

/** Use cases of connections: what they are and where they lead. */
@Injectable()
export class ConnectionsService {
  constructor(
    @InjectRepository(ConnectionEntity) private readonly connections: Repository<ConnectionEntity>,
    private readonly transaction: AuditedTransaction,
    private readonly vault: CredentialVault,
    private readonly engines: ExternalEngines,
  ) {}

  /** Oldest first; each as the caller's role may see it. */
  async list({ workspaceId, role }: Access, { limit, cursor }: PageQuery): Promise<ConnectionListDto> {
    const query = this.connections
      .createQueryBuilder('connection')
      .where({ workspaceId })
      .orderBy('connection.id', 'ASC')
      .limit(limit + 1);
    if (cursor !== undefined) query.andWhere('connection.id > :after', { after: idOfCursor(cursor) });
    const found = await query.getMany();
    return idPage(
      found.map((connection) => toConnectionDto(connection, role)),
      limit,
    );
  }

  /** @throws Problem `not_found` */
  async get({ workspaceId, role }: Access, id: Id): Promise<ConnectionDto> {
    const found = await this.connections.findOneBy({ id, workspaceId });
    if (!found) throw notFound('connection');
    return toConnectionDto(found, role);
  }

  /** @throws Problem `host_not_allowed`, `name_taken`, `limit_reached` */
  async create(access: Access, input: CreateConnectionDto): Promise<ConnectionDto> {
    await this.mustBeAllowed(input.host);
    const made = await this.made(access, input);
    return tellingNameTaken(made.name, () =>
      this.transaction.run(actorOf(access), async (manager) => {
        await mustBeFree(manager, made);
        await mustHaveRoom(manager, made.workspaceId);
        await manager.insert(ConnectionEntity, made);
        return {
          result: toConnectionDto(made, access.role),
          audit: [connectionAudit(made, 'connection.created', { after: connectionView(made) })],
          events: [connectionChanged(made)],
        };
      }),
    );
  }

  /**
   * Changes what is given.
   * @throws Problem `host_not_allowed`, `name_taken`, `not_found`; `validation_failed` with `password_required` for another engine, host or port
   */
  async update(access: Access, id: Id, input: UpdateConnectionDto): Promise<ConnectionDto> {
    if (input.host !== undefined) await this.mustBeAllowed(input.host);
    const password = input.password === undefined ? undefined : await this.sealed(id, input.password);
    return tellingNameTaken(input.name ?? '', () =>
      this.transaction.run(actorOf(access), async (manager) => {
        const before = await held(manager, access, id);
        const { after: described, elsewhere } = changedConnection(before, input);
        const after = { ...described, ...password };
        await mustBeFree(manager, after);
        await manager.update(ConnectionEntity, { id }, after);
        if (elsewhere) await manager.delete(ConnectionSchemaEntity, { connectionId: id });
        return {
          result: toConnectionDto(after, access.role),
          audit: [
            connectionAudit(after, 'connection.updated', {
              before: connectionView(before),
              after: { ...connectionView(after), ...(password ? { signIn: 'changed' } : {}) },
            }),
          ],
          events: [connectionChanged(after)],
        };
      }),
    );
  }

  /** For good, its password and what was found in its database too. @throws Problem `not_found` */
  async remove(access: Access, id: Id): Promise<void> {
    await this.transaction.run(actorOf(access), async (manager) => {
      const before = await held(manager, access, id);
      await manager.delete(ConnectionEntity, { id });
      return {
        result: undefined,
        audit: [connectionAudit(before, 'connection.deleted', { before: connectionView(before) })],
        events: [connectionChanged(before)],
      };
    });
  }

  /** A host that cannot be found now may be there later; one that leads to where nobody may go is refused. */
  private async mustBeAllowed(host: string): Promise<void> {
    try {
      await this.engines.outbound.judge(host);
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'source_unreachable')) throw error;
    }
  }

  private async made({ workspaceId, principal }: Access, input: CreateConnectionDto): Promise<ConnectionEntity> {
    const { name, engine, host, port, database, username, password, tls, access = 'read-only' } = input;
    const [id, at] = [newId(), new Date()];
    return {
      ...{ id, workspaceId, name, nameFolded: foldName(name), engine, host, port, database, username, access },
      ...toTls(tls),
      ...(await this.sealed(id, password)),
      version: 1,
      createdAt: at,
      createdBy: principal.userId,
      updatedAt: at,
    };
  }

  private async sealed(id: Id, password: string): Promise<Pick<ConnectionEntity, 'sealedPassword' | 'keyId'>> {
    const { sealed, keyId } = await this.vault.seal(id, password);
    return { sealedPassword: sealed, keyId };
  }
}

/** Locked until the end of the transaction. @throws Problem `not_found` */
async function held(manager: EntityManager, { workspaceId }: Access, id: Id): Promise<ConnectionEntity> {
  const found = await manager.findOne(ConnectionEntity, {
    where: { id, workspaceId },
    lock: { mode: 'pessimistic_write' },
  });
  if (!found) throw notFound('connection');
  return found;
}

async function mustBeFree(manager: EntityManager, { id, workspaceId, name, nameFolded }: ConnectionEntity) {
  if (await manager.existsBy(ConnectionEntity, { id: Not(id), workspaceId, nameFolded })) throw nameTaken(name);
}

async function mustHaveRoom(manager: EntityManager, workspaceId: Id): Promise<void> {
  if ((await manager.countBy(ConnectionEntity, { workspaceId })) < MAX_CONNECTIONS) return;
  throw new Problem('limit_reached', { detail: `A workspace has at most ${MAX_CONNECTIONS} connections.` });
}

/** The last word on names has the unique index. */
async function tellingNameTaken<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isUniqueViolation(error, 'connections_name') ? nameTaken(name) : error;
  }
}
