import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import zlib from 'node:zlib';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { expectStatus, startApp, world, type TestApp, type World } from '../harness/index.js';
import { getText, rawConnection } from '../support/raw-http.js';

jest.setTimeout(120_000);

/*
 * Long pages stand in memory that the next page gets when they were sent. Whoever reads slowly, goes away, asks for compression or for the head alone
 * must neither get what is another's nor lose a byte of his own.
 */

const GROUPS = 12;
const PER_GROUP = 110;
let server: TestApp;
let at: World;
let rows: string;
/** The rows of each group, as they are told when nobody else asks. */
const right: string[] = [];

const pathOf = (group: number): string => `${rows}?limit=100&filter=part.eq.${group}&sort=name`;
const authorization = (): string => `Bearer ${at.owner.accessToken}`;
const dataOf = (body: string): string => JSON.stringify((JSON.parse(body) as { data: unknown }).data);

const ask = (group: number, headers: Record<string, string> = {}, method = 'GET'): Promise<http.IncomingMessage> =>
  new Promise((resolve, reject) => {
    http
      .request(
        `${server.base}${pathOf(group)}`,
        { method, headers: { authorization: authorization(), ...headers } },
        resolve,
      )
      .on('error', reject)
      .end();
  });

const plain = async (group: number): Promise<string> => dataOf((await buffer(await ask(group))).toString());

const WAYS: Readonly<Record<string, (group: number) => Promise<string | undefined>>> = {
  plain,
  gzip: async (group) => {
    const packed = await buffer(await ask(group, { 'accept-encoding': 'gzip' }));
    return dataOf(zlib.gunzipSync(packed).toString());
  },
  br: async (group) => {
    const packed = await buffer(await ask(group, { 'accept-encoding': 'br' }));
    return dataOf(zlib.brotliDecompressSync(packed).toString());
  },
  head: async (group) => {
    const answer = await ask(group, {}, 'HEAD');
    expect((await buffer(answer)).length).toBe(0);
    return undefined;
  },
  slowly: async (group) => {
    const answer = await ask(group);
    const pieces: Buffer[] = [];
    for await (const piece of answer) {
      pieces.push(piece as Buffer);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return dataOf(Buffer.concat(pieces).toString());
  },
  'and goes away': async (group) => {
    const answer = await ask(group, group % 2 === 0 ? { 'accept-encoding': 'gzip' } : {});
    answer.once('data', () => answer.destroy());
    await new Promise((resolve) => answer.once('close', resolve));
    return undefined;
  },
};

beforeAll(async () => {
  server = await startApp();
  at = await world(server.base);
  const columns = [
    { name: 'Name', type: 'text' },
    { name: 'Part', type: 'integer' },
    { name: 'Notes', type: 'long_text' },
  ];
  const made = await at.owner.post<{ id: string }>(`/bases/${at.base.id}/tables`, { name: 'Long', columns });
  const path = `/tables/${expectStatus(made, 201).id}/rows`;
  rows = `/api/v1${path}`;
  for (let group = 0; group < GROUPS; group++) {
    const letter = String.fromCharCode(0x61 + group);
    const notes = group % 3 === 0 ? `${letter}é`.repeat(300) : letter.repeat(900);
    const ops = Array.from({ length: PER_GROUP }, (_, i) => ({
      op: 'create',
      fields: { name: `${group}-${String(i).padStart(3, '0')}`, part: group, notes },
    }));
    expectStatus(await at.owner.post(`${path}/bulk`, { mode: 'atomic', ops }), 200);
  }
  for (let group = 0; group < GROUPS; group++) right.push(await plain(group));
  expect(right.every((data) => Buffer.byteLength(data) > 100_000)).toBe(true);
});

describe('long pages that many ask for at once', () => {
  it.each(Object.keys(WAYS))('are each his own, asked for %s and by others otherwise', async (way) => {
    const ways = Object.values(WAYS);
    const wrong: unknown[] = [];
    const one = async (group: number, asked: (group: number) => Promise<string | undefined>): Promise<void> => {
      const found = await asked(group);
      if (found !== undefined && found !== right[group]) wrong.push([group, found.slice(0, 300)]);
    };
    const asked = WAYS[way] ?? plain;
    for (let round = 0; round < 6; round++)
      await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          one((i * 7 + round) % GROUPS, i % 2 === 0 ? asked : (ways[(i + round) % ways.length] ?? plain)),
        ),
      );
    expect(wrong).toEqual([]);
  });

  it('are each his own on a connection that reads nothing for a while, and asks for the next before it has the first', async () => {
    const head = [`Authorization: ${authorization()}`];
    // More than what lies between the two can hold, so that much of it waits in the server; asked for one after the other, for all at once are too many.
    const each = 100;
    const connections = Array.from({ length: 3 }, () => rawConnection(server.base));
    for (const connection of connections) connection.pause();
    for (let k = 0; k < each; k++) {
      for (const [i, connection] of connections.entries()) connection.write(getText(pathOf((i + k) % GROUPS), head));
      expect((await plain(k % GROUPS)) === right[k % GROUPS]).toBe(true);
    }
    for (const [i, connection] of connections.entries()) {
      connection.resume();
      for (let k = 0; k < each; k++) {
        const { status, body } = await connection.next();
        expect([k, status, dataOf(body.toString()) === right[(i + k) % GROUPS]]).toEqual([k, 200, true]);
      }
      connection.end();
    }
  });
});
