/**
 * `npm run lock:platforms`: completes package-lock.json with the binaries of other platforms. npm leaves out those that it did
 * not install or could not find (https://github.com/npm/cli/issues/4828), and `npm ci` then refuses the file, there or here.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { inRoot } from './lib/project.mjs';

const PLATFORM =
  /-(darwin|linux|win32|android|freebsd|openharmony)-(arm64|arm|x64|ia32|ppc64|s390x|loong64|riscv64)(?:-(gnu|musl))?/;

const file = inRoot('package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = [];
for (const [place, holder] of Object.entries(lock.packages))
  for (const [name, version] of Object.entries(holder.optionalDependencies ?? {})) {
    const known = [`${place}/node_modules/${name}`, `node_modules/${name}`].some((entry) => entry in lock.packages);
    const [, os, cpu, libc] = PLATFORM.exec(name) ?? [];
    if (known || os === undefined) continue;
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(holder.dev ? { dev: true } : {}),
      ...(libc === undefined ? {} : { libc: [libc === 'gnu' ? 'glibc' : 'musl'] }),
      optional: true,
      os: [os],
    };
    added.push(`${name}@${version}`);
  }
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'package-lock.json is complete.' : `Added: ${added.join(', ')}`);
