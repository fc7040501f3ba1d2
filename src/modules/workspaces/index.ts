export { AccessService, type Membership } from './access/access.service.js';
export { ResourceRegistry, type Locate } from './access/resource-registry.js';
export { RevertibleWorkspace } from './revertible-workspace.js';
export { WorkspacePurge, type PurgeStep } from './workspace-purge.js';
export * from './workspaces.module.js';
