export { ConnectionCatalog, type OpenConnection } from './connection-catalog.js';
export { ConnectionSchemas, type ConnectionSchema } from './schema/schemas.service.js';
export { ObjectDigests, type ExternalObject } from './query/object-digests.service.js';
export * from './connections.module.js';
export { ExternalRows, type RowsColumn, type RowsOfSource } from './query/external-rows.service.js';
export {
  JoinTieDto,
  QueriedRowsDto,
  SourceAggregateDto,
  SourceCountDto,
  SourceGroupDto,
  SourceListPageDto,
  SourcePageInputDto,
  SourceRowDto,
  SourceSortDto,
} from './query/query.dto.js';
export { CredentialVault } from './credentials/credential-vault.js';
export { KeyRotation, openKeyRotation } from './credentials/key-rotation.js';
export { sealedIn, type SealedStore } from './credentials/sealed-store.js';
export { ExternalObjectsReader, type ExternalObjects } from './query/external-objects.js';
export { RevertibleConnections } from './revertible-connections.js';
export { whileConnected } from './query/while-connected.js';
