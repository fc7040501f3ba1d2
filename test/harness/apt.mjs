import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The path of a program, if one of these names is on the PATH or where Debian puts servers. */
export function which(...names) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin'];
  return names.flatMap((name) => folders.map((folder) => `${folder}/${name}`)).find((file) => existsSync(file));
}

const TRIES = 3;
const PAUSE_MS = 5_000;

/** Installs a Debian package, as root and where there is apt-get; false where that is not so, or failed. */
export function aptInstall(name) {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false;
  console.error(`Installing ${name} for the tests …`);
  const apt = (...args) =>
    execFileSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      stdio: 'pipe',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  // Several files of tests may install something at once, and lists of packages have a lock that nobody waits for.
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      apt('update');
      apt('install', '-y', '--no-install-recommends', name);
      return true;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
  return false;
}
