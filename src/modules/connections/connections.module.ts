import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IdempotencyModule } from '../idempotency/index.js';
import { ResourceRegistry, WorkspacesModule } from '../workspaces/index.js';
import { ConnectionCatalog } from './connection-catalog.js';
import { ConnectionTestsController } from './connection-tests.controller.js';
import { ConnectionTests } from './connection-tests.service.js';
import { ConnectionEntity } from './connection.entity.js';
import { ConnectionsController } from './connections.controller.js';
import { ConnectionsService } from './connections.service.js';
import { CredentialVault } from './credentials/credential-vault.js';
import { LocalVault } from './credentials/local-vault.js';
import { ExternalMutations } from './query/external-mutations.service.js';
import { ExternalObjectsReader } from './query/external-objects.js';
import { ExternalQueryController } from './query/external-query.controller.js';
import { ExternalQuery } from './query/external-query.service.js';
import { ObjectDigests } from './query/object-digests.service.js';
import { ExternalRows } from './query/external-rows.service.js';
import { RevertibleConnections } from './revertible-connections.js';
import { ConnectionSchemaEntity } from './schema/connection-schema.entity.js';
import { ConnectionSchemaController } from './schema/schema.controller.js';
import { SchemaStore } from './schema/schema-store.js';
import { ConnectionSchemas } from './schema/schemas.service.js';

/** External databases: where they are, who may see it, and what is in them. */
@Module({
  imports: [WorkspacesModule, IdempotencyModule, TypeOrmModule.forFeature([ConnectionEntity, ConnectionSchemaEntity])],
  controllers: [ConnectionsController, ConnectionTestsController, ConnectionSchemaController, ExternalQueryController],
  providers: [
    ConnectionsService,
    RevertibleConnections,
    ConnectionTests,
    ConnectionCatalog,
    ConnectionSchemas,
    ExternalObjectsReader,
    ExternalQuery,
    ExternalRows,
    ExternalMutations,
    ObjectDigests,
    SchemaStore,
    { provide: CredentialVault, useClass: LocalVault },
  ],
  exports: [
    ...[CredentialVault, ConnectionCatalog, ConnectionSchemas, ExternalObjectsReader, ExternalRows, ObjectDigests],
    RevertibleConnections,
  ],
})
export class ConnectionsModule {
  constructor(registry: ResourceRegistry, catalog: ConnectionCatalog) {
    registry.register('connectionId', (id) => catalog.workspaceOf(id));
  }
}
