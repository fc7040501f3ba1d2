import type { LookupAddress } from 'node:dns';
import { getEventListeners, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AddressPolicy, PolicedOutbound } from '../../../engines/index.js';
import { targetOfUrl } from '../settings/webhook-url.js';
import { Interrupted, post } from './post.js';

let server: Server;
let port: number;
let hosts: (string | undefined)[];
let isSilent: boolean;
let retryAfter: string | undefined;

beforeEach(async () => {
  [hosts, isSilent, retryAfter] = [[], false, undefined];
  server = createServer((request, response) => {
    hosts.push(request.headers.host);
    if (!isSilent) response.writeHead(200, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end('taken');
  }).listen(0, '127.0.0.2');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A way out to 127.0.0.2 only, where the name leads to one address after the other. */
function leading(...addresses: readonly string[]): PolicedOutbound {
  let nth = 0;
  return new PolicedOutbound(new AddressPolicy(['127.0.0.2/32']), () =>
    Promise.resolve([{ address: addresses[nth++] ?? '', family: 4 }]),
  );
}
const never = new AbortController().signal;
const target = (scheme: string) => targetOfUrl(`${scheme}://hooks.example:${port}/`, true);

describe('an attempt', () => {
  it('judges the name anew each time, and connects to what was judged', async () => {
    const outbound = leading('127.0.0.2', '127.0.0.1');
    const attempt = () => post(target('http'), {}, '{}', outbound, never);
    expect(await attempt()).toMatchObject({ ok: true, status: 200, excerpt: 'taken' });
    expect(await attempt()).toMatchObject({ ok: false, status: null, error: 'host_not_allowed', excerpt: '' });
    expect(hosts).toEqual([`hooks.example:${port}`]);
  });

  it.each(['http', 'https'])(
    'tells a closed address of %s from one that does not answer as it should',
    async (scheme) => {
      expect(await post(target(scheme), {}, '{}', leading('10.0.0.1'), never)).toMatchObject({
        error: 'host_not_allowed',
      });
      // Nobody speaks TLS there, and no certificate is of this name.
      if (scheme === 'https')
        expect(await post(target(scheme), {}, '{}', leading('127.0.0.2'), never)).toMatchObject({
          error: 'unreachable',
        });
    },
  );

  it('leaves no connection behind when it is broken off before anything was said, by TLS neither', async () => {
    const mute = createTcpServer().listen(0, '127.0.0.2');
    await once(mute, 'listening');
    const to = { ...target('https'), port: (mute.address() as AddressInfo).port };
    const stop = new AbortController();
    const attempt = post(to, {}, '{}', leading('127.0.0.2'), stop.signal);
    const [socket] = (await once(mute, 'connection')) as [Socket];
    socket.resume();
    stop.abort();
    await expect(attempt).rejects.toThrow(Interrupted);
    await once(socket, 'close');
    mute.close();
  });

  it('connects to nothing when it is broken off while the name is looked up', async () => {
    let found: (addresses: readonly LookupAddress[]) => void = () => undefined;
    const outbound = new PolicedOutbound(
      new AddressPolicy(['127.0.0.2/32']),
      () => new Promise((resolve) => (found = resolve)),
    );
    const stop = new AbortController();
    let connections = 0;
    server.on('connection', () => connections++);
    const attempt = post(target('https'), {}, '{}', outbound, stop.signal);
    setImmediate(() => stop.abort());
    await expect(attempt).rejects.toThrow(Interrupted);
    found([{ address: '127.0.0.2', family: 4 }]);
    // Behind it there is another one, so that what would have come has come.
    await post(target('http'), {}, '{}', leading('127.0.0.2'), never);
    expect(connections).toBe(1);
  });

  it.each([
    ['120', 120],
    [new Date(Date.now() + 3_600_000).toUTCString(), 3_600],
  ])('tells how long the receiver wants to be left alone: %s', async (header, seconds) => {
    retryAfter = header;
    const { retryAfterSeconds } = await post(target('http'), {}, '{}', leading('127.0.0.2'), never);
    expect(Math.abs((retryAfterSeconds ?? 0) - seconds)).toBeLessThan(600);
  });

  it.each(['', '-5', 'soon', '1e9', 'Fri, 27 Nov 2020 10:00:00 GMT'])(
    'is asked for no wait by Retry-After: %s',
    async (header) => {
      retryAfter = header;
      expect(await post(target('http'), {}, '{}', leading('127.0.0.2'), never)).not.toHaveProperty('retryAfterSeconds');
    },
  );

  it('is broken off when the server stops, and nothing is said of it', async () => {
    isSilent = true;
    const stop = new AbortController();
    const attempt = post(target('http'), {}, '{}', leading('127.0.0.2'), stop.signal);
    server.once('request', () => stop.abort());
    await expect(attempt).rejects.toThrow(Interrupted);
  });

  it('leaves nothing behind at the signal by which the server stops', async () => {
    const { signal } = new AbortController();
    for (let nr = 0; nr < 3; nr++) await post(target('http'), {}, '{}', leading('127.0.0.2'), signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    // Where Node.js keeps the signals that were made of it by `AbortSignal.any`.
    const made = Object.getOwnPropertySymbols(signal).find(({ description }) => description === 'kDependantSignals');
    const kept = made && (Reflect.get(signal, made) as { readonly size: number } | null);
    expect(kept?.size ?? 0).toBe(0);
  });
});
