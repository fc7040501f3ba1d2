import { BSON } from 'mongodb';
import type { Doc } from './values.js';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;

export interface Message {
  readonly requestId: number;
  readonly isQuery: boolean;
  readonly command: Doc;
}

const read = (bytes: Buffer): Doc => BSON.deserialize(bytes, { promoteValues: false, bsonRegExp: true });

/** A document at a place, and where it ends. */
function documentAt(bytes: Buffer, at: number): readonly [Doc, number] {
  const end = at + bytes.readInt32LE(at);
  return [read(bytes.subarray(at, end)), end];
}

/** Takes bytes apart into messages; what is not whole yet is kept for the next call. */
export class MessageReader {
  private kept = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<Message> {
    this.kept = Buffer.concat([this.kept, chunk]);
    while (this.kept.length >= HEADER && this.kept.length >= this.kept.readInt32LE(0)) {
      const length = this.kept.readInt32LE(0);
      const message = this.kept.subarray(0, length);
      this.kept = this.kept.subarray(length);
      yield parse(message);
    }
  }
}

function parse(message: Buffer): Message {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode === OP_QUERY) {
    const name = message.indexOf(0, HEADER + 4);
    return { requestId, isQuery: true, command: documentAt(message, name + 9)[0] };
  }
  if (opCode !== OP_MSG) throw new Error(`no operation ${opCode} here`);
  let command: Doc = {};
  let at = HEADER + 4;
  while (at < message.length) {
    const kind = message[at];
    if (kind === 0) {
      const [body, end] = documentAt(message, at + 1);
      command = { ...command, ...body };
      at = end;
      continue;
    }
    const end = at + 1 + message.readInt32LE(at + 1);
    const name = message.indexOf(0, at + 5);
    const docs: Doc[] = [];
    for (let next = name + 1; next < end;) {
      const [doc, behind] = documentAt(message, next);
      docs.push(doc);
      next = behind;
    }
    command = { ...command, [message.toString('utf8', at + 5, name)]: docs };
    at = end;
  }
  return { requestId, isQuery: false, command };
}

/** The bytes of an answer, as the message was asked. */
export function answer({ requestId, isQuery }: Message, doc: Doc): Buffer {
  const body = Buffer.from(BSON.serialize(doc));
  // Flags, cursor, start and number of an OP_REPLY; flags and kind of section of an OP_MSG.
  const middle = Buffer.alloc(isQuery ? 20 : 5);
  if (isQuery) middle.writeInt32LE(1, 16);
  const header = Buffer.alloc(HEADER);
  header.writeInt32LE(HEADER + middle.length + body.length, 0);
  header.writeInt32LE(requestId, 8);
  header.writeInt32LE(isQuery ? OP_REPLY : OP_MSG, 12);
  return Buffer.concat([header, middle, body]);
}
