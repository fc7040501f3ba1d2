import net from 'node:net';
import tls from 'node:tls';
import { afterThisFile } from '../harness/index.js';

/** Commands of the protocol that our driver sends. */
const QUERY = 0x03;
const PREPARE = 0x16;
const EXECUTE = 0x17;

type Step = (talk: Talk) => unknown;

/** What a server does at each step; what is left out it does as it should, with no rows. */
export interface Script {
  readonly greeting?: Step;
  readonly afterSignIn?: Step;
  readonly query?: Step;
  readonly prepare?: Step;
  readonly execute?: Step;
  /** With this certificate it offers TLS. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** A server in this process that speaks just enough of MySQL's protocol to be believed. */
export interface HostileMysql {
  readonly port: number;
  /** All that clients sent it, after decryption. */
  received(): Buffer;
  /** Connections that are open now. */
  open(): number;
}

/** Listens on a free port until the tests of this file are done. */
export async function hostileMysql(script: Script): Promise<HostileMysql> {
  const sockets = new Set<net.Socket>();
  const chunks: Buffer[] = [];
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    const talk = new Talk(socket, script, (bytes) => chunks.push(bytes));
    if (script.greeting) script.greeting(talk);
    else talk.send(greeting(script.certificate !== undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterThisFile(() => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  const { port } = server.address() as net.AddressInfo;
  return { port, received: () => Buffer.concat(chunks), open: () => sockets.size };
}

/** One conversation. */
export class Talk {
  private sequence = 0;
  private signedIn = false;
  private buffer = Buffer.alloc(0);
  private stream: net.Socket;

  constructor(
    readonly socket: net.Socket,
    private readonly script: Script,
    private readonly record: (bytes: Buffer) => void,
  ) {
    this.stream = socket;
    this.listen();
  }

  /** A packet in its turn; what is longer than one packet takes goes out as several. */
  send(payload: Buffer): boolean {
    const header = Buffer.alloc(4);
    header.writeUIntLE(payload.length, 0, 3);
    header[3] = this.sequence++ % 256;
    return this.raw(Buffer.concat([header, payload]));
  }

  raw(bytes: Buffer): boolean {
    return !this.stream.destroyed && this.stream.write(bytes);
  }

  /** Sends again and again until the other side has enough; gives others their turn between. */
  endlessly(send: () => boolean): void {
    if (this.stream.destroyed) return;
    if (send()) setImmediate(() => this.endlessly(send));
    else this.stream.once('drain', () => this.endlessly(send));
  }

  private listen(): void {
    this.stream.on('data', (chunk: Buffer) => {
      this.record(chunk);
      this.buffer = Buffer.concat([this.buffer, chunk]);
      for (let length = this.complete(); length !== undefined; length = this.complete()) {
        const payload = this.buffer.subarray(4, 4 + length);
        this.sequence = (this.buffer[3] ?? 0) + 1;
        this.buffer = this.buffer.subarray(4 + length);
        this.take(payload);
      }
    });
  }

  private complete(): number | undefined {
    if (this.buffer.length < 4) return undefined;
    const length = this.buffer.readUIntLE(0, 3);
    return this.buffer.length >= 4 + length ? length : undefined;
  }

  private take(payload: Buffer): void {
    if (this.signedIn) this.stepFor(payload[0])?.(this);
    // A request for TLS is the head of a sign-in without the rest.
    else if (this.script.certificate && payload.length === 32 && this.stream === this.socket) this.encrypt();
    else {
      this.signedIn = true;
      (this.script.afterSignIn ?? agree)(this);
    }
  }

  private stepFor(command: number | undefined): Step | undefined {
    if (command === QUERY) return this.script.query ?? agree;
    if (command === PREPARE) return this.script.prepare ?? ((talk) => talk.send(PREPARED));
    if (command === EXECUTE) return this.script.execute ?? agree;
    return undefined;
  }

  private encrypt(): void {
    this.socket.removeAllListeners('data');
    this.socket.pause();
    // What came right behind the request is the client's hello.
    if (this.buffer.length > 0) this.socket.unshift(this.buffer);
    this.buffer = Buffer.alloc(0);
    const secureContext = tls.createSecureContext(this.script.certificate);
    this.stream = new tls.TLSSocket(this.socket, { isServer: true, secureContext });
    this.stream.on('error', () => this.socket.destroy());
    this.listen();
  }
}

export const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const agree: Step = (talk) => talk.send(OK);
const EOF = Buffer.from([0xfe, 0, 0, 2, 0]);
/** Statement 1, without columns and parameters. */
const PREPARED = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
/** "Send me this file of yours" (Protocol::LOCAL_INFILE_Request). */
export const FILE_REQUEST = Buffer.concat([Buffer.from([0xfb]), Buffer.from('/etc/hostname')]);

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([lengthOf(bytes.length), bytes]);
};

function lengthOf(length: number): Buffer {
  if (length < 251) return Buffer.from([length]);
  const long = Buffer.alloc(9);
  long[0] = 0xfe;
  long.writeBigUInt64LE(BigInt(length), 1);
  return long;
}

export function greeting(offersTls: boolean, version = '8.4.0'): Buffer {
  const capabilities = 0x1 | 0x200 | 0x2000 | 0x8000 | 0x80000 | (offersTls ? 0x800 : 0);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(capabilities);
  return Buffer.concat([
    Buffer.from([10]),
    Buffer.from(`${version}\0`),
    Buffer.from([1, 0, 0, 0]),
    Buffer.alloc(8, 0x61),
    Buffer.from([0]),
    flags.subarray(0, 2),
    Buffer.from([45, 2, 0]),
    flags.subarray(2),
    Buffer.from([21]),
    Buffer.alloc(10),
    Buffer.concat([Buffer.alloc(12, 0x62), Buffer.from([0])]),
    Buffer.from('mysql_native_password\0'),
  ]);
}

/** Asks to sign in once more in another way. */
export const signInBy = (plugin: string): Buffer =>
  Buffer.concat([Buffer.from([0xfe]), Buffer.from(`${plugin}\0`), Buffer.alloc(20, 0x63), Buffer.from([0])]);

export const refusal = (number: number, message: string): Buffer => {
  const head = Buffer.from([0xff, 0, 0, ...Buffer.from('#HY000')]);
  head.writeUInt16LE(number, 1);
  return Buffer.concat([head, Buffer.from(message)]);
};

/** A column of texts in UTF-8. */
export const textColumn = (name: string): Buffer =>
  Buffer.concat([
    ...['def', 'example', 'o', 'o', name, name].map(text),
    Buffer.from([0x0c, 45, 0, 0xff, 0xff, 0, 0, 253, 0, 0, 0, 0, 0]),
  ]);

/** A row of texts as prepared statements give it; of up to six columns. */
export const textRow = (cells: readonly string[]): Buffer => Buffer.concat([Buffer.from([0, 0]), ...cells.map(text)]);

export function sendColumns(talk: Talk, columns: readonly string[]): void {
  talk.send(Buffer.from([columns.length]));
  for (const name of columns) talk.send(textColumn(name));
  talk.send(EOF);
}

export function sendRows(talk: Talk, columns: readonly string[], rows: readonly (readonly string[])[]): void {
  sendColumns(talk, columns);
  for (const row of rows) talk.send(textRow(row));
  talk.send(EOF);
}
