import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterThisFile } from '../harness/index.js';

/** A message as it came. */
export interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly text: string;
  readonly body: {
    readonly type: string;
    readonly tableId?: string;
    readonly data: {
      readonly seq?: number;
      readonly reason?: string;
      readonly event?: string;
      readonly created?: readonly { readonly id: string; readonly restored?: true; readonly fields: object }[];
      readonly updated?: readonly object[];
      readonly deleted?: readonly object[];
    };
  };
}

export type Answering = (message: Received, response: ServerResponse) => void;
export const takes: Answering = (_, response) => response.writeHead(204).end();
export const fails =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = 'no'): Answering =>
  (_, response) =>
    response.writeHead(status, headers).end(body);
export const hangs: Answering = () => undefined;

/** A real server that webhooks are sent to. */
export interface Receiver {
  readonly url: string;
  /** All that came, in the order in which it came. */
  readonly got: Received[];
  answer: Answering;
  /** Stops listening, and cuts who is connected. */
  die(): void;
  /** Listens again on the same port. */
  rise(): Promise<void>;
}

export async function receiver(answer: Answering = takes): Promise<Receiver> {
  const got: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const { headers, url = '' } = request;
      const message = {
        id: String(headers['webhook-id']),
        headers,
        path: url,
        text,
        body: JSON.parse(text) as Received['body'],
      };
      got.push(message);
      it.answer(message, response);
    });
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const die = (): void => {
    server.close();
    server.closeAllConnections();
  };
  const port = await listen(0);
  afterThisFile(die);
  const it: Receiver = {
    url: `http://127.0.0.1:${port}/hook?of=test`,
    got,
    answer,
    die,
    rise: async () => {
      await listen(port);
    },
  };
  return it;
}

/** Whether one of a message's signatures was made with the secret: written after the specification, not after the server. */
export function isSignedWith(secret: string, { headers, text }: Pick<Received, 'headers' | 'text'>): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`;
  const expected = createHmac('sha256', key).update(signed).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .some((each) => {
      const [version, signature = ''] = each.split(',');
      const given = Buffer.from(signature, 'base64');
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
    });
}
