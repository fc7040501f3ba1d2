import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  ObjectMissing,
  storageFor,
  storageKey,
  StorageError,
  type FileStorage,
} from '../../src/modules/files/storage/index.js';
import { S3Storage } from '../../src/modules/files/storage/s3-storage.js';
import { afterThisFile, ownFolder } from '../harness/index.js';
import { fileSettings, s3Server } from '../support/s3-server.js';

const SCHEMA = 'crm_k3f9a2';
const key = (schema = SCHEMA) => storageKey(schema, randomUUID());
const PART = 5 * 1024 * 1024;

/** Some bytes, and then a failure, as when the sender goes away. */
const broken = (bytes: number): Readable =>
  Readable.from(
    (function* () {
      yield randomBytes(bytes);
      throw new Error('gone away');
    })(),
  );

const STORES: readonly (readonly [name: string, make: () => Promise<FileStorage>])[] = [
  [
    'a local folder',
    () => storageFor(fileSettings({ directory: path.join(ownFolder('files'), 'not', 'there', 'yet') })),
  ],
  ['a bucket', async () => storageFor(fileSettings({ s3: await s3Server() }))],
  [
    'a prefix of a bucket',
    async () => storageFor(fileSettings({ s3: { ...(await s3Server()), prefix: 'live/files' } })),
  ],
];

describe.each(STORES)('%s', (_name, make) => {
  let storage: FileStorage;
  beforeAll(async () => {
    storage = await make();
  });
  const kept = async (at: string): Promise<Buffer> => buffer(await storage.open(at));

  it.each([0, 1, 70_000, PART, 2 * PART + 1])('gives back %i bytes as they were', async (size) => {
    const [at, content] = [key(), randomBytes(size)];
    await storage.put(at, Readable.from([content]));
    expect((await kept(at)).equals(content)).toBe(true);
  });

  it('gives a part of the bytes', async () => {
    const [at, content] = [key(), randomBytes(100_000)];
    await storage.put(at, Readable.from([content]));
    const part = await buffer(await storage.open(at, { start: 10, end: 70_000 }));
    expect(part.equals(content.subarray(10, 70_001))).toBe(true);
  });

  it.each([100, 3 * PART])(
    'keeps nothing of a content that fails after %i bytes, and tells its error',
    async (bytes) => {
      const at = key();
      await expect(storage.put(at, broken(bytes))).rejects.toThrow('gone away');
      await expect(storage.open(at)).rejects.toBeInstanceOf(ObjectMissing);
    },
  );

  it('takes a key again: the last content counts', async () => {
    const at = key();
    for (const text of ['first', 'second']) await storage.put(at, Readable.from([Buffer.from(text)]));
    expect((await kept(at)).toString()).toBe('second');
  });

  it('copies, and the copy stays when the original goes', async () => {
    const [from, to, content] = [key(), key('other_a1b2c3'), randomBytes(5_000)];
    await storage.put(from, Readable.from([content]));
    await storage.copy(from, to);
    await storage.remove(from);
    expect((await kept(to)).equals(content)).toBe(true);
    await expect(storage.copy(from, to)).rejects.toBeInstanceOf(ObjectMissing);
  });

  it('removes, and does not mind what is not there', async () => {
    const at = key();
    await storage.put(at, Readable.from([Buffer.from('x')]));
    await storage.remove(at);
    await storage.remove(at);
    await expect(storage.open(at)).rejects.toBeInstanceOf(ObjectMissing);
  });

  it('removes all of a base, and nothing of another whose name begins the same', async () => {
    const [mine, others] = [['gone_000001', 'gone_000001'], ['gone_0000011']].map((schemas) => schemas.map(key));
    for (const at of [...(mine ?? []), ...(others ?? [])]) await storage.put(at, Readable.from([Buffer.from('x')]));
    await storage.removeAll('gone_000001');
    await storage.removeAll('gone_000001');
    for (const at of mine ?? []) await expect(storage.open(at)).rejects.toBeInstanceOf(ObjectMissing);
    expect((await kept(others?.[0] ?? '')).toString()).toBe('x');
  });
});

describe('a local folder', () => {
  it('has nothing but whole files under their keys', async () => {
    const directory = ownFolder('files');
    const storage = await storageFor(fileSettings({ directory }));
    const at = key();
    await storage.put(at, Readable.from([Buffer.from('x')]));
    await expect(storage.put(key(), broken(10))).rejects.toThrow('gone away');
    expect(readdirSync(directory, { recursive: true }).sort()).toEqual([SCHEMA, at]);
  });

  it('removes with the key what a put left behind whose process died', async () => {
    const directory = ownFolder('files');
    const storage = await storageFor(fileSettings({ directory }));
    const at = key();
    await storage.put(key(), Readable.from([Buffer.from('x')]));
    writeFileSync(path.join(directory, `${at}.part`), 'half');
    await storage.remove(at);
    expect(readdirSync(path.join(directory, SCHEMA))).toHaveLength(1);
  });

  it('that cannot be written is a failure of the storage', async () => {
    const file = path.join(ownFolder('files'), 'a-file');
    writeFileSync(file, '');
    const storage = await storageFor(fileSettings({ directory: file }));
    await expect(storage.put(key(), Readable.from([Buffer.from('x')]))).rejects.toBeInstanceOf(StorageError);
  });
});

describe('a store that is away', () => {
  it('is a failure of the storage, not of the file', async () => {
    const s3 = { ...(await s3Server()), endpoint: 'http://127.0.0.1:1' };
    const storage = await storageFor(fileSettings({ s3 }));
    await expect(storage.put(key(), Readable.from([Buffer.from('x')]))).rejects.toBeInstanceOf(StorageError);
    await expect(storage.open(key())).rejects.toBeInstanceOf(StorageError);
  });

  it('is away, too, when it takes connections and never answers', async () => {
    const silent = createServer((socket) => socket.resume().on('error', () => undefined));
    afterThisFile(() => void silent.close());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const storage = new S3Storage({ ...(await s3Server()), endpoint: `http://127.0.0.1:${port}` }, 200);
    await expect(storage.put(key(), Readable.from([Buffer.from('x')]))).rejects.toBeInstanceOf(StorageError);
    await expect(storage.put(key(), Readable.from([randomBytes(2 * PART)]))).rejects.toBeInstanceOf(StorageError);
    for (const asked of [storage.open(key()), storage.copy(key(), key()), storage.remove(key())])
      await expect(asked).rejects.toBeInstanceOf(StorageError);
    await expect(storage.removeAll(SCHEMA)).rejects.toBeInstanceOf(StorageError);
  });
});

describe('a key', () => {
  it.each(['../x', 'a/b', '', 'A', 'a b'])('is made of no other schema than ours: %j', (schema) => {
    expect(() => storageKey(schema, randomUUID())).toThrow('no key');
    expect(() => storageKey(SCHEMA, schema)).toThrow('no key');
  });
});
