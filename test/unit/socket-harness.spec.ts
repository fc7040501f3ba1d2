import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Server } from 'socket.io';
import { socket } from '../harness/socket.js';

describe('the sockets of the tests, at a node that dies while they connect', () => {
  const http = createServer();
  const server = new Server(http);
  let base: string;

  beforeAll(async () => {
    server.use((tab, next) => {
      if (tab.handshake.auth.token === 'cut') tab.conn.close(true);
      else next();
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it('reject where the connection ends between the handshake and the answer, which no connect_error says', async () => {
    await expect(socket(base, 'cut')).rejects.toThrow('disconnected before it was connected');
  });

  it('connect where there is an answer, and end without an error afterwards', async () => {
    const tab = await socket(base, 'good');
    expect(tab.socket.connected).toBe(true);
    tab.close();
    expect(tab.socket.connected).toBe(false);
  });
});
