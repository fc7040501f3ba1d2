import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { inRoot, root, Told } from './project.mjs';

/** Installs exactly what package-lock.json says, unless that is what node_modules holds already. Needs no network then. */
export function ensureInstalled(say = console.log) {
  if (isInstalled()) return;
  say('Installing packages (npm ci) …');
  // No package's install script is needed: none runs, whatever this npm's defaults are.
  const options = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // Without a network npm would try each of hundreds of packages several times; its cache may hold them all.
  const network = registryAnswers() ? '--prefer-offline' : '--offline';
  const done = npm([...options, network]);
  if (done.status === 0) return;
  throw new Told(complaint(outputOf(done)));
}

/** Asked through npm itself, which knows about proxies and certificates; only a failure of the network counts as none. */
function registryAnswers() {
  const ping = npm(['ping', '--fetch-retries=1', '--fetch-retry-mintimeout=500', '--fetch-timeout=15000']);
  return ping.status === 0 || !NETWORK.test(outputOf(ping));
}

const NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR|ENOTCACHED/;

const outputOf = ({ stdout, stderr, error }) => `${stderr ?? ''}${stdout ?? ''}${error ?? ''}`;

/** npm keeps what it installed in node_modules/.package-lock.json, written last; comparing it needs no stamp of our own. */
function isInstalled() {
  const hidden = inRoot('node_modules/.package-lock.json');
  if (!existsSync(hidden)) return false;
  try {
    const wanted = JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8')).packages;
    const present = JSON.parse(readFileSync(hidden, 'utf8')).packages;
    return Object.entries(wanted).every(([place, { version, optional, devOptional }]) => {
      if (place === '') return true;
      const found = present[place];
      return found ? found.version === version && existsSync(inRoot(place)) : Boolean(optional || devOptional);
    });
  } catch {
    return false;
  }
}

function npm(args) {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 };
  const self = process.env.npm_execpath;
  if (self && /\.c?js$/.test(self)) return spawnSync(process.execPath, [self, ...args], options);
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}

function complaint(output) {
  if (NETWORK.test(output)) {
    const registry = outputOf(npm(['config', 'get', 'registry'])).match(/https?:\S+/)?.[0] ?? 'the npm registry';
    return `Packages cannot be downloaded: ${registry} cannot be reached. Check the network (behind a proxy: npm config set proxy …) and run this again.`;
  }
  if (/EACCES|EPERM|EROFS/.test(output))
    return `Packages cannot be installed: this user may not write ${inRoot('node_modules')}. Give it rights to this folder, or clone as this user.`;
  if (/ENOSPC/.test(output))
    return 'Packages cannot be installed: the disk is full. Free about 700 MB and run this again.';
  if (/spawn npm ENOENT|spawnSync npm ENOENT/.test(output))
    return 'npm was not found: install Node.js with npm from https://nodejs.org and run this again.';
  return `Packages could not be installed. npm says:\n${output.trim()}`;
}
