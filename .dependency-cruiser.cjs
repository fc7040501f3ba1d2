/**
 * Who may import whom: the table of docs/ARCHITECTURE.md, checked. Everything that is not listed is forbidden.
 */
const layers = {
  common: [],
  config: ['common'],
  query: ['common'],
  database: ['common', 'config'],
  engines: ['common', 'config', 'query', 'database'],
  'live-page': ['config'],
  tracing: ['common', 'config'],
};
const modules = {
  events: [],
  health: ['tables'],
  mail: ['events'],
  idempotency: [],
  users: ['events'],
  auth: ['users', 'mail', 'events'],
  workspaces: ['users', 'mail', 'events'],
  connections: ['idempotency', 'workspaces', 'events'],
  tables: ['connections', 'workspaces', 'events'],
  files: ['tables', 'workspaces', 'idempotency', 'events'],
  views: ['tables', 'connections', 'workspaces', 'auth', 'events'],
  rows: ['idempotency', 'files', 'views', 'tables', 'connections', 'workspaces', 'events'],
  publishing: ['rows', 'views', 'connections', 'tables', 'workspaces', 'auth', 'events'],
  websocket: ['rows', 'views', 'tables', 'connections', 'workspaces', 'auth', 'events'],
  webhooks: ['websocket', 'connections', 'tables', 'workspaces', 'idempotency', 'events'],
  audit: ['rows', 'publishing', 'webhooks', 'views', 'tables', 'connections', 'workspaces', 'events'],
};
const any = (names) => (names.length ? `^src/(${names.join('|')})/` : '^$');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    ...Object.entries(layers).map(([layer, may]) => ({
      name: `layer-${layer}`,
      severity: 'error',
      from: { path: `^src/${layer}/` },
      to: { path: '^src/', pathNot: any([layer, ...may]) },
    })),
    ...Object.entries(modules).map(([name, may]) => ({
      name: `module-${name}`,
      severity: 'error',
      from: { path: `^src/modules/${name}/` },
      to: { path: '^src/modules/', pathNot: `^src/modules/(${[name, ...may].join('|')})/` },
    })),
    {
      name: 'module-by-its-index',
      comment: 'A module is reached through its index.ts only.',
      severity: 'error',
      from: { path: '^src/modules/([^/]+)/' },
      to: { path: '^src/modules/([^/]+)/', pathNot: ['^src/modules/$1/', '^src/modules/[^/]+/index\\.ts$'] },
    },
    {
      name: 'query-is-pure',
      comment: 'The query core has no I/O and no framework.',
      severity: 'error',
      from: { path: '^src/query/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: ['^(node:)?crypto$'] },
    },
    {
      name: 'drivers-live-in-engines-and-database',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(engines|database)/', '\\.spec\\.ts$'] },
      to: { path: 'node_modules/(pg|mysql2|mongodb|ioredis)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
