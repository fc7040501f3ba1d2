import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { failureOf, isRefused, smtp } from './mail-transport.js';

describe('a mail server that drips', () => {
  let server: net.Server;
  let port: number;
  let gone: Promise<unknown>;
  beforeAll(async () => {
    server = net.createServer((socket) => {
      gone = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => undefined);
      socket.write('220 here\r\n');
      // Never done with its answer, and never silent.
      const drip = setInterval(() => socket.write('250-wait\r\n'), 20);
      socket.once('close', () => clearInterval(drip));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as net.AddressInfo);
  });
  afterAll(() => void server.close());

  it('is left after a while, and the connection is closed', async () => {
    const send = smtp(`smtp://127.0.0.1:${port}`, 'us@example.org', 300);
    await expect(send('ada@example.org', { subject: 'Hello', text: 'Hello' })).rejects.toThrow();
    await gone;
  });
});

describe('what failed', () => {
  it('is told without the words of the mail server, which quote addresses', () => {
    const error = Object.assign(new Error('550 <victim@example.org> unknown'), {
      code: 'EENVELOPE',
      responseCode: 550,
      response: '550 <victim@example.org> unknown',
    });
    expect(JSON.stringify(failureOf(error))).toBe('{"code":"EENVELOPE","responseCode":550}');
    expect(failureOf(undefined)).toEqual({});
  });

  it.each([
    [550, true],
    [554, true],
    [535, false], // our own password is wrong: the operator mends it, and the mail goes out
    [451, false],
    [undefined, false],
  ])('with reply %s is for good: %s', (responseCode, forGood) => {
    expect(isRefused(Object.assign(new Error('no'), { responseCode }))).toBe(forGood);
  });
});
