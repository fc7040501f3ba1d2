import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { AppConfig } from '../../config/index.js';
import type { RedisClient } from '../../database/redis/index.js';
import { EventBus } from './event-bus.js';
import { decodeMessage, encodeMessage } from './message.js';

const TABLE = '01900000-0000-7000-8000-000000000001';
const hint = { schema: 'crm', tableId: TABLE, seq: 7 };

/** A Redis that hands every message to all who listen on the channel, the sender included. */
function fakeRedis() {
  const listeners: { readonly channel: string; readonly listener: (message: string) => void }[] = [];
  const client = {
    configured: true,
    subscribe: (channel: string, listener: (message: string) => void) => void listeners.push({ channel, listener }),
    publish: (channel: string, message: string) =>
      listeners.filter((one) => one.channel === channel).forEach(({ listener }) => listener(message)),
  };
  return client as unknown as RedisClient & { publish(channel: string, message: string): void };
}

const config = (database: string) => ({ mainDb: { database } }) as AppConfig;

function heard(bus: EventBus): unknown[] {
  const payloads: unknown[] = [];
  bus.on('rows.changed', (payload) => void payloads.push(payload));
  return payloads;
}

describe('the event bus', () => {
  it('tells listeners of this node at once and those of others through Redis, each one time', () => {
    const redis = fakeRedis();
    const [here, there] = [new EventBus(redis, config('main')), new EventBus(redis, config('main'))];
    const [near, far] = [heard(here), heard(there)];
    here.publish('rows.changed', hint);
    expect(near).toEqual([hint]);
    expect(far).toEqual([hint]);
  });

  it('does not mix two installations that share a Redis', () => {
    const redis = fakeRedis();
    const foreign = heard(new EventBus(redis, config('other')));
    new EventBus(redis, config('main')).publish('rows.changed', hint);
    expect(foreign).toEqual([]);
  });

  it('goes on when a listener throws or rejects, and stops when asked to', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const bus = new EventBus(fakeRedis(), config('main'));
    bus.on('rows.changed', () => {
      throw new Error('bad listener');
    });
    bus.on('rows.changed', () => Promise.reject(new Error('bad promise')));
    const payloads = heard(bus);
    const stop = bus.on('rows.changed', () => void payloads.push('also'));
    bus.publish('rows.changed', hint);
    stop();
    bus.publish('rows.changed', hint);
    await Promise.resolve();
    expect(payloads).toEqual([hint, 'also', hint]);
    expect(errors).toHaveBeenCalled();
    errors.mockRestore();
  });

  it('ignores what is not a message', () => {
    const redis = fakeRedis();
    const payloads = heard(new EventBus(redis, config('main')));
    for (const message of [
      '',
      'x',
      '5',
      'null',
      '[]',
      '{}',
      encodeMessage({ node: 'n', topic: 'rows.changed', payload: { ...hint, seq: -1 } }),
    ]) {
      redis.publish('live-tables:main:events', message);
    }
    expect(payloads).toEqual([]);
  });
});

describe('a message between nodes', () => {
  const message = { node: 'n', topic: 'rows.changed' as const, payload: hint };

  it('survives the way', () => {
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  it.each<[string, object]>([
    ['an unknown topic', { ...message, topic: 'rows.exploded' }],
    ['a topic of Object.prototype', { ...message, topic: 'constructor' }],
    ['no node', { ...message, node: undefined }],
    ['no payload', { ...message, payload: null }],
    ['an id that is none', { ...message, payload: { ...hint, tableId: 'x' } }],
    ['a number as text', { ...message, payload: { ...hint, seq: '7' } }],
    ['a huge text', { ...message, payload: { ...hint, schema: 'x'.repeat(300) } }],
  ])('is refused with %s', (_what, wrong) => {
    expect(decodeMessage(JSON.stringify(wrong))).toBeUndefined();
  });

  it('may carry members that a newer node sends', () => {
    expect(decodeMessage(JSON.stringify({ ...message, payload: { ...hint, shard: 3 } }))).toBeDefined();
  });
});
