import { expect, it, jest } from '@jest/globals';
import { runFaults } from '../faults/run.js';

jest.setTimeout(120_000);

/** Of another length, and of all kinds: `npm run test:faults -- --seed N`. */
const SEED = 7;

it('two nodes keep their promises while one is killed, PostgreSQL crashes, Redis dies and connections are cut', async () => {
  const { broken, figures } = await runFaults({
    seed: SEED,
    ms: 7_000,
    writers: 4,
    faults: ['node is killed', 'PostgreSQL crashes', 'Redis dies', 'connections to PostgreSQL are cut'],
  });
  expect(Object.entries(broken).filter(([, findings]) => findings.length > 0)).toEqual([]);
  // Something did happen, and something was written meanwhile.
  expect(figures).toMatchObject({ acknowledged: expect.any(Number), repeated: expect.any(Number) });
  expect(Number(figures.acknowledged)).toBeGreaterThan(50);
  expect(Number(figures.repeated)).toBeGreaterThan(0);
});
