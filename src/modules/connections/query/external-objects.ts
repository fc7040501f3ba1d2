import { Injectable } from '@nestjs/common';
import { Problem, type Id } from '../../../common/index.js';
import { objectSchemaOf, type ExternalEngine, type FoundObject } from '../../../engines/index.js';
import { Objects } from '../../../query/index.js';
import { ConnectionCatalog } from '../connection-catalog.js';
import { ConnectionSchemas } from '../schema/schemas.service.js';

/** A connection with all that a plan for it is made of. */
export interface ExternalObjects {
  readonly name: string;
  readonly engine: ExternalEngine;
  readonly access: 'read-only' | 'read-write';
  readonly objects: Objects;
}

/** What can be asked of a connection: its engine, and its objects as they were found the last time. */
@Injectable()
export class ExternalObjectsReader {
  private readonly known = new WeakMap<readonly FoundObject[], Objects>();

  constructor(
    private readonly catalog: ConnectionCatalog,
    private readonly schemas: ConnectionSchemas,
  ) {}

  /**
   * Does `work` with the objects; when the database says that one of them is another by now, looks anew and does it again.
   * @throws Problem `not_found`; those of the database; whatever `work` throws
   */
  async with<T>(workspaceId: Id, connectionId: Id, work: (objects: ExternalObjects) => Promise<T>): Promise<T> {
    try {
      return await work(await this.objectsOf(workspaceId, connectionId));
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'source_changed') throw error;
      await this.lookAgain(workspaceId, connectionId);
      return work(await this.objectsOf(workspaceId, connectionId));
    }
  }

  /** For when the database says that an object is another by now. */
  async lookAgain(workspaceId: Id, connectionId: Id): Promise<void> {
    await this.schemas.refresh(workspaceId, connectionId);
  }

  /** As they were found the last time. @throws Problem `not_found`; those of the database where nobody has looked yet */
  async objectsOf(workspaceId: Id, connectionId: Id): Promise<ExternalObjects> {
    const { objects: found } = await this.schemas.schemaOf(workspaceId, connectionId);
    const connection = await this.catalog.find(workspaceId, connectionId);
    let objects = this.known.get(found);
    if (!objects) {
      objects = new Objects(found.map((each) => objectSchemaOf(connectionId, each)));
      this.known.set(found, objects);
    }
    const { name, target } = connection;
    return { name, engine: this.catalog.engineFor(connection), access: target.access, objects };
  }
}
