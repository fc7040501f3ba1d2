import { mkdirSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll } from '@jest/globals';
import { must } from '../../src/common/index.js';

/** What global-setup.mjs started for this run. */
export interface TestRun {
  readonly folder: string;
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    readonly superuser: { readonly username: string; readonly password: string };
  };
  readonly redisServer: { readonly path: string } | { readonly missing: string };
}

export const testRun = (): TestRun =>
  JSON.parse(must(process.env.LT_TEST, 'this file is run by Jest with test/harness/global-setup.mjs')) as TestRun;

/** A folder of one's own inside the folder of the run; it is removed with it. */
export function ownFolder(name: string): string {
  const folder = path.join(testRun().folder, `${name}-${randomBytes(4).toString('hex')}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

const undo: (() => unknown)[] = [];

/** Registers what has to be taken down after the tests of this file; the last one first. */
export const afterThisFile = (work: () => unknown): void => void undo.push(work);

afterAll(async () => {
  for (const work of undo.splice(0).reverse()) await work();
}, 60_000);

/** A port of 127.0.0.1 that is free now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
