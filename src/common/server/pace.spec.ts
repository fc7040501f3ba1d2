import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import { Pace, paceBelow } from './pace.js';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a pace', () => {
  it('lets everybody begin, in order, only so many in a turn, and others in between', async () => {
    const pace = new Pace(3);
    const begun: number[] = [];
    for (let n = 0; n < 8; n++) pace.enter(() => begun.push(n));
    expect(begun).toEqual([]);
    const seen: number[] = [];
    while (begun.length < 8) {
      await nextTurn();
      seen.push(begun.length);
    }
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(seen).toEqual([3, 6, 8]);
  });

  it('goes on after it was idle, and for those who come while it runs', async () => {
    const pace = new Pace(1);
    const begun: string[] = [];
    pace.enter(() => {
      begun.push('first');
      pace.enter(() => begun.push('from within'));
    });
    for (let n = 0; n < 4; n++) await nextTurn();
    pace.enter(() => begun.push('later'));
    for (let n = 0; n < 4; n++) await nextTurn();
    expect(begun).toEqual(['first', 'from within', 'later']);
  });

  it('puts off what waits while it is told to, and not for ever', async () => {
    let restless = true;
    const pace = new Pace(1, () => restless);
    const begun: number[] = [];
    for (let n = 0; n < 3; n++) pace.enter(() => begun.push(n));
    for (let n = 0; n < 10; n++) await nextTurn();
    expect(begun).toEqual([]);
    for (let n = 0; n < 30; n++) await nextTurn();
    expect(begun).toEqual([0]);
    restless = false;
    for (let n = 0; n < 3; n++) await nextTurn();
    expect(begun).toEqual([0, 1, 2]);
  });
});

describe('the pace below a path', () => {
  type Hook = (request: object, reply: object, done: () => void) => void;

  /** How many of forty requests begin before the present turn is over. */
  function beginAtOnce(url: string, route: string): number {
    const hooks: Hook[] = [];
    const instance = { server: new EventEmitter(), addHook: (_name: string, hook: Hook) => hooks.push(hook) };
    paceBelow(instance as unknown as FastifyInstance, '/api/auth/');
    let begun = 0;
    for (let n = 0; n < 40; n++) hooks[0]?.({ url, routeOptions: { url: route } }, {}, () => begun++);
    return begun;
  }

  it('holds for its routes, whatever the spelling, and for nothing else', () => {
    expect(beginAtOnce('/api/auth/login', '/api/auth/login')).toBe(0);
    expect(beginAtOnce('/api/%61uth/login', '/api/auth/login')).toBe(0);
    expect(beginAtOnce('/api/rows', '/api/rows')).toBe(40);
  });
});
