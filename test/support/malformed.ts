import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { below, pick, type Random } from './random.js';

/** Each is one bad thing to say to the socket server: it is said, and whatever comes back is nobody's affair. */

/** A text frame, or what is to be one; `mask` false is against the protocol. */
export function frame(payload: Buffer | string, { opcode = 1, fin = true, mask = true, claim = -1 } = {}): Buffer {
  const bytes = Buffer.from(payload);
  const length = claim < 0 ? bytes.length : claim;
  const bit = mask ? 0x80 : 0;
  const size =
    length < 126
      ? Buffer.from([bit | length])
      : length < 65_536
        ? Buffer.from([bit | 126, length >> 8, length & 255])
        : Buffer.concat([Buffer.from([bit | 127, 0, 0, 0, 0]), uint32(length)]);
  // Zeros are a mask, too.
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode]), size, Buffer.alloc(mask ? 4 : 0), bytes]);
}
const uint32 = (n: number): Buffer => Buffer.from([n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);

const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** What a client sends after it was let in, in the words of Socket.IO and below. */
const WORDS: readonly ((random: Random, channel: string) => Buffer)[] = [
  ...[
    '4', '42', '42[', '42[]', '42{}', '42null', '42[null]', '42[1]', '42[{}]', '42["subscribe"', '420["subscribe"]', '42["subscribe",]',
    '40/admin,', '40', '41', '41/x,', '43', '430[]', '43999999[1]', '44{}', '45', '451-', '451-["subscribe",{"_placeholder":true,"num":0}]',
    '459-[1]', '4599999999999-["x"]', '46', '49', '5', '6', '9', '1', '0{}', '3probe', '', 'x', '42["__proto__",{}]', '42["constructor",{}]',
    '42["disconnect"]', '42["connect"]', '42["error",1]', '42["disconnecting"]', '42999999999999999999["subscribe",{}]', '42-1["subscribe",{}]',
    '421["subscribe",{"channel":{"toString":1}}]', '422["subscribe",{"__proto__":{"channel":"table:x"}}]', '423["presence",{"state":[]}]',
    '424["auth",{"token":{}}]', '425["subscribe",1,2,3,4]', '426["subscribe",{"channel":"table:x","from":{"epoch":[],"seq":1e400}}]',
  ].map((word) => () => frame(word)), // prettier-ignore
  () => frame(`427["subscribe",${deep(5_000)}]`),
  () => frame('x'.repeat(70_000)),
  () => frame('', { claim: 2 ** 31 }),
  () => frame('42["subscribe"', { fin: false }),
  () => frame('tail', { opcode: 0 }),
  () => frame('42["subscribe",{}]', { mask: false }),
  (random) => frame(randomBytes(below(random, 300)), { opcode: 2 }),
  (random) => frame(randomBytes(below(random, 300))),
  (random) => frame(randomBytes(below(random, 200)), { opcode: 3 + below(random, 13) }),
  (random) => randomBytes(1 + below(random, 400)),
  (_random, channel) => frame(`428["subscribe",${JSON.stringify({ channel, from: { epoch: 'x', seq: -1 } })}]`),
  (_random, channel) =>
    Buffer.concat(Array.from({ length: 300 }, () => frame(`429["subscribe",{"channel":"${channel}","x":1}]`))),
];

export interface Target {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly channel: string;
}

/** Opens one connection, says bad things on it, and leaves it at a moment of its own. */
export async function misbehave(target: Target, random: Random): Promise<void> {
  const { host, port, token, channel } = target;
  const socket = net.connect({ host, port, noDelay: true });
  // Whatever becomes of it.
  socket.on('error', () => undefined).resume();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const say = async (bytes: Buffer | string): Promise<void> => {
    if (socket.writable) socket.write(bytes);
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, below(random, 15)))]);
  };
  const upgrade = [
    ...[
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
      `Host: ${host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
    ],
    ...['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`, '', ''],
  ].join('\r\n');
  const kind = below(random, 8);
  if (kind === 0) await say(upgrade.slice(0, below(random, upgrade.length)));
  else if (kind === 1) await polling(say, host, random);
  else {
    await say(upgrade);
    // Some are strangers who say nothing right, some were let in first.
    if (kind === 2)
      await say(frame(pick(random, ['40{"token":1}', '40{"token":"x.y.z"}', '40[', '40/none,{}', '40null'])));
    else if (kind > 3) await say(frame(`40${JSON.stringify({ token })}`));
    for (let n = 1 + below(random, 6); n > 0; n--) await say(pick(random, WORDS)(random, channel));
  }
  if (below(random, 2) === 0) socket.destroy();
  else socket.end();
  // A connection that is left half open must not hold up the next one.
  const timer = setTimeout(() => socket.destroy(), 500);
  await closed;
  clearTimeout(timer);
}

/** The other transport: bad sessions, bad versions, bad bodies. */
async function polling(say: (text: string) => Promise<void>, host: string, random: Random): Promise<void> {
  const query = pick(random, [
    'EIO=4&transport=polling',
    'EIO=4&transport=polling&sid=none',
    'EIO=9&transport=polling',
    'EIO=4&transport=carrier',
    'EIO=4&transport[]=polling&sid[a]=1',
    '%00',
  ]);
  const body = pick(random, ['', '42["subscribe"]', '\x1e\x1e\x1e', 'b!!!!', '4'.repeat(80_000)]);
  const method = pick(random, ['GET', 'POST', 'PUT', 'OPTIONS']);
  const claimed = below(random, 3) === 0 ? body.length + 10 : body.length;
  await say(`${method} /socket.io/?${query} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${claimed}\r\n\r\n${body}`);
}
