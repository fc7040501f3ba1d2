import type * as throttler from '@nestjs/throttler';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/**
 * Stands in for `@nestjs/throttler` in tests only (jest.config.mjs, moduleNameMapper). The package is CommonJS and requires
 * the ESM-only `@nestjs/common`; Node can do that, Jest's module registry cannot before Node 24.9. The package's own files
 * are run here as they are, with the framework that the test already imported.
 */
const require = createRequire(import.meta.url);
const root = join(process.cwd(), 'node_modules/@nestjs/throttler/dist');
const framework: Readonly<Record<string, unknown>> = { '@nestjs/common': common, '@nestjs/core': core };
const loaded = new Map<string, object>();

type Body = (exports: object, require: (name: string) => unknown) => void;

function load(file: string): object {
  const known = loaded.get(file);
  if (known) return known;
  const exports = {};
  loaded.set(file, exports);
  const source = readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is a file of an installed package
  const body = new Function('exports', 'require', source) as Body;
  body(exports, (name) => {
    if (name.startsWith('.')) return load(resolve(dirname(file), `${name}.js`));
    return framework[name] ?? require(name);
  });
  return exports;
}

export const {
  InjectThrottlerOptions,
  InjectThrottlerStorage,
  SkipThrottle,
  Throttle,
  ThrottlerException,
  ThrottlerGuard,
  ThrottlerModule,
  ThrottlerStorage,
  ThrottlerStorageService,
  getOptionsToken,
  getStorageToken,
  hours,
  minutes,
  normalizeIp,
  seconds,
} = load(join(root, 'index.js')) as typeof throttler;
