import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { canReach } from './account.js';
import { holderOf, lockFolder } from './folder-lock.js';
import { incarnationOf, isAlive, servesCluster } from './process-identity.js';
import { clearLeftovers, readPostmaster } from './postmaster.js';

const root = mkdtempSync(path.join(os.tmpdir(), 'lt-embedded-'));
afterAll(() => rmSync(root, { recursive: true }));
const folder = (name: string, mode = 0o755): string => {
  const made = path.join(root, name);
  mkdirSync(made, { recursive: true });
  chmodSync(made, mode);
  return made;
};
const deadPid = () => spawnSync(process.execPath, ['--version']).pid;

describe('who can reach a folder', () => {
  const stranger = { name: 'stranger', uid: 64_999, gid: 64_999 };

  it('everybody, when every folder above may be entered', () => {
    chmodSync(root, 0o755);
    expect(canReach(folder('open'), stranger)).toBe(true);
  });

  it('nobody but the owner, when one folder above is private', () => {
    const inside = folder('private/inside');
    chmodSync(path.join(root, 'private'), 0o700);
    expect(canReach(inside, stranger)).toBe(false);
    expect(canReach(inside, { name: 'self', uid: process.getuid?.() ?? 0, gid: 0 })).toBe(true);
  });

  it('not who may enter but not read', () => {
    expect(canReach(folder('blind', 0o711), stranger)).toBe(false);
  });
});

describe('the lock of a data folder', () => {
  it('is held by one living process, which says where it answers', () => {
    const dir = folder('held');
    const lock = lockFolder(dir);
    lock.announce('http://127.0.0.1:3000');
    expect(() => lockFolder(dir)).toThrow(
      new RegExp(`already runs in this folder \\(process ${process.pid}, http://127.0.0.1:3000`),
    );
    lock.release();
    lockFolder(dir).release();
  });

  it.each([
    ['a process that has ended', () => JSON.stringify({ pid: deadPid(), incarnation: '1' })],
    [
      'an earlier process with the number of a living one',
      () => JSON.stringify({ pid: process.pid, incarnation: '1' }),
    ],
    ['a file that was cut off', () => '{"pid":'],
  ])('is taken over from %s', (_, content) => {
    const dir = folder('stale');
    writeFileSync(path.join(dir, 'server.lock'), content());
    expect(holderOf(dir)).toBeUndefined();
    const lock = lockFolder(dir);
    expect(holderOf(dir)).toMatchObject({ pid: process.pid, incarnation: incarnationOf(process.pid) });
    lock.release();
  });
});

describe('leftovers of a killed server', () => {
  const pidFile = (dir: string) => path.join(dir, 'postmaster.pid');

  it('a stranger who has got the old number is left alone, the file goes', async () => {
    const dir = folder('cluster');
    writeFileSync(pidFile(dir), `${process.ppid}\n${dir}\n1700000000\n5555\n\n127.0.0.1\n\nready   \n`);
    expect(readPostmaster(dir)).toEqual({ pid: process.ppid, port: 5555, ready: true });
    expect(servesCluster(process.ppid, dir)).toBe(false);
    await expect(clearLeftovers(dir)).resolves.toBe('nothing');
    expect(existsSync(pidFile(dir))).toBe(false);
    expect(isAlive(process.ppid)).toBe(true);
  });

  it('a file that is still being written is no server yet', () => {
    const dir = folder('young');
    writeFileSync(pidFile(dir), '');
    expect(readPostmaster(dir)).toBeUndefined();
    expect(readFileSync(pidFile(dir), 'utf8')).toBe('');
  });
});
