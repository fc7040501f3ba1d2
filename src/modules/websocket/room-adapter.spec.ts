import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';
import { io, type Socket as Client } from 'socket.io-client';
import { RoomAdapter } from './room-adapter.js';

const ROOM = 'table:1';

describe('RoomAdapter', () => {
  let http: HttpServer;
  let server: Server;
  let clients: Client[];

  beforeEach(async () => {
    http = createServer();
    server = new Server(http, { adapter: RoomAdapter, perMessageDeflate: false });
    clients = [];
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    for (const client of clients) client.disconnect();
    await server.close();
  });

  const rooms = (): RoomAdapter => {
    const { adapter } = server.of('/');
    if (!(adapter instanceof RoomAdapter)) throw new Error('another adapter');
    return adapter;
  };

  /** A client that hears everything, and its socket here. */
  const connect = async (...transports: ('websocket' | 'polling')[]) => {
    const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const { port } = http.address() as AddressInfo;
    const client = io(`http://127.0.0.1:${port}`, { transports, forceNew: true });
    clients.push(client);
    const heard: unknown[][] = [];
    client.onAny((...event: unknown[]) => heard.push(event));
    return { client, heard, socket: await accepted };
  };

  const heardAll = async ({ client, socket }: { client: Client; socket: Socket }): Promise<void> => {
    const last = new Promise<void>((resolve) => client.once('last', resolve));
    socket.emit('last');
    await last;
  };

  // Where a frame says its length in another way, and what is longer in bytes than in characters.
  const sizes = [
    0, 1, 80, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 125, 126, 127, 65_400, 65_535, 65_536, 200_000,
  ];
  const events = sizes.flatMap((size) => [
    { name: 'data:update', payload: { size, text: 'x'.repeat(size) } },
    { name: 'schema:update', payload: { size, text: 'ü'.repeat(size), sign: '𝒳\u2028\u0000' } },
  ]);
  const asHeard = events.map(({ name, payload }) => [name, payload]);

  it.each([[['websocket']], [['polling']], [['polling', 'websocket']]] as const)(
    'tells all of it in order over %j',
    async (transports) => {
      const one = await connect(...transports);
      await one.socket.join(ROOM);
      one.socket.emit('first', 1);
      rooms().tell(ROOM, events);
      rooms().tell(ROOM, [{ name: 'data:update', payload: { alone: true } }]);
      server.to(ROOM).emit('after', 2);
      await heardAll(one);
      expect(one.heard).toEqual([['first', 1], ...asHeard, ['data:update', { alone: true }], ['after', 2], ['last']]);
    },
  );

  it('loses and doubles nothing while a client changes from polling to a socket', async () => {
    const one = await connect('polling', 'websocket');
    await one.socket.join(ROOM);
    const upgraded = new Promise<void>((resolve) => one.socket.conn.once('upgrade', () => resolve()));
    let n = 0;
    const timer = setInterval(() => {
      rooms().tell(ROOM, [
        { name: 'n', payload: ++n },
        { name: 'n', payload: ++n },
      ]);
    }, 1);
    await upgraded;
    await heardAll(one);
    clearInterval(timer);
    await heardAll(one);
    expect(one.socket.conn.transport.name).toBe('websocket');
    expect(one.heard.filter(([name]) => name === 'n').map(([, value]) => value)).toEqual(
      Array.from({ length: n }, (_, i) => i + 1),
    );
  });

  it('tells nobody outside of the room, and none who is left out', async () => {
    const [inside, outside, leftOut] = [
      await connect('websocket'),
      await connect('websocket'),
      await connect('websocket'),
    ];
    await inside.socket.join(ROOM);
    await leftOut.socket.join(ROOM);
    rooms().tell(ROOM, events, new Set([leftOut.socket.id]));
    rooms().tell('table:2', events);
    rooms().tell(ROOM, []);
    await Promise.all([inside, outside, leftOut].map(heardAll));
    expect(inside.heard).toEqual([...asHeard, ['last']]);
    expect(outside.heard).toEqual([['last']]);
    expect(leftOut.heard).toEqual([['last']]);
  });
});
