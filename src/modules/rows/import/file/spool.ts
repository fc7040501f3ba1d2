import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { newId, Problem } from '../../../../common/index.js';

/** A body that has arrived whole, on the disk. */
export interface Spool {
  readonly bytes: number;
  /** From its beginning, as often as it is asked for. */
  read(): AsyncIterable<Buffer>;
  /** SHA-256 of it all, in hex. */
  digest(): Promise<string>;
  /** It is gone afterwards. Never rejects. */
  close(): Promise<void>;
}

const PIECE = 256 * 1024;

/**
 * Takes a body in, so that it can be read twice and how fast its sender is holds nothing up. The file has no name from the start: however
 * the process ends, the system takes its room back.
 * @throws Problem `payload_too_large`; `bad_request` the sender went away
 */
export async function spool(request: IncomingMessage, maxBytes: number): Promise<Spool> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes, true);
  if (request.destroyed && !request.readableEnded) throw endedEarly();
  const handle = await nameless();
  try {
    const bytes = await take(request, handle, maxBytes);
    return {
      bytes,
      read: () => pieces(handle),
      digest: () => digestOf(pieces(handle)),
      close: () => handle.close().catch(() => undefined),
    };
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

/** Not a stream of the handle: one that is not read to its end would close it. */
async function* pieces(handle: FileHandle): AsyncGenerator<Buffer, void> {
  for (let at = 0; ;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function digestOf(bytes: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}

async function nameless(): Promise<FileHandle> {
  const place = path.join(os.tmpdir(), `live-tables-import-${newId()}`);
  // Only for us, and never through a link that somebody else put there.
  const handle = await open(place, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  await rm(place, { force: true });
  return handle;
}

async function take(request: IncomingMessage, handle: FileHandle, maxBytes: number): Promise<number> {
  let bytes = 0;
  try {
    // Not destroyed when we have had enough: its sender is to hear why.
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += piece.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      await handle.write(piece);
    }
  } catch (error) {
    if (request.destroyed) throw error instanceof Problem ? error : endedEarly(error);
    request.resume();
    throw error;
  }
  return bytes;
}

const tooLarge = (maxBytes: number, unread = false): Problem =>
  new Problem('payload_too_large', {
    detail: `A file to import may have at most ${maxBytes.toLocaleString('en')} bytes.`,
    // What was not read of the body would be taken for the next request.
    ...(unread ? { headers: { connection: 'close' } } : {}),
  });

const endedEarly = (cause?: unknown): Problem =>
  new Problem('bad_request', { detail: 'The body ended too early.', ...(cause === undefined ? {} : { cause }) });
