import { Injectable } from '@nestjs/common';
import type { Access, Id, Revertible } from '../../common/index.js';
import { ConnectionsService } from './connections.service.js';

const SERVER = ['engine', 'host', 'port'] as const;

/**
 * How changes of connections are taken back: not where they lead to, which takes the password again, nor what has a meaning only there. One
 * that is made or removed is so for good, since nobody has its password.
 */
@Injectable()
export class RevertibleConnections implements Revertible {
  readonly permission = 'connections:manage';

  constructor(private readonly connections: ConnectionsService) {}

  fields(moved: ReadonlySet<string>): readonly string[] {
    return SERVER.some((field) => moved.has(field)) ? ['name'] : ['name', 'database', 'username', 'access'];
  }

  update(access: Access, id: Id, fields: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.connections.update(access, id, fields);
  }
}
