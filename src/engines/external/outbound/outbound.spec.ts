import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { LookupAddress } from 'node:dns';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Problem } from '../../../common/index.js';
import { AddressPolicy } from './address-policy.js';
import { PolicedOutbound } from './policed-outbound.js';

const address = (text: string): LookupAddress => ({ address: text, family: text.includes(':') ? 6 : 4 });

/** A resolver that answers a name with one list after the other, the last one again and again. */
function resolving(names: Record<string, readonly (readonly string[])[]>) {
  const asked: string[] = [];
  const resolve = (host: string) => {
    const nth = asked.filter((name) => name === host).length;
    asked.push(host);
    const answers = names[host];
    if (!answers) return Promise.reject(Object.assign(new Error('ENOTFOUND'), { code: 'ENOTFOUND' }));
    return Promise.resolve((answers[nth] ?? answers.at(-1) ?? []).map(address));
  };
  return { asked, resolve };
}

const caught = async (work: Promise<unknown>): Promise<Problem> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw new Error('should have been refused', { cause: error });
  return error;
};

describe('the policy of addresses', () => {
  const strict = new AddressPolicy([]);

  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    'fe80::1',
    'fe80::1%eth0',
    '2606:4700::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'fec0::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '::7f00:1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::10.1.2.3',
    '64:ff9b:1::8.8.8.8',
    '2002:7f00:1::',
    '2002:0808:0808::1',
    '2001:0:7f00:1::1',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    '5f00::1',
    'localhost',
    '127.1',
    '2130706433',
    '',
    '[::1]',
  ])('closes %s', (text) => {
    expect(strict.permits(text)).toBe(false);
  });

  it.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '64:ff9b::8.8.8.8'])(
    'opens %s',
    (text) => {
      expect(strict.permits(text)).toBe(true);
    },
  );

  it('opens exactly the networks that the operator allows', () => {
    const policy = new AddressPolicy(['10.20.0.0/16', '192.168.7.7', 'fd12::/16', '::1']);
    expect(['10.20.0.1', '10.20.255.255', '192.168.7.7', 'fd12::5', '::1'].map((one) => policy.permits(one))).toEqual(
      Array(5).fill(true),
    );
    expect(
      ['10.21.0.1', '192.168.7.8', 'fd13::5', '::2', '127.0.0.1', '::ffff:10.20.0.1'].map((one) => policy.permits(one)),
    ).toEqual(Array(6).fill(false));
  });

  it('takes all of IPv6 for just that', () => {
    const policy = new AddressPolicy(['::/0']);
    expect(policy.permits('fe80::1')).toBe(true);
    expect(policy.permits('127.0.0.1')).toBe(false);
  });
});

describe('the way out', () => {
  let server: Server;
  let port: number;
  let callers: string[];
  const loopback = new AddressPolicy(['127.0.0.2/32']);

  beforeEach(async () => {
    callers = [];
    server = createServer((socket) => {
      callers.push(socket.localAddress ?? '');
      socket.destroy();
    }).listen(0, '0.0.0.0');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });

  afterEach(() => {
    server.close();
  });

  const connected = async (outbound: PolicedOutbound, ...place: unknown[]): Promise<string> => {
    const socket = outbound.socket();
    const failed = once(socket, 'error').then(([error]) => Promise.reject(error as Error));
    const fine = once(socket, 'connect').then(() => socket.remoteAddress ?? '');
    (socket.connect as (...given: unknown[]) => unknown)(...place);
    return Promise.race([fine, failed]).finally(() => socket.destroy());
  };

  it('connects to the address that was judged', async () => {
    const { resolve, asked } = resolving({ 'db.example': [['127.0.0.2']] });
    const outbound = new PolicedOutbound(loopback, resolve);
    expect(await connected(outbound, port, 'db.example')).toBe('127.0.0.2');
    expect(await connected(outbound, { host: 'db.example', port })).toBe('127.0.0.2');
    expect(await connected(outbound, String(port), '127.0.0.2')).toBe('127.0.0.2');
    // Once per connect: what was judged is what was connected to, nobody asked again in between.
    expect(asked).toEqual(['db.example', 'db.example']);
  });

  it('judges a name anew at each connect, so that one that changes its mind is refused', async () => {
    const { resolve } = resolving({ 'rebinding.example': [['127.0.0.2'], ['127.0.0.1']] });
    const outbound = new PolicedOutbound(loopback, resolve);
    expect(await connected(outbound, port, 'rebinding.example')).toBe('127.0.0.2');
    expect((await caught(connected(outbound, port, 'rebinding.example'))).code).toBe('host_not_allowed');
    expect((await caught(outbound.judge('rebinding.example'))).code).toBe('host_not_allowed');
    expect(callers).toEqual(['127.0.0.2']);
  });

  it('refuses a name when one of its addresses is closed, in the same words as all else', async () => {
    const { resolve } = resolving({
      'mixed.example': [['8.8.8.8', '127.0.0.1']],
      'inside.example': [['10.0.0.7']],
      '2130706433': [['127.0.0.1']],
      '0x7f.1': [['127.0.0.1']],
      '0177.0.0.1': [['127.0.0.1']],
    });
    const outbound = new PolicedOutbound(new AddressPolicy([]), resolve);
    const hosts = ['mixed.example', 'inside.example', '2130706433', '0x7f.1', '0177.0.0.1', '127.0.0.1', '::1'];
    const odd = ['', ' ', 'a b', '/var/run/postgresql', '\\\\.\\pipe\\x', '@abstract', 'fe80::1%eth0', '[::1]', 'a\0b'];
    const refusals = await Promise.all(
      [...hosts, ...odd].flatMap((host) => [caught(outbound.judge(host)), caught(connected(outbound, port, host))]),
    );
    expect(new Set(refusals.map((refusal) => JSON.stringify(refusal.body())))).toEqual(
      new Set([JSON.stringify(new Problem('host_not_allowed').body())]),
    );
    expect(callers).toEqual([]);
  });

  it('resolves odd forms of addresses as the system does, before it judges them', async () => {
    const outbound = new PolicedOutbound(new AddressPolicy([]));
    for (const host of ['2130706433', '0x7f.1', '0177.0.0.1', '127.1', 'localhost', '１２７.0.0.1'])
      expect((await caught(outbound.judge(host))).code).toBe('host_not_allowed');
  });

  it('connects to nothing but a host and port', async () => {
    const outbound = new PolicedOutbound(new AddressPolicy(['0.0.0.0/0', '::/0']));
    for (const place of [
      [port],
      ['/tmp/socket'],
      [{ path: '/tmp/socket' }],
      [{ path: '/tmp/socket', host: 'localhost', port }],
    ])
      await expect(connected(outbound, ...place)).rejects.toThrow();
    expect(callers).toEqual([]);
  });

  it('says of a name that does not exist that it cannot be reached', async () => {
    const outbound = new PolicedOutbound(new AddressPolicy([]), resolving({ 'empty.example': [[]] }).resolve);
    expect((await caught(outbound.judge('nowhere.example'))).code).toBe('source_unreachable');
    expect((await caught(connected(outbound, port, 'nowhere.example'))).code).toBe('source_unreachable');
    expect((await caught(outbound.judge('empty.example'))).code).toBe('source_unreachable');
  });

  it('gives drivers that look up by themselves judged addresses only', async () => {
    const { resolve } = resolving({
      'two.example': [['2606:4700::1111', '1.1.1.1']],
      'inside.example': [['10.0.0.7']],
    });
    const outbound = new PolicedOutbound(new AddressPolicy([]), resolve);
    const looked = (host: string, options: object) =>
      new Promise((done) => {
        outbound.lookup(host, options, (error, found, family) => {
          done(error ? (error as Problem).code : [found, family]);
        });
      });
    expect(await looked('two.example', {})).toEqual(['2606:4700::1111', 6]);
    expect(await looked('two.example', { family: 4 })).toEqual(['1.1.1.1', 4]);
    expect(await looked('two.example', { all: true })).toEqual([
      [address('2606:4700::1111'), address('1.1.1.1')],
      undefined,
    ]);
    expect(await looked('inside.example', { all: true })).toBe('host_not_allowed');
    expect(await looked('127.0.0.1', {})).toBe('host_not_allowed');
  });
});
