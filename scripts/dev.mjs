/** `npm run start:dev` and `start:debug`: the server, restarted whenever a source file changes. */
import { spawn } from 'node:child_process';
import { buildClient } from './lib/build.mjs';
import { ensureInstalled } from './lib/install.mjs';
import { inRoot, root, run } from './lib/project.mjs';

await run(() => {
  ensureInstalled();
  buildClient();
  const debug = process.argv.includes('--debug') ? ['--debug'] : [];
  // Without a shell in between, signals reach the server itself.
  const args = [
    inRoot('node_modules/@nestjs/cli/bin/nest.js'),
    'start',
    '--watch',
    '--no-shell',
    '--preserveWatchOutput',
    ...debug,
  ];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm's signals end at the shell between it and this process; its end is the signal.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref();
  child.on('exit', (code) => process.exit(code ?? 0));
});
