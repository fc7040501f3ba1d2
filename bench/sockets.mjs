/**
 * Many subscribers in one process. Each is a bare WebSocket that speaks just enough Socket.IO to connect and subscribe and
 * then counts frames without reading them: with a real client per socket this process, and not the server, would be measured.
 */
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { serve } from './children.mjs';
import { connect as connectHttp, request } from './http-client.mjs';

const EVENT = Buffer.from('42["data:update"');
let sockets = [];
let onEvent = () => undefined;

/** Opens `count` sockets; `auth` and `channel` are for ours, the floor takes everybody. */
async function open({ base, count, auth, channel }) {
  sockets = [];
  for (let i = 0; i < count; i += 50) {
    const some = Array.from({ length: Math.min(50, count - i) }, () => subscriber(base, auth, channel));
    sockets.push(...(await Promise.all(some)));
  }
  return sockets.length;
}

function close() {
  for (const socket of sockets) socket.destroy();
  sockets = [];
}

function subscriber(base, auth, channel) {
  const { hostname, port } = new URL(base);
  const socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('a socket could not subscribe in 20 s')), 20_000);
    const done = () => {
      clearTimeout(timer);
      resolve(socket);
    };
    socket.on('error', reject);
    socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    const frames = frameReader((data, from, to) => {
      if (startsWith(data, from, EVENT)) return onEvent();
      const text = data.latin1Slice(from, to);
      if (text[0] === '0') send(socket, `40${JSON.stringify(auth ?? {})}`);
      else if (text === '2') send(socket, '3');
      else if (text.startsWith('40') && channel) send(socket, `420${JSON.stringify(['subscribe', { channel }])}`);
      else if (text.startsWith('40') || text.startsWith('430[{"ok":true')) done();
      else if (text.startsWith('4')) {
        // Once subscribed, anything but an event means that this socket will get no more of them.
        console.error(`a subscriber was told ${text.slice(0, 500)}`);
        reject(new Error('a socket could not subscribe'));
      }
    });
    let upgraded = false;
    socket.on('data', (chunk) => {
      if (upgraded) return frames(chunk);
      const end = chunk.indexOf('\r\n\r\n');
      if (!chunk.latin1Slice(0, 12).endsWith('101')) return reject(new Error(chunk.toString()));
      upgraded = true;
      if (chunk.length > end + 4) frames(chunk.subarray(end + 4));
    });
  });
}

function startsWith(data, from, prefix) {
  return (
    data.length - from >= prefix.length && data.compare(prefix, 0, prefix.length, from, from + prefix.length) === 0
  );
}

/** Frames of a server (RFC 6455, section 5.2): unmasked; ours are whole messages. A frame may be spread over chunks. */
function frameReader(onFrame) {
  let rest;
  return (chunk) => {
    const data = rest ? Buffer.concat([rest, chunk]) : chunk;
    rest = undefined;
    let at = 0;
    while (at < data.length) {
      const short = data[at + 1];
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (at + head > data.length) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
      if (at + head + length > data.length) break;
      onFrame(data, at + head, at + head + length);
      at += head + length;
    }
    if (at < data.length) rest = Buffer.from(data.subarray(at));
  };
}

/** A client has to mask; zeros are a mask. */
function send(socket, text) {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 255]);
  socket.write(Buffer.concat([head, Buffer.alloc(4), payload]));
}

// Two processes must not make the same changes.
let changes = Math.floor(Math.random() * 1e9);

/** Requests that make one event each: a row that stays as it is would make none, so no two have the same text. */
const events = ({ rows, token, ids, payload }) => {
  if (payload) return () => request('POST', '/emit', token, payload);
  return () => {
    const fields = { amount: `${++changes % 9999}.25`, notes: `Change ${changes} of the row` };
    return request('PATCH', `${rows}/${ids[changes % ids.length]}`, token, { fields });
  };
};

/** A write that fails makes no event, and all counting would be wrong. */
async function write(client, bytes) {
  const { status } = await client.send(bytes);
  if (status >= 300) throw new Error(`a write was answered with ${status}`);
}

/** As many deliveries as go: `ahead` events are on their way at any time, another as soon as all sockets have one. */
async function flood({ base, side, seconds, ahead = 8 }) {
  const make = events(side);
  const clients = Array.from({ length: ahead }, () => connectHttp(base));
  let delivered = 0;
  let sent = 0;
  let over = false;
  let quiet = () => undefined;
  const pump = () => {
    while (!over && sent < ahead + delivered / sockets.length) {
      const client = clients.pop();
      if (!client) return;
      sent++;
      write(client, make()).then(() => {
        clients.push(client);
        pump();
      });
    }
  };
  onEvent = () => {
    delivered++;
    if (delivered % sockets.length === 0) {
      if (over && delivered >= sent * sockets.length) quiet();
      pump();
    }
  };
  const before = process.cpuUsage();
  pump();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const result = { perSecond: delivered / seconds, cpuMs: cpuSince(before), count: delivered };
  over = true;
  await Promise.race([
    new Promise((resolve) => (quiet = resolve)),
    new Promise((resolve) => setTimeout(resolve, 5_000)),
  ]);
  const missing = sent * sockets.length - delivered;
  for (const client of clients) client.close();
  return { ...result, missing };
}

/** Time from sending a write to its delivery at each socket, at a steady rate. */
async function paced({ base, side, seconds, perSecond }) {
  const make = events(side);
  const idle = [];
  const sentAt = [];
  const latencies = [];
  let delivered = 0;
  onEvent = () => {
    // Events arrive in order, so the n-th round of deliveries belongs to the n-th write.
    const at = sentAt[Math.floor(delivered / sockets.length)];
    delivered++;
    latencies.push(performance.now() - at);
  };
  const startedAt = performance.now();
  for (let n = 0; n < seconds * perSecond; n++) {
    const due = startedAt + (n * 1000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const client = idle.pop() ?? connectHttp(base);
    sentAt.push(performance.now());
    write(client, make()).then(() => idle.push(client));
  }
  for (let i = 0; i < 50 && delivered < sentAt.length * sockets.length; i++)
    await new Promise((resolve) => setTimeout(resolve, 100));
  for (const client of idle) client.close();
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  return { p50: at(0.5), p99: at(0.99), missing: sentAt.length * sockets.length - delivered };
}

const cpuSince = (before) => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

serve({ open, close, flood, paced });
process.send({});
