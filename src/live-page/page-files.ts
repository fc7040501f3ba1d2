import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { projectRoot } from '../config/index.js';

/** A file as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  /** Strong: the hash of the body. */
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** Where the page finds the one package that the client imports by name: browsers know paths only. */
const SOCKET_IO = './socket.io.js';

/**
 * Everything that the page consists of, by its name below `/live/`: its own files, the client package as it is built, and Socket.IO's module for
 * browsers. Nothing else can be asked for, so no path of a request ever reaches the disk.
 *
 * @throws where the client is not built (`npm run build`).
 */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  const add = (name: string, body: Buffer | string): void => {
    const type = TYPES[path.extname(name)];
    if (type === undefined) return;
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
    files.set(name, { type, body: Buffer.from(body), etag });
  };
  const page = path.join(projectRoot, 'live-page');
  for (const name of readdirSync(page)) add(name, readFileSync(path.join(page, name)));
  const client = path.join(projectRoot, 'client/dist');
  for (const name of readdirSync(client))
    add(
      `client/${name}`,
      readFileSync(path.join(client, name), 'utf8').replace("from 'socket.io-client'", `from '${SOCKET_IO}'`),
    );
  // Its entry for Node is what the package lets be found; the one for browsers lies in another folder of it.
  const home = path.dirname(createRequire(import.meta.url).resolve('socket.io-client/package.json'));
  const bundle = readFileSync(path.join(home, 'dist/socket.io.esm.min.js'), 'utf8');
  add('client/socket.io.js', bundle.replace(/^\/\/# sourceMappingURL=.*$/m, ''));
  return files;
}
