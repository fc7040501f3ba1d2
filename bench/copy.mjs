/** PostgreSQL's COPY, straight from the protocol: the least that can bring rows in and out of a table. */
import { once } from 'node:events';
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';

/** What `pg` hands the messages of one query to. */
class Copy {
  constructor(text) {
    this.text = text;
    this.done = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
  }

  submit(connection) {
    connection.query(this.text);
  }

  handleError(error) {
    this.reject(error);
  }

  handleCommandComplete() {
    // How many rows there were is known.
  }

  handleReadyForQuery() {
    this.resolve();
  }
}

class CopyIn extends Copy {
  constructor(text, file) {
    super(text);
    this.file = file;
  }

  handleCopyInResponse(connection) {
    this.send(connection).catch((error) => connection.sendCopyFail(error.message));
  }

  async send(connection) {
    for await (const chunk of createReadStream(this.file, { highWaterMark: 1 << 18 })) {
      connection.sendCopyFromChunk(chunk);
      if (connection.stream.writableNeedDrain) await once(connection.stream, 'drain');
    }
    connection.endCopyFrom();
  }
}

/** Rows come one a message; so many bytes of them are written at once. */
const BLOCK = 1 << 20;

class CopyOut extends Copy {
  bytes = 0;
  block = [];
  held = 0;

  constructor(text, file) {
    super(text);
    this.file = file && openSync(file, 'w');
  }

  /** The bytes are copied: they lie in a buffer that is used again. */
  handleCopyData({ chunk }) {
    this.bytes += chunk.length;
    if (this.file === undefined) return;
    this.block.push(Buffer.from(chunk));
    this.held += chunk.length;
    if (this.held > BLOCK) this.flush();
  }

  handleReadyForQuery() {
    this.flush();
    super.handleReadyForQuery();
  }

  flush() {
    if (this.held > 0) writeSync(this.file, Buffer.concat(this.block));
    this.block = [];
    this.held = 0;
  }
}

/** Runs `copy … from stdin` with the bytes of a file. */
export async function copyIn(client, text, file) {
  const copy = client.query(new CopyIn(text, file));
  await copy.done;
}

/** Runs `copy … to stdout`, into a file where one is named. @returns how many bytes came */
export async function copyOut(client, text, file) {
  const copy = client.query(new CopyOut(text, file));
  await copy.done;
  if (file) closeSync(copy.file);
  return copy.bytes;
}
