import type { Socket } from 'node:net';
import tls from 'node:tls';
import mysql, { type Connection, type ConnectionOptions, type TypeCast } from 'mysql2';
import type { ConnectionTarget } from '../external-engine.js';
import type { Watch } from '../sql/bounded-session.js';
import type { Cell } from '../sql/sql-engine.js';

/** What the driver keeps to itself and we have to watch. Each of these is called through the object, so that ours goes first. */
interface Internals {
  readonly _command: unknown;
  readonly sequenceId: number;
  readonly stream: Socket;
  handlePacket(packet?: Packet): void;
  startTLS(onSecure: (error?: unknown) => void): void;
}

interface Packet {
  readonly sequenceId: number;
  readonly buffer: Buffer;
  readonly offset: number;
  readLengthCodedNumberExt(tag: number | undefined, ...rest: readonly unknown[]): unknown;
}

/** A first byte by which a server asks for a file of ours (Protocol::LOCAL_INFILE_Request); nothing else of what we ask for begins so. */
const FILE_REQUEST = 0xfb;

/** Everything as the wire holds it: the driver would make objects of JSON and points, and drop bytes of binary texts. */
const exactly: TypeCast = (field, next): Cell => {
  switch (field.type) {
    case 'GEOMETRY':
    case 'VECTOR':
    case 'BIT':
      return field.buffer();
    case 'JSON':
      return field.string('utf8');
    default:
      return next() as Cell;
  }
};

/**
 * A connection over this socket with options of ours only. Whatever arrives is looked at before the driver gets it, and what the driver throws
 * over it ends here: the other side may be anybody.
 */
export function connect(target: ConnectionTarget, socket: Socket, watch: Watch): Connection {
  const connection = mysql.createConnection(optionsFor(target, socket));
  const internals = connection as unknown as Internals;
  connection.on('error', (error) => watch.failed(error));
  guardPackets(internals, watch);
  meter(internals.stream, watch);
  const startTls = internals.startTLS.bind(connection);
  internals.startTLS = (onSecure) => {
    startTls((error) => onSecure(error ?? wrongIdentity(target, internals.stream)));
    meter(internals.stream, watch);
  };
  return connection;
}

function optionsFor(target: ConnectionTarget, socket: Socket): ConnectionOptions {
  const { host, port, username, password, database, tls: choice } = target;
  return {
    host, // a name for TLS only: the socket is connected by us
    port,
    user: username,
    password,
    database,
    stream: () => socket,
    connectTimeout: 0, // ours counts until the session is ready
    charset: 'utf8mb4',
    flags: ['-LOCAL_FILES', '-MULTI_RESULTS', '-ODBC', '-IGNORE_SPACE'],
    multipleStatements: false,
    infileStreamFactory: noFile,
    rowsAsArray: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    timezone: 'Z',
    typeCast: exactly,
    // No code is made from names that the server sends.
    disableEval: true,
    maxPreparedStatements: 32,
    // Only to whom the authorities vouch for.
    enableCleartextPlugin: choice.mode === 'verify-full',
    ...(choice.mode === 'disable'
      ? {}
      : {
          ssl: {
            rejectUnauthorized: choice.mode === 'verify-full',
            verifyIdentity: false, // see wrongIdentity
            ...(choice.ca === undefined ? {} : { ca: choice.ca }),
          },
        }),
  };
}

/** The driver calls it when a server asks for a file; {@link guardPackets} is faster. */
function noFile(): never {
  throw new Error('the server asked for a file');
}

/** The driver compares names only where the host is one; for addresses Node would take a certificate of `localhost`. */
function wrongIdentity({ host, tls: choice }: ConnectionTarget, stream: Socket): Error | undefined {
  if (choice.mode !== 'verify-full') return undefined;
  if (!(stream instanceof tls.TLSSocket)) return new Error('the connection is not encrypted');
  return tls.checkServerIdentity(host.replace(/^\[(.*)\]$/, '$1'), stream.getPeerCertificate());
}

const meter = (stream: Socket, watch: Watch) =>
  void stream.on('data', (chunk: Buffer) => {
    watch.received(chunk.length);
  });

function guardPackets(internals: Internals, watch: Watch): void {
  const handle = internals.handlePacket.bind(internals);
  let refused = false;
  internals.handlePacket = (packet) => {
    if (refused) return;
    try {
      const flaw = packet && flawOf(packet, internals);
      if (flaw) throw new Error(flaw);
      if (packet) {
        refuseNoNumber(packet);
        watch.message();
      }
      handle(packet);
    } catch (error) {
      refused = true;
      watch.failed(error);
    }
  };
}

function flawOf(packet: Packet, internals: Internals): string | undefined {
  if (!internals._command) return 'the server spoke unasked';
  // The driver would only write a line to the console, for each such packet.
  if (packet.sequenceId !== internals.sequenceId) return 'packets out of order';
  return packet.buffer[packet.offset] === FILE_REQUEST ? 'the server asked for a file' : undefined;
}

/** Where a number begins with 0xff, or behind the end, there is none. The driver would print a stack before it says so; most packets are one and the same object. */
function refuseNoNumber(packet: Packet): void {
  if (Object.hasOwn(packet, 'readLengthCodedNumberExt')) return;
  const read = packet.readLengthCodedNumberExt.bind(packet);
  packet.readLengthCodedNumberExt = (tag, ...rest) => {
    if (tag === undefined || tag > 0xfe) throw new Error('a number that is none');
    return read(tag, ...rest);
  };
}
