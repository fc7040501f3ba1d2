import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot, root, Told } from './project.mjs';

/** Builds dist/ and client/dist/ unless they were made from exactly these sources. */
export function ensureBuilt(say = console.log) {
  const wanted = digestOfInputs();
  const stamp = inRoot('dist/.inputs');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Building …');
  compile('node_modules/@nestjs/cli/bin/nest.js', 'build');
  buildClient();
  writeFileSync(stamp, wanted);
}

/** The client package, which the page at /live runs. */
export function buildClient() {
  compile('node_modules/typescript/bin/tsc', '-p', 'client');
}

function compile(program, ...args) {
  const done = spawnSync(process.execPath, [inRoot(program), ...args], { cwd: root, encoding: 'utf8' });
  if (done.status !== 0) throw new Told(`The build failed:\n${done.stdout}${done.stderr}`);
}

/** Contents, not times: a fresh clone or a switched branch is told from a change. */
function digestOfInputs() {
  const hash = createHash('sha1');
  const files = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'client/tsconfig.json'];
  for (const file of [...files, ...sources('src'), ...sources('client/src')])
    hash
      .update(`${file}\0`)
      .update(readFileSync(inRoot(file)))
      .update('\0');
  return hash.digest('hex');
}

function sources(folder) {
  return readdirSync(inRoot(folder), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) return sources(file);
      return /\.ts$/.test(file) && !/spec\.ts$/.test(file) ? [file] : [];
    });
}
