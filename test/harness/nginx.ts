import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../../src/config/index.js';
import { aptInstall, which } from './apt.mjs';
import { afterThisFile, freePort, ownFolder } from './run.js';
import { waitFor } from './wait-for.js';

const MISSING =
  'nginx is missing: install it (Debian: apt-get install nginx-light, macOS: brew install nginx) and run the tests again.';

/**
 * nginx with the project's own configuration (`ops/nginx.conf`) before two nodes, of which only names and ports are put in: that of the file
 * holds in a container. Gives its address; it ends after the tests of this file.
 */
export async function nginxBefore(nodes: readonly [string, string]): Promise<string> {
  const program = which('nginx') ?? (aptInstall('nginx-light') ? which('nginx') : undefined);
  if (!program) throw new Error(MISSING);
  const folder = ownFolder('nginx');
  const port = await freePort();
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(file, configuration(nodes, port, folder));
  // One process instead of a master and its workers: when a run is killed, nobody would tell those to end.
  const args = ['-p', folder, '-c', file, '-g', 'daemon off; master_process off; error_log stderr; pid nginx.pid;'];
  execFileSync(program, [...args, '-t'], { stdio: 'pipe' });
  const child = spawn(program, args, { cwd: folder, stdio: 'ignore' });
  writeFileSync(path.join(folder, 'pid'), String(child.pid));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  afterThisFile(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const base = `http://127.0.0.1:${port}`;
  await waitFor(() =>
    fetch(`${base}/api/v1/health/live`)
      .then(({ ok }) => ok)
      .catch(() => false),
  );
  return base;
}

function configuration(nodes: readonly [string, string], port: number, folder: string): string {
  const replaced = [
    ['node_1:3000', new URL(nodes[0]).host],
    ['node_2:3000', new URL(nodes[1]).host],
    ['listen 8080;', `listen 127.0.0.1:${port};`],
    // Where nginx was built to keep what it takes in, only root may write.
    [
      'http {',
      `http {\n${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}`,
    ],
  ] as const;
  const text = readFileSync(path.join(projectRoot, 'ops/nginx.conf'), 'utf8');
  return replaced.reduce((done, [from, to]) => {
    if (!done.includes(from)) throw new Error(`ops/nginx.conf has no "${from}" any more`);
    return done.replaceAll(from, to);
  }, text);
}
