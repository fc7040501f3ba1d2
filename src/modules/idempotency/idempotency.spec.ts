import { describe, expect, it } from '@jest/globals';
import { Answer, created, JsonText } from '../../common/index.js';
import { givenAgain, keepable } from './kept-answer.js';
import { canonicalJson } from './request-key.js';

describe('canonical JSON', () => {
  it('is the same whatever the order of members, at any depth, and of nothing else', () => {
    expect(canonicalJson({ b: [{ y: 1, x: null }], a: 'é' })).toBe('{"a":"é","b":[{"x":null,"y":1}]}');
    for (const [one, other] of [
      [
        [1, 2],
        [2, 1],
      ],
      [{ a: 1 }, { a: '1' }],
      [{ a: null }, {}],
      [{ a: { b: 1 } }, { 'a":{"b': 1 }],
      [['a,b'], ['a', 'b']],
    ])
      expect(canonicalJson(one)).not.toBe(canonicalJson(other));
  });
});

describe('a kept answer', () => {
  it('is what the handler returned, with the status of the route unless it has its own', () => {
    expect(keepable({ a: 1 }, 200)).toEqual({ status: 200, headers: {}, body: '{"a":1}' });
    expect(keepable(undefined, 204)).toEqual({ status: 204, headers: {} });
    expect(keepable(created('/a/1', { id: 1 }), 200)).toEqual({
      status: 201,
      headers: { location: '/api/v1/a/1' },
      body: '{"id":1}',
    });
    expect(keepable(new JsonText('{"b": 1}'), 200)).toMatchObject({ body: '{"b": 1}' });
  });

  it('is none when it is larger than 1 MiB, or no JSON', () => {
    expect(keepable({ a: 'x'.repeat(1024 * 1024) }, 200)).toBeUndefined();
    for (const body of ['text', Buffer.from('x'), new Answer(Buffer.from('x'))])
      expect(keepable(body, 200)).toBeUndefined();
  });

  it('says that it is given again', () => {
    const answer = { status: 201, headers: { etag: '"1"' }, body: '{}' };
    expect(givenAgain(answer).options).toEqual({
      status: 201,
      headers: { etag: '"1"', 'idempotency-replayed': 'true' },
    });
  });
});
