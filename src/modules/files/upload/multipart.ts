import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { invalid, Problem } from '../../../common/index.js';

/** A file of a multipart body, while it arrives. */
export interface IncomingFile {
  /** As the sender's file is called. */
  readonly name: string | undefined;
  readonly mimeType: string | undefined;
  readonly content: Readable;
}

/** The part in which a file is sent. */
const FIELD = 'file';

/**
 * Hands the files of a `multipart/form-data` body (RFC 7578) to `take`, one after the other, while they arrive; nothing is held in
 * memory but what is on its way. `take` reads its content to the end, or rejects. The first failure, whoever's, ends everything: no `take` is
 * under way any more when this rejects, and what is still to come of the body is thrown away, so that the sender hears the answer.
 */
export async function receiveFiles<T>(
  request: IncomingMessage,
  maxFiles: number,
  take: (file: IncomingFile, index: number) => Promise<T>,
): Promise<T[]> {
  if (request.destroyed && !request.readableEnded) throw endedEarly();
  const parser = parserFor(request, maxFiles);
  const taken: T[] = [];
  const arriving: Readable[] = [];
  let last: Promise<unknown> = Promise.resolve();
  try {
    await new Promise<void>((resolve, reject) => {
      parser.on('file', (field, content, name, _encoding, mimeType) => {
        const index = arriving.push(content) - 1;
        content.on('error', (error: Error) => {
          // Said by the parser, on this stream first; whatever else is an error here comes from `take` and is its to tell.
          if (error.message.includes('terminated early')) reject(malformed(error));
        });
        if (field !== FIELD) reject(unknownPart(field));
        last = last.then(async () => taken.push(await take({ name: unescaped(name), mimeType, content }, index)));
        last.catch(reject);
      });
      parser.once('filesLimit', () => reject(tooMany(maxFiles)));
      parser.on('field', (field) => reject(unknownPart(field)));
      parser.once('error', (error) => reject(malformed(error)));
      parser.once('finish', () => resolve());
      request.once('error', (error) => reject(endedEarly(error)));
      request.once('close', () => {
        if (!request.readableEnded) reject(endedEarly());
      });
      request.pipe(parser);
    });
    await last;
    return taken;
  } catch (error) {
    request.unpipe(parser);
    for (const content of arriving) content.destroy(error instanceof Error ? error : undefined);
    await last.catch(() => undefined);
    request.resume();
    throw error;
  }
}

const ESCAPED: Readonly<Record<string, string>> = { '%22': '"', '%0D': '\r', '%0A': '\n' };

/**
 * A name as it was before its sender escaped it: quotes and line breaks, and those only, are written as these three (WHATWG HTML, multipart
 * form data; RFC 7578, section 2). A `%` is sent as it is, so a name that holds such three characters itself cannot be told from that.
 */
const unescaped = (name: string | undefined): string | undefined =>
  name?.replace(/%(?:22|0D|0A)/g, (escape) => ESCAPED[escape] ?? escape);

function parserFor(request: IncomingMessage, maxFiles: number): BusboyInstance {
  const { headers } = request;
  if (headers['content-type'] === undefined)
    throw new Problem('unsupported_media_type', {
      detail: 'Send the body as multipart/form-data.',
      headers: { accept: 'multipart/form-data' },
    });
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      // The name is cleaned by us, whatever system it comes from.
      preservePath: true,
      isPartAFile: (_field, _type, name) => name !== undefined,
      limits: { files: maxFiles, fields: 1, fieldSize: 1_024, headerPairs: 16, headerSize: 8_192 },
    });
  } catch (error) {
    throw malformed(error);
  }
}

const malformed = (cause: unknown): Problem =>
  new Problem('bad_request', { detail: 'The body is not multipart/form-data that can be read (RFC 7578).', cause });

const endedEarly = (cause?: unknown): Problem =>
  new Problem('bad_request', { detail: 'The body ended before all of it was there.', cause });

const tooMany = (maxFiles: number): Problem =>
  new Problem('limit_reached', { detail: `At most ${maxFiles} files can be uploaded at once.` });

const unknownPart = (field: string): Problem => {
  const detail = `Only parts named "${FIELD}" with a file name are taken.`;
  return invalid([{ pointer: `/${field.slice(0, 64)}`, code: 'unknown_property', detail }]);
};
