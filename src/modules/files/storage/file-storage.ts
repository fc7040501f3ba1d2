import type { Readable } from 'node:stream';
import { Problem } from '../../../common/index.js';

/** Bytes from `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Where the bytes of files are kept. Keys are made by us: `<schema of the base>/<id of the file>`. What cannot be done rejects with
 * {@link StorageError}; nothing else is known of the store.
 */
export interface FileStorage {
  /** Keeps all of `content` under the key: whole and for good when this resolves, not at all when it rejects (with the content's own error, if it fails). */
  put(key: string, content: Readable): Promise<void>;
  /** The bytes; throws {@link ObjectMissing}. */
  open(key: string, range?: ByteRange): Promise<Readable>;
  /** Throws {@link ObjectMissing}. */
  copy(from: string, to: string): Promise<void>;
  /** Also what a `put` left behind whose process died. Nothing to remove is no error. */
  remove(key: string): Promise<void>;
  /** All keys of a base. */
  removeAll(schema: string): Promise<void>;
}

/** Injection token of {@link FileStorage}. */
export const FILE_STORAGE = Symbol('FILE_STORAGE');

/** The store failed; it may work again later. What it said is for the log. */
export class StorageError extends Problem {
  constructor(what: string, cause: unknown) {
    const detail = `The storage of files cannot ${what} at the moment.`;
    super('storage_unavailable', { detail, headers: { 'retry-after': '5' }, cause });
    this.name = 'StorageError';
  }
}

/** There is no object of this key. */
export class ObjectMissing extends Error {
  constructor(key: string) {
    super(`there is no object ${key}`);
    this.name = 'ObjectMissing';
  }
}

const KEY = /^[a-z][a-z0-9_]*\/[0-9a-f-]{36}$/;

/** The key of a file. Checked, because it becomes a path. */
export function storageKey(schema: string, fileId: string): string {
  const key = `${schema}/${fileId}`;
  if (!KEY.test(key)) throw new Error(`${key} is no key of the storage`);
  return key;
}
