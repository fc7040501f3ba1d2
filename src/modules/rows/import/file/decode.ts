import { TextDecoder } from 'node:util';
import { FileFlaw } from './file-flaw.js';

export const CHARSETS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1'] as const;
export type Charset = (typeof CHARSETS)[number];

/** One of them by any of its names (WHATWG Encoding), such as latin1. Undefined: none of them. */
export function charsetOf(label: string): Charset | undefined {
  try {
    const { encoding } = new TextDecoder(label);
    return CHARSETS.find((charset) => charset === encoding);
  } catch {
    return undefined;
  }
}

const BOMS: readonly (readonly [Charset, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/**
 * The bytes as text, in pieces. What the file says itself by a byte order mark counts before what was said of it; without either it is UTF-8.
 * Nothing is guessed and nothing replaced: bytes that are no text are refused.
 * @throws FileFlaw `encoding_invalid`
 */
export async function* decode(pieces: AsyncIterable<Buffer>, charset: Charset = 'utf-8'): AsyncGenerator<string, void> {
  let decoder: TextDecoder | undefined;
  let used = charset;
  let held: Buffer = Buffer.alloc(0);
  let line = 1;
  for await (const piece of pieces) {
    const bytes = held.length > 0 ? Buffer.concat([held, piece]) : piece;
    if (!decoder) {
      held = bytes;
      if (bytes.length < 3) continue;
      used = BOMS.find(([, bom]) => bom.every((byte, i) => bytes[i] === byte))?.[0] ?? charset;
      decoder = new TextDecoder(used, { fatal: true });
      held = Buffer.alloc(0);
    }
    const text = decoded(decoder, bytes, used, line);
    line += lineFeeds(text);
    yield text;
  }
  decoder ??= new TextDecoder(used, { fatal: true });
  const rest = decoded(decoder, held, used, line, true);
  if (rest !== '') yield rest;
}

function decoded(decoder: TextDecoder, bytes: Buffer, charset: Charset, line: number, isEnd = false): string {
  try {
    return decoder.decode(bytes, { stream: !isEnd });
  } catch {
    throw new FileFlaw(
      line + lineFeeds(textBefore(bytes, charset)),
      'encoding_invalid',
      `From here on the file is not ${charset.toUpperCase()}; name its charset, or save it as UTF-8.`,
    );
  }
}

/** What can be read of bytes that cannot all be. The first ones may belong to a character that began earlier. */
function textBefore(bytes: Buffer, charset: Charset): string {
  let from = 0;
  while (charset === 'utf-8' && from < 3 && ((bytes[from] ?? 0) & 0xc0) === 0x80) from++;
  const text = new TextDecoder(charset).decode(bytes.subarray(from));
  const at = text.indexOf('\ufffd');
  return at === -1 ? text : text.slice(0, at);
}

const lineFeeds = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++;
  return count;
};
