import { describe, expect, it } from '@jest/globals';
import { validate } from 'class-validator';
import { IsFutureTime } from './is-future-time.js';

class Body {
  @IsFutureTime()
  at: unknown;
}
const isTaken = async (at: unknown): Promise<boolean> =>
  (await validate(Object.assign(new Body(), { at }))).length === 0;

describe('a time that is still to come', () => {
  it.each(['2999-12-31T23:59Z', '2999-02-28T23:59:59.999+14:00', '2996-02-29T00:00:00-12:00'])(
    'may be %s',
    async (at) => expect(await isTaken(at)).toBe(true),
  );

  it.each([
    ...['2999-02-29T00:00:00Z', '2999-02-30T10:00:00+01:00', '2999-04-31T00:00Z', '2999-13-01T00:00Z'],
    ...['2999-01-01T24:00:00Z', '2999-01-01T10:60Z', '2999-01-00T00:00Z', '2020-01-01T00:00:00Z'],
    ...['2999-01-01', '2999-01-01T00:00', '', 1, null],
  ])('is not %s', async (at) => expect(await isTaken(at)).toBe(false));
});
