/** One runner, three kinds of tests, told apart by suffix. See docs/TESTING.md. */
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    // CommonJS that requires ESM, which Jest cannot do on Node 20.
    '^@nestjs/throttler$': '<rootDir>/test/harness/throttler-as-esm.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // Each module costs Jest time in each file: these packages come in one piece, too, instead of 650.
    '^es-toolkit/compat$': '<rootDir>/node_modules/es-toolkit/dist/browser.global.js',
    '^rxjs(/operators)?$': '<rootDir>/node_modules/rxjs/dist/bundles/rxjs.umd.js',
  },
  // ESM that CommonJS requires (@fastify/static does): Jest cannot do that on Node 20, so it becomes CommonJS.
  transformIgnorePatterns: ['/node_modules/(?!(.*/)?content-disposition/)'],
  transform: {
    '/content-disposition/.+\\.js$': ['@swc/jest', { jsc: { target: 'es2023' }, module: { type: 'commonjs' } }],
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          target: 'es2023',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};
const project = (displayName, testMatch, more = {}) => ({ ...common, displayName, testMatch, ...more });

const servers = {
  globalSetup: '<rootDir>/test/harness/global-setup.mjs',
  globalTeardown: '<rootDir>/test/harness/global-teardown.mjs',
};

export default {
  projects: [
    project('unit', ['<rootDir>/src/**/*.spec.ts', '<rootDir>/test/unit/**/*.spec.ts']),
    project('engines', ['<rootDir>/test/engines/**/*.engine-spec.ts'], servers),
    project('e2e', ['<rootDir>/test/e2e/**/*.e2e-spec.ts'], servers),
    // Asked for by name only: npm run test:faults.
    project('faults', ['<rootDir>/test/faults/*.fault-spec.ts'], servers),
  ],
  // Servers take their time when everything runs at once; a project cannot set this for itself.
  testTimeout: 60_000,
  // Modules of a test file stay in memory when it is done (ESM under Jest): workers are renewed before they fill theirs.
  // With a limit Jest also never runs everything in its own process, however few processors there are.
  workerIdleMemoryLimit: '1500MB',
  maxWorkers: 2,
  collectCoverageFrom: ['src/**/*.ts', '!src/**/*.spec.ts'],
};
