import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sendAgain, SentHead } from './sent-head.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let handler: Handler;
const server = http.createServer((request, response) => handler(request, response));
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** The bytes that a handler answers with, and what it says; the connection is ended by us. */
const ask = (answer: Handler, request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    handler = (asked, response) => {
      response.once('close', () => setTimeout(() => socket.end(), 20));
      answer(asked, response);
    };
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('data', (bytes) => (text += bytes.toString('latin1'))).once('close', () => resolve(text));
    socket.write(request);
  });

const UNMEASURED = {
  'x-frame-options': 'DENY',
  'ratelimit-policy': '"public";q=5;w=1',
  ratelimit: '"public";r=4;t=1',
  'server-timing': 'app;dur=0.1',
  'X-Request-Id': 'first',
};
const HEADERS = { ...UNMEASURED, 'content-length': '3' };
const VALUES = {
  date: 'Sat, 28 Nov 2026 03:32:14 GMT',
  'x-request-id': 'second',
  'server-timing': 'app;dur=0.2',
  ratelimit: '"public";r=3;t=1',
  'ratelimit-policy': '"public";q=5;w=1',
};

describe('a head that was sent', () => {
  it('is sent again with other values in the same places, and all else as it was', async () => {
    let head: SentHead | undefined;
    const first = await ask((_, response) => {
      response.writeHead(200, HEADERS).end('abc');
      head = SentHead.of(response);
    });
    const second = await ask((_, response) => {
      sendAgain(response, 200, head?.with(VALUES) ?? '', Buffer.from('äx'));
    });
    const changed = first
      .replace('first', 'second')
      .replace('dur=0.1', 'dur=0.2')
      .replace('r=4', 'r=3')
      .replace(/Date: .*/, `Date: ${VALUES.date}`)
      .replace('abc', Buffer.from('äx').toString('latin1'));
    expect(second).toBe(changed);
  });

  it('is none where the connection ends with it, its length is not known, a value is missing or there twice, or nothing was sent', async () => {
    const heads: (SentHead | undefined)[] = [];
    const of =
      (headers: http.OutgoingHttpHeaders): Handler =>
      (_, response) => {
        heads.push(SentHead.of(response));
        response.writeHead(200, headers).end('abc');
        heads.push(SentHead.of(response));
      };
    await ask(of({ ...UNMEASURED, 'transfer-encoding': 'chunked' }));
    await ask(of({ ...HEADERS, connection: 'close' }));
    await ask(of({ ...HEADERS, 'server-timing': ['a', 'b'] }));
    await ask(of({ 'content-length': '3' }));
    await ask(of(HEADERS), 'GET / HTTP/1.0\r\n\r\n');
    expect(heads).toEqual(Array(10).fill(undefined));
  });
});
