import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot, root, Told } from './project.mjs';

/** Builds dist/ unless it was made from exactly these sources. */
export function ensureBuilt(say = console.log) {
  const wanted = digestOfInputs();
  const stamp = inRoot('dist/.inputs');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('Building …');
  const done = spawnSync(process.execPath, [inRoot('node_modules/@nestjs/cli/bin/nest.js'), 'build'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Told(`The build failed:\n${done.stdout}${done.stderr}`);
  writeFileSync(stamp, wanted);
}

/** Contents, not times: a fresh clone or a switched branch is told from a change. */
function digestOfInputs() {
  const hash = createHash('sha1');
  const files = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', ...sources('src')];
  for (const file of files)
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
