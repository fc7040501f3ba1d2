import { describe, expect, it } from '@jest/globals';
import { signedHeaders } from './sign.js';
import { waitAfter } from './wait-after.js';

describe('signatures', () => {
  it('are those of the specification', () => {
    const headers = signedHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', new Date(1_614_265_330_999), '{"test": 2432232314}', [
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    ]);
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });
});

describe('the wait after failures', () => {
  it('doubles up to an hour, a quarter more or less', () => {
    expect([1, 2, 3, 11, 12, 1_000].map((attempts) => waitAfter(attempts, 0, 0.5))).toEqual([
      2, 4, 8, 2_048, 3_600, 3_600,
    ]);
    expect([waitAfter(3, 0, 0), waitAfter(3, 0, 1)]).toEqual([6, 10]);
  });

  it('is as long as the receiver asks for, up to an hour', () => {
    expect([waitAfter(1, 60, 0.5), waitAfter(6, 10, 0.5), waitAfter(1, 1e9, 0.5)]).toEqual([60, 64, 3_600]);
  });
});
