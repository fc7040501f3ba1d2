import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { newId, notFound, Problem, type Access, type Id } from '../../common/index.js';
import { actorOf, AuditedTransaction, type AuditEntry } from '../../database/main/index.js';
import { ExternalEngines, type ConnectionTarget } from '../../engines/index.js';
import { toTls } from './changed-connection.js';
import { targetOf, tlsOf } from './connection-target.js';
import type { ConnectionTestDto, TestConnectionDto } from './connection.dto.js';
import { ConnectionEntity } from './connection.entity.js';
import { CredentialVault } from './credentials/credential-vault.js';
import { connectionView } from './describe-connection.js';

type Resource = Omit<AuditEntry['resource'], 'type'>;

/** Tries to sign in to external databases. Each try is audited, since it is a look into somebody's network. */
@Injectable()
export class ConnectionTests {
  constructor(
    @InjectRepository(ConnectionEntity) private readonly connections: Repository<ConnectionEntity>,
    private readonly transaction: AuditedTransaction,
    private readonly vault: CredentialVault,
    private readonly engines: ExternalEngines,
  ) {}

  /** One that is not stored. @throws Problem `host_not_allowed` */
  testUnsaved(access: Access, input: TestConnectionDto): Promise<ConnectionTestDto> {
    const { name = input.host, engine, host, port, database, username, password, access: rights = 'read-only' } = input;
    const tls = toTls(input.tls);
    const { userId: holder } = access.principal;
    const target = {
      id: newId(),
      holder,
      engine,
      host,
      port,
      database,
      username,
      password,
      tls: tlsOf(tls),
      access: rights,
    };
    return this.test(access, { id: null, name }, { ...target, ...tls, name }, () => Promise.resolve(target));
  }

  /** @throws Problem `not_found`, `host_not_allowed` */
  async testSaved(access: Access, id: Id): Promise<ConnectionTestDto> {
    const found = await this.connections.findOneBy({ id, workspaceId: access.workspaceId });
    if (!found) throw notFound('connection');
    return this.test(access, found, found, () => targetOf(found, this.vault));
  }

  private async test(
    access: Access,
    { id, name }: Resource,
    described: Parameters<typeof connectionView>[0],
    target: () => Promise<ConnectionTarget>,
  ): Promise<ConnectionTestDto> {
    const { answer, refusal } = await this.tried(target);
    const outcome = answer.ok ? { ok: true } : { ok: false, error: answer.error?.code };
    await this.transaction.run(actorOf(access), () =>
      Promise.resolve({
        result: undefined,
        audit: [
          {
            workspaceId: access.workspaceId,
            action: 'connection.tested',
            resource: { type: 'connection', id, name },
            after: { ...connectionView(described), ...outcome },
          },
        ],
        events: [],
      }),
    );
    if (refusal) throw refusal;
    return answer;
  }

  private async tried(target: () => Promise<ConnectionTarget>): Promise<Tried> {
    const begin = performance.now();
    const latencyMs = () => Math.round(performance.now() - begin);
    try {
      const { serverVersion } = await this.engines.probe(await target());
      return { answer: { ok: true, latencyMs: latencyMs(), serverVersion } };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { code, detail } = error.body();
      const answer = { ok: false, latencyMs: latencyMs(), error: { code, detail: detail ?? '' } };
      return { answer, ...(code === 'host_not_allowed' ? { refusal: error } : {}) };
    }
  }
}

interface Tried {
  readonly answer: ConnectionTestDto;
  /** In the place of the answer. */
  readonly refusal?: Problem;
}
