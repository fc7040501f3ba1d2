import net from 'node:net';
import tls from 'node:tls';
import { RECORDS_SAMPLE_BYTES as SAMPLE } from '../../src/engines/external/postgres/records-sample.js';
import { afterThisFile } from '../harness/index.js';

const TLS_REQUEST = 80_877_103;
const CANCEL_REQUEST = 80_877_102;

type Step = (talk: PostgresTalk) => unknown;

/** What a server does at each step; what is left out it does as it should, with no rows. */
export interface PostgresScript {
  readonly startup?: Step;
  /** The settings of a session and its version. */
  readonly query?: Step;
  /** Statements with values. */
  readonly execute?: Step;
  /** The statement for a page, to who has shown before that it makes records as PostgreSQL does. Without it, it does not know how. */
  readonly records?: Step;
  /** With this certificate it offers TLS. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** A server in this process that speaks just enough of PostgreSQL's protocol to be believed. */
export interface HostilePostgres {
  readonly port: number;
  /** All that clients sent it, after decryption. */
  received(): Buffer;
  /** Connections that are open now. */
  open(): number;
  /** Requests to stop a statement, each of which comes over a connection of its own. */
  cancelled(): number;
}

/** Listens on a free port until the tests of this file are done. */
export async function hostilePostgres(script: PostgresScript): Promise<HostilePostgres> {
  const sockets = new Set<net.Socket>();
  const chunks: Buffer[] = [];
  let cancelled = 0;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    new PostgresTalk(socket, script, (bytes) => chunks.push(bytes), () => cancelled++); // prettier-ignore
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterThisFile(() => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
  const { port } = server.address() as net.AddressInfo;
  return { port, received: () => Buffer.concat(chunks), open: () => sockets.size, cancelled: () => cancelled };
}

/** One conversation. */
export class PostgresTalk {
  private started = false;
  /** The statement that was prepared last. */
  private parsed = '';
  private buffer = Buffer.alloc(0);
  private stream: net.Socket;

  constructor(
    readonly socket: net.Socket,
    private readonly script: PostgresScript,
    private readonly record: (bytes: Buffer) => void,
    private readonly onCancel: () => void,
  ) {
    this.stream = socket;
    this.listen();
  }

  send(...messages: readonly Buffer[]): boolean {
    return this.raw(Buffer.concat(messages));
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
      // The first message has no type.
      for (let type = this.started ? 1 : 0; this.buffer.length >= type + 4; type = this.started ? 1 : 0) {
        const length = this.buffer.readUInt32BE(type);
        if (this.buffer.length < type + length) return;
        const [kind, body] = [String.fromCharCode(this.buffer[0] ?? 0), this.buffer.subarray(type + 4, type + length)];
        this.buffer = this.buffer.subarray(type + length);
        if (this.started) this.take(kind, body);
        else this.start(body.readUInt32BE(0));
      }
    });
  }

  private start(version: number): void {
    if (version === CANCEL_REQUEST) this.onCancel();
    else if (version !== TLS_REQUEST) {
      this.started = true;
      (this.script.startup ?? welcome)(this);
    } else if (this.script.certificate) this.encrypt();
    else this.raw(Buffer.from('N'));
  }

  private take(kind: string, body: Buffer): void {
    if (kind === 'P') this.parsed = body.toString();
    if (kind === 'S') this.execute();
    if (kind !== 'Q') return;
    if (this.script.query) this.script.query(this);
    else if (body.toString().startsWith('show')) sendRows(this, [['18.1']]);
    else if (body.toString().startsWith('select pg_backend_pid()')) sendRows(this, [[String(PROCESS)]]);
    else this.send(done('SET'), READY);
  }

  private execute(): void {
    const { records, execute = (talk: PostgresTalk) => sendRows(talk, []) } = this.script;
    if (!records || !this.parsed.includes('record_send')) execute(this);
    else if (this.parsed.includes('from (values')) sendBytes(this, SAMPLE);
    else records(this);
  }

  private encrypt(): void {
    this.raw(Buffer.from('S'));
    this.socket.removeAllListeners('data');
    const secureContext = tls.createSecureContext(this.script.certificate);
    this.stream = new tls.TLSSocket(this.socket, { isServer: true, secureContext });
    this.stream.on('error', () => this.socket.destroy());
    this.listen();
  }
}

export function message(type: string, ...body: readonly (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(body.map((part) => Buffer.from(part)));
  const head = Buffer.from(`${type}....`);
  head.writeUInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

export const int16 = (n: number): Buffer => Buffer.from([(n >> 8) & 255, n & 255]);
export const int32 = (n: number): Buffer => Buffer.concat([int16(n >>> 16), int16(n)]);

export const READY = message('Z', 'I');
export const done = (word: string): Buffer => message('C', `${word}\0`);
/** To sign in in this way: 0 is that it is done, 3 the password in clear. */
export const authentication = (code: number): Buffer => message('R', int32(code));
const PROCESS = 7;
const welcome: Step = (talk) => talk.send(authentication(0), message('K', int32(PROCESS), int32(8)), READY);

export const description = (columns: number, format = 0): Buffer =>
  message('T', int16(columns), ...Array.from({ length: columns }, () => Buffer.concat([Buffer.from('c\0'), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(format)]))); // prettier-ignore

export const dataRow = (cells: readonly (string | Buffer)[]): Buffer =>
  message('D', int16(cells.length), ...cells.flatMap((cell) => [int32(Buffer.byteLength(cell)), cell]));

export const refusal = (state: string, text: string, severity = 'ERROR'): Buffer =>
  message('E', `S${severity}\0C${state}\0M${text}\0\0`);

export const sendRows = (
  talk: PostgresTalk,
  rows: readonly (readonly string[])[],
  columns = rows[0]?.length ?? 1,
): boolean => talk.send(description(columns), ...rows.map(dataRow), done(`SELECT ${rows.length}`), READY);

/** The one value of bytes that a page of records is. */
export const sendBytes = (talk: PostgresTalk, bytes: Buffer): boolean =>
  talk.send(description(1, 1), dataRow([bytes]), done('SELECT 1'), READY);
