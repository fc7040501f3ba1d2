import type { Socket } from 'node:net';
import type pg from 'pg';
import { Problem } from '../../../common/index.js';
import { BinaryParser, DATA_ROW, isWholeRow, RecordClient } from '../../../database/mini/index.js';
import type { ConnectionTarget } from '../external-engine.js';
import type { Watch } from '../sql/bounded-session.js';
import { messageReader } from './messages.js';

/** What the driver keeps to itself and we have to watch. */
interface Internals {
  readonly connection: {
    readonly stream: Socket;
    on(event: 'sslconnect' | 'authenticationCleartextPassword', listener: () => void): void;
  };
  readonly connectionParameters: { options?: string };
  readonly processID: number | null;
  readonly secretKey: number | null;
}

/** Believes no length: what stands in the memory behind a row is of somebody else. */
class CheckedParser extends BinaryParser {
  override handlePacket(...[offset, code, length, bytes]: Parameters<BinaryParser['handlePacket']>) {
    if (code === DATA_ROW && !isWholeRow(offset, length, bytes))
      throw new Error('a row that is not as long as it says');
    return super.handlePacket(offset, code, length, bytes);
  }
}

/** Values stay PostgreSQL's text: nothing loses a digit. Those in binary form stay bytes. */
const textOnly: pg.CustomTypesConfig = { getTypeParser: () => (text: string | Buffer) => text };

/**
 * A client over this socket with options of ours only: none is left to the environment, where the driver would look for those that are
 * empty. What the driver throws over something that arrives ends here: the other side may be anybody.
 */
export function clientFor(target: ConnectionTarget, socket: Socket, watch: Watch): pg.Client {
  const { host, port, username, password, database, tls } = target;
  const config: pg.ClientConfig = {
    host,
    port,
    user: username,
    // As a function, for an empty text would be looked up elsewhere.
    password: () => password,
    database,
    ssl:
      tls.mode === 'disable'
        ? false
        : { rejectUnauthorized: tls.mode === 'verify-full', ...(tls.ca === undefined ? {} : { ca: tls.ca }) },
    sslnegotiation: 'postgres',
    stream: () => socket,
    application_name: 'live-tables',
    client_encoding: 'UTF8',
    keepAlive: true,
    types: textOnly,
  };
  const client = new RecordClient(config, () => new CheckedParser());
  const { connection, connectionParameters } = internalsOf(client);
  delete connectionParameters.options;
  client.on('error', (error) => watch.failed(error));
  // Ours goes first, and the driver gives the password to whoever asks: also without TLS, and in the middle of a session.
  connection.on('authenticationCleartextPassword', () => {
    if (tls.mode !== 'verify-full') throw clearPassword();
  });
  const encrypted = tls.mode !== 'disable';
  // Before TLS begins there is one byte, which is no message.
  guard(socket, watch, encrypted ? undefined : messageReader(() => watch.message()));
  connection.on('sslconnect', () =>
    guard(
      connection.stream,
      watch,
      messageReader(() => watch.message()),
    ),
  );
  return client;
}

const clearPassword = () =>
  new Problem('source_unreachable', {
    detail: 'The server asks for the password in clear, which is given with tls.mode verify-full only.',
  });

/** Meters and reads what comes, before the driver does, and catches what the driver throws over it. */
function guard(stream: Socket, watch: Watch, read?: (chunk: Buffer) => void): void {
  const emit = stream.emit.bind(stream) as (event: string | symbol, ...values: unknown[]) => boolean;
  let refused = false;
  stream.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event !== 'data') return emit(event, ...values);
    if (refused) return true;
    try {
      const chunk = values[0] as Buffer;
      watch.received(chunk.length);
      read?.(chunk);
      return emit(event, ...values);
    } catch (error) {
      refused = true;
      watch.failed(error);
      return true;
    }
  };
}

/** The process that serves the session, as the server said when it began (manual 54.7, BackendKeyData). */
export const toldProcess = (client: pg.Client): number | null => internalsOf(client).processID;

const CANCEL_REQUEST = 80_877_102;

/** The message that asks a server to stop what a session is doing (manual 54.7, CancelRequest); sent over a connection of its own. */
export function cancelRequest(client: pg.Client): Buffer | undefined {
  const { processID, secretKey } = internalsOf(client);
  if (typeof processID !== 'number' || typeof secretKey !== 'number') return undefined;
  const message = Buffer.alloc(16);
  [16, CANCEL_REQUEST, processID, secretKey].forEach((part, i) => message.writeInt32BE(part | 0, i * 4));
  return message;
}

const internalsOf = (client: pg.Client): Internals => client as unknown as Internals;
