import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AddressPolicy, PolicedOutbound } from '../../../engines/index.js';
import { targetOfUrl } from '../settings/webhook-url.js';
import { Interrupted, post } from './post.js';

let server: Server;
let port: number;
let hosts: (string | undefined)[];
let isSilent: boolean;

beforeEach(async () => {
  [hosts, isSilent] = [[], false];
  server = createServer((request, response) => {
    hosts.push(request.headers.host);
    if (!isSilent) response.writeHead(200).end('taken');
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

  it('is broken off when the server stops, and nothing is said of it', async () => {
    isSilent = true;
    const stop = new AbortController();
    const attempt = post(target('http'), {}, '{}', leading('127.0.0.2'), stop.signal);
    server.once('request', () => stop.abort());
    await expect(attempt).rejects.toThrow(Interrupted);
  });
});
