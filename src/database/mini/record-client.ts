import pg from 'pg';
import type { BackendMessage, DataRowMessage, RowDescriptionMessage } from 'pg-protocol/dist/messages.js';
import { Parser } from 'pg-protocol/dist/parser.js';

/*
 * The driver can ask for results in binary form, and then reads every value as UTF-8, which spoils it. Here values that the server says are
 * binary are handed on as the bytes that they are; everything else is read by the driver. Formats of messages: PostgreSQL manual, 54.7.
 * None of this is documented by the driver, so its version is pinned, and `records.engine-spec` would notice.
 */

const ROW_DESCRIPTION = 0x54;
export const DATA_ROW = 0x44;
const READY_FOR_QUERY = 0x5a;

/** What {@link Parser} has and its typings keep to themselves. */
export interface OpenParser {
  parse(buffer: Buffer, callback: (message: BackendMessage) => void): void;
  handlePacket(offset: number, code: number, length: number, bytes: Buffer): BackendMessage;
}
const OpenParser = Parser as unknown as new () => OpenParser;

/** Values in binary form are views of the memory that was received, so they have to be read at once. */
export class BinaryParser extends OpenParser {
  /** Whether the rows that follow are in binary form: it is asked of all columns of a statement or of none. */
  isBinary = false;

  override handlePacket(offset: number, code: number, length: number, bytes: Buffer): BackendMessage {
    if (code === DATA_ROW && this.isBinary) return dataRow(offset, length, bytes);
    const message = super.handlePacket(offset, code, length, bytes);
    if (code === ROW_DESCRIPTION)
      this.isBinary = (message as RowDescriptionMessage).fields.some(({ format }) => format === 'binary');
    else if (code === READY_FOR_QUERY) this.isBinary = false;
    return message;
  }
}

type BinaryRow = Omit<DataRowMessage, 'fields'> & { readonly fields: readonly (Buffer | null)[] };

/** A row from behind its head: how many values, and of each the length, −1 for null, and the bytes. */
function dataRow(offset: number, length: number, bytes: Buffer): BinaryRow {
  const fieldCount = bytes.readInt16BE(offset);
  const fields: (Buffer | null)[] = [];
  let at = offset + 2;
  for (let i = 0; i < fieldCount; i++) {
    const size = bytes.readInt32BE(at);
    at += 4;
    fields.push(size < 0 ? null : bytes.subarray(at, at + size));
    at += Math.max(0, size);
  }
  return { name: 'dataRow', length, fieldCount, fields };
}

/** What a client has its messages from. */
interface Connection {
  attachListeners(stream: NodeJS.ReadableStream): void;
  emit(event: string, message: BackendMessage): boolean;
  /** Not the driver's: who asks for rows without their description has to say it. */
  expectBinary?: () => void;
}

/** Whether the values of a row end where its message does: the driver reads on in the memory behind it, whatever there is. */
export function isWholeRow(offset: number, length: number, bytes: Buffer): boolean {
  const end = offset + length - 4;
  let at = offset + 2;
  if (at > end) return false;
  for (let left = bytes.readUInt16BE(offset); left > 0; left--) {
    if (at + 4 > end) return false;
    at += 4 + Math.max(0, bytes.readInt32BE(at));
  }
  return at === end;
}

/** A client whose binary results are bytes. */
export class RecordClient extends pg.Client {
  /** @param parser a new one for each stream */
  constructor(config?: pg.ClientConfig, parser: () => BinaryParser = () => new BinaryParser()) {
    super(config);
    const { connection } = this as unknown as { readonly connection: Connection };
    connection.attachListeners = (stream) => {
      const own = parser();
      connection.expectBinary = () => {
        own.isBinary = true;
      };
      const heard = (message: BackendMessage): void => {
        connection.emit(message.name === 'error' ? 'errorMessage' : message.name, message);
      };
      stream.on('data', (bytes: Buffer) => {
        own.parse(bytes, heard);
      });
    };
  }
}
