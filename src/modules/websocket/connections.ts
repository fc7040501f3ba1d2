import { Injectable } from '@nestjs/common';
import type { Connection } from './connection.js';

/** The sockets of this node. */
@Injectable()
export class Connections {
  private readonly all = new Set<Connection>();

  add(connection: Connection): void {
    this.all.add(connection);
  }

  remove(connection: Connection): void {
    this.all.delete(connection);
  }

  get size(): number {
    return this.all.size;
  }

  /** A copy, so that sockets may come and go while it is worked through. */
  where(wanted: (connection: Connection) => boolean = () => true): Connection[] {
    return [...this.all].filter(wanted);
  }
}
